// One value in a message, on its way to a Swift value: the decoder that an `init(from:)` gets.

final class BinarySource {
    let message: BinaryMessage
    let position: Int
    let end: Int
    private let parent: BinarySource?
    private let key: (any CodingKey)?
    private let depth: Int

    init(
        _ message: BinaryMessage, at position: Int, _ end: Int, in parent: BinarySource? = nil,
        _ key: (any CodingKey)? = nil
    ) {
        self.message = message
        self.position = position
        self.end = end
        self.parent = parent
        self.key = key
        depth = (parent?.depth ?? 0) + 1
    }

    var userInfo: [CodingUserInfoKey: Any] { message.userInfo }

    var codingPath: [any CodingKey] {
        var path: [any CodingKey] = []
        var source: BinarySource? = self
        while let current = source {
            if let key = current.key { path.append(key) }
            source = current.parent
        }
        return path.reversed()
    }

    /// A value inside this one.
    func inner(at position: Int, _ key: (any CodingKey)?) throws -> BinarySource {
        guard depth <= BinaryLimits.depth else {
            throw message.corrupted("nested deeper than \(BinaryLimits.depth)", codingPath)
        }
        return BinarySource(message, at: position, end, in: self, key)
    }

    /// The value as one of a type.
    func read<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if type == String.self, let value = identical(try string(), type) { return value }
        if type == Int.self, let value = identical(try integer(Int.self), type) { return value }
        if type == Double.self, let value = identical(try double(), type) { return value }
        if type == Bool.self, let value = identical(try bool(), type) { return value }
        if let value = try BinaryPacking.read(type, message, at: position, end) { return value }
        return try type.init(from: self)
    }

    // MARK: What has no parts

    var isNull: Bool { position < end && message.bytes[position] == BinaryTag.null.rawValue }

    func bool() throws -> Bool {
        switch BinaryTag(rawValue: try message.tag(at: position, end)) {
        case .no: false
        case .yes: true
        default: throw mismatch(Bool.self)
        }
    }

    func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
        let first = try message.tag(at: position, end)
        if first >= BinaryTag.smallInteger { return try exactly(first & 0x7f) }
        var next = position + 1
        switch BinaryTag(rawValue: first) {
        case .positive: return try exactly(try message.varint(at: &next, end))
        case .negative:
            guard let complement = Int64(exactly: try message.varint(at: &next, end)) else { throw tooLarge(type) }
            return try exactly(~complement)
        case .wideSigned: return try exactly(try message.memory(Int128.self, at: next, end))
        case .wideUnsigned: return try exactly(try message.memory(UInt128.self, at: next, end))
        default: throw mismatch(type)
        }
    }

    func float() throws -> Float {
        guard try message.tag(at: position, end) == BinaryTag.float.rawValue else { throw mismatch(Float.self) }
        return try message.memory(Float.self, at: position + 1, end)
    }

    func double() throws -> Double {
        guard try message.tag(at: position, end) == BinaryTag.double.rawValue else { throw mismatch(Double.self) }
        return try message.memory(Double.self, at: position + 1, end)
    }

    func string() throws -> String {
        guard try message.tag(at: position, end) == BinaryTag.string.rawValue else { throw mismatch(String.self) }
        var next = position + 1
        return try message.text(at: &next, end)
    }

    func exactly<Number: FixedWidthInteger>(_ value: some FixedWidthInteger) throws -> Number {
        guard let number = Number(exactly: value) else { throw tooLarge(Number.self) }
        return number
    }

    private func tooLarge(_ type: Any.Type) -> DecodingError {
        message.corrupted("the number does not fit into \(type)", codingPath)
    }

    func mismatch(_ type: Any.Type) -> any Error {
        if isNull {
            return DecodingError.valueNotFound(type, .init(codingPath: codingPath, debugDescription: "null instead"))
        }
        let what = BinaryTag(rawValue: message.bytes[position]).map { "\($0)" } ?? "an integer"
        return DecodingError.typeMismatch(type, .init(codingPath: codingPath, debugDescription: "found \(what)"))
    }
}

extension BinarySource: Decoder {
    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(BinaryKeyedReader<Key>(try BinaryEntries(of: self)))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try BinaryUnkeyedReader(of: self) }

    func singleValueContainer() -> any SingleValueDecodingContainer { BinarySingleReader(source: self) }
}
