// Bytes that processes share: places inside of them, and what is copied there and back.

/// What segments of System V and memory with a name have in common.
enum SharedBytes {
    /// Whether so many bytes at a place are inside of so many, whatever the numbers are.
    static func hold(_ count: Int, at offset: Int, inside size: Int) -> Bool {
        offset >= 0 && count >= 0 && offset <= size && count <= size - offset
    }

    /// The text of bytes, up to a NUL; what is not UTF-8 is replaced by U+FFFD.
    static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
}

extension UnsafeMutableRawBufferPointer {
    /// Copies bytes to the beginning, and fills the rest with zeros.
    func fill(with bytes: [UInt8]) {
        copyBytes(from: bytes)
        for index in bytes.count..<count { self[index] = 0 }
    }
}
