// What several writers of one FIFO send: records that say whose they are, and that are whole or refused.

/// A record that came over a FIFO or another stream with several writers.
public struct Record: Hashable, Sendable {
    /// What was sent.
    public let bytes: [UInt8]

    /// The process that sent it, as it says itself; the kernel does not tell on a FIFO. Who has to be sure uses a socket.
    public let processID: ProcessID

    /// A number that each ``RecordWriter`` draws for itself: two writers have the same one only by a chance of one in 2^64.
    public let writer: UInt64

    /// Counts the records of a writer, from 0 on. One that is missing was lost, or refused.
    public let sequence: UInt64
}

/// How a record lies in the stream: 40 bytes and its own ones.
///
/// `magic` 4, length 4, process 4, 4 of zero, writer 8, sequence 8, checksum 8, all least significant byte first; the checksum
/// (FNV-1a) is that of all other bytes.
struct RecordHeader {
    static let size = 40
    static let magic: UInt32 = 0x4352_F01F
    /// PIPE_BUF on Linux: a write of so many bytes to a pipe goes in at once.
    static let mostAtOnce = 4096

    let length: Int
    let process: UInt32
    let writer: UInt64
    let sequence: UInt64
    let checksum: UInt64

    static func frame(_ bytes: RawSpan, process: UInt32, writer: UInt64, sequence: UInt64) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(size + bytes.byteCount)
        append(UInt64(magic) | UInt64(bytes.byteCount) << 32, to: &frame)
        append(UInt64(process), to: &frame)
        append(writer, to: &frame)
        append(sequence, to: &frame)
        let ofHeader = frame.withUnsafeBytes { sum($0, after: seed) }
        append(bytes.withUnsafeBytes { sum($0, after: ofHeader) }, to: &frame)
        bytes.withUnsafeBytes { frame.append(contentsOf: $0) }
        return frame
    }

    /// The header at the front of at least 40 bytes; `nil` if none can be there.
    init?(_ bytes: UnsafeRawBufferPointer, limit: Int) {
        let words = (0..<5).map { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
        guard UInt32(truncatingIfNeeded: words[0]) == RecordHeader.magic, words[0] >> 32 <= UInt64(limit),
            words[1] >> 32 == 0
        else { return nil }
        length = Int(words[0] >> 32)
        process = UInt32(truncatingIfNeeded: words[1])
        (writer, sequence, checksum) = (words[2], words[3], words[4])
    }

    /// Whether a header and what follows are as they were sent.
    func fits(_ record: UnsafeRawBufferPointer) -> Bool {
        let head = UnsafeRawBufferPointer(rebasing: record[..<32])
        let body = UnsafeRawBufferPointer(rebasing: record[RecordHeader.size..<(RecordHeader.size + length)])
        return RecordHeader.sum(body, after: RecordHeader.sum(head, after: RecordHeader.seed)) == checksum
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static let seed: UInt64 = 0xCBF2_9CE4_8422_2325

    private static func sum(_ bytes: UnsafeRawBufferPointer, after former: UInt64) -> UInt64 {
        var sum = former
        for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return sum
    }
}
