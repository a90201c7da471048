// Values from bytes, which may be anybody's: whatever they are, they give a value or an error.

/// Reads values that ``BinaryEncoder`` has written.
///
/// The bytes are not trusted. Every length is checked against what is there before anything is taken for it, nesting has a
/// limit, and what does not fit is a `DecodingError`.
struct BinaryDecoder {
    /// What the values' own `init(from:)` can ask for.
    var userInfo: [CodingUserInfoKey: any Sendable] = [:]

    /// The value that the bytes hold.
    ///
    /// - Throws: `DecodingError`, also for bytes behind the value; what the type's `init(from:)` throws.
    func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        let message = try BinaryMessage(bytes, userInfo)
        let start = message.start
        guard try message.endOfValue(at: start, bytes.count) == bytes.count else {
            throw message.corrupted("bytes behind the value")
        }
        return try BinarySource(message, at: start, bytes.count).read(type)
    }
}

/// The bytes of a message, and the table of its keys.
final class BinaryMessage {
    let bytes: [UInt8]
    let userInfo: [CodingUserInfoKey: any Sendable]
    private(set) var keys: [String] = []
    private var numbers: [String: Int] = [:]
    /// Where the value begins.
    private(set) var start = 0

    init(_ bytes: [UInt8], _ userInfo: [CodingUserInfoKey: any Sendable]) throws {
        self.bytes = bytes
        self.userInfo = userInfo
        var position = 0
        let count = try length(at: &position, bytes.count)
        for number in 0..<count {
            let key = try text(at: &position, bytes.count)
            guard numbers.updateValue(number, forKey: key) == nil else { throw corrupted("key \(key) twice") }
            keys.append(key)
        }
        start = position
    }

    func number(of key: some CodingKey) -> Int? { numbers[key.stringValue] }

    func corrupted(_ what: String, _ path: [any CodingKey] = []) -> DecodingError {
        .dataCorrupted(.init(codingPath: path, debugDescription: what))
    }

    // MARK: Parts, each checked against the end of what it lies in

    func tag(at position: Int, _ end: Int) throws -> UInt8 {
        guard position < end else { throw corrupted("the message ends before the value") }
        return bytes[position]
    }

    func varint(at position: inout Int, _ end: Int) throws -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try tag(at: position, end)
            position += 1
            guard shift < 63 || (shift == 63 && byte <= 1) else { throw corrupted("a number longer than 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    /// A length or a count: of nothing there can be more than there are bytes left.
    func length(at position: inout Int, _ end: Int) throws -> Int {
        let value = try varint(at: &position, end)
        guard value <= UInt64(end - position) else { throw corrupted("a length beyond the end") }
        return Int(value)
    }

    func text(at position: inout Int, _ end: Int) throws -> String {
        let count = try length(at: &position, end)
        defer { position += count }
        guard let text = String(validating: bytes[position..<position + count], as: UTF8.self) else {
            throw corrupted("text that is not UTF-8")
        }
        return text
    }

    func memory<Value: BitwiseCopyable>(_ type: Value.Type, at position: Int, _ end: Int) throws -> Value {
        guard MemoryLayout<Value>.size <= end - position else { throw corrupted("a number beyond the end") }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: type) }
    }

    /// The head of a packed array behind its tag: what its elements are, and how many.
    func packedHead(at position: inout Int, _ end: Int) throws -> (element: BinaryElement, count: Int) {
        guard let element = BinaryElement(rawValue: try tag(at: position, end)) else {
            throw corrupted("an array of unknown elements")
        }
        position += 1
        let count = try varint(at: &position, end)
        guard count <= UInt64((end - position) / element.size) else { throw corrupted("an array beyond the end") }
        return (element, Int(count))
    }

    /// An array whose elements lie there as they are to lie in memory; `nil` if the value is something else.
    func packed<Element: BinaryPackable>(_ type: Element.Type, at start: Int, _ end: Int) throws -> [Element]? {
        guard try tag(at: start, end) == BinaryTag.packed.rawValue else { return nil }
        var position = start + 1
        let (element, count) = try packedHead(at: &position, end)
        guard element == Element.binaryElement else { return nil }
        return [Element](unsafeUninitializedCapacity: count) { room, used in
            bytes.withUnsafeBytes { all in
                let part = UnsafeRawBufferPointer(rebasing: all[position..<position + count * element.size])
                UnsafeMutableRawBufferPointer(room).copyMemory(from: part)
            }
            used = count
        }
    }

    /// The place behind a value, which is not looked into.
    func endOfValue(at start: Int, _ end: Int) throws -> Int {
        let first = try tag(at: start, end)
        var position = start + 1
        guard first < BinaryTag.smallInteger else { return position }
        switch BinaryTag(rawValue: first) {
        case .null, .no, .yes: break
        case .positive, .negative: _ = try varint(at: &position, end)
        case .wideSigned, .wideUnsigned: position += 16
        case .float: position += 4
        case .double: position += 8
        case .string, .keyed, .unkeyed:
            let count = try length(at: &position, end)
            position += count
        case .packed:
            let (element, count) = try packedHead(at: &position, end)
            position += count * element.size
        case nil: throw corrupted("a value of an unknown kind")
        }
        guard position <= end else { throw corrupted("the message ends within a value") }
        return position
    }
}
