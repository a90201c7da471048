// The decoder's containers without keys: several values one after another, and a single one.

struct BinaryUnkeyedReader: UnkeyedDecodingContainer {
    private let source: BinarySource
    private let elements: BinaryElement?
    private let total: Int
    private let end: Int
    private var position: Int
    private(set) var currentIndex = 0

    init(of source: BinarySource) throws {
        self.source = source
        let message = source.message
        position = source.position + 1
        switch BinaryTag(rawValue: try message.tag(at: source.position, source.end)) {
        case .unkeyed:
            let size = try message.length(at: &position, source.end)
            end = position + size
            elements = nil
            total = try message.length(at: &position, end)
        case .packed:
            let head = try message.packedHead(at: &position, source.end)
            elements = head.element
            total = head.count
            end = position + head.count * head.element.size
        default: throw source.mismatch([Any].self)
        }
    }

    var codingPath: [any CodingKey] { source.codingPath }
    var count: Int? { total }
    var isAtEnd: Bool { currentIndex >= total }

    /// Reads the next value and goes on behind it, unless reading it fails.
    private mutating func next<Value>(_ type: Value.Type, _ read: (BinarySource) throws -> Value) throws -> Value {
        let key = BinaryKey(intValue: currentIndex)
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                type, .init(codingPath: codingPath + [key], debugDescription: "there are only \(total)"))
        }
        let following: Int
        let inner: BinarySource
        if let elements {
            // The number alone, as a message with a value of its own.
            following = position + elements.size
            let number = try packedNumber(elements)
            let single = try BinaryMessage([0] + number, source.message.userInfo)
            inner = BinarySource(single, at: 1, single.bytes.count, in: source, key)
        } else {
            following = try source.message.endOfValue(at: position, end)
            inner = try source.inner(at: position, key)
        }
        let value = try read(inner)
        position = following
        currentIndex += 1
        return value
    }

    private func packedNumber(_ element: BinaryElement) throws -> [UInt8] {
        let message = source.message
        func load<Number: BitwiseCopyable>(_ type: Number.Type) throws -> Number {
            try message.memory(type, at: position, end)
        }
        let node = BinaryNode(BinarySession(userInfo: [:]))
        switch element {
        case .uint8: node.write(try load(UInt8.self))
        case .uint16: node.write(try load(UInt16.self))
        case .uint32: node.write(try load(UInt32.self))
        case .uint64: node.write(try load(UInt64.self))
        case .int8: node.write(try load(Int8.self))
        case .int16: node.write(try load(Int16.self))
        case .int32: node.write(try load(Int32.self))
        case .int64: node.write(try load(Int64.self))
        case .float: node.write(try load(Float.self))
        case .double: node.write(try load(Double.self))
        }
        return node.bytes
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd else { return try next(Any?.self) { _ in nil } == nil }
        guard elements == nil, try source.message.tag(at: position, end) == BinaryTag.null.rawValue else {
            return false
        }
        position += 1
        currentIndex += 1
        return true
    }
    mutating func decode(_ type: Bool.Type) throws -> Bool { try next(type) { try $0.bool() } }
    mutating func decode(_ type: String.Type) throws -> String { try next(type) { try $0.string() } }
    mutating func decode(_ type: Double.Type) throws -> Double { try next(type) { try $0.double() } }
    mutating func decode(_ type: Float.Type) throws -> Float { try next(type) { try $0.float() } }
    mutating func decode(_ type: Int.Type) throws -> Int { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: Int128.Type) throws -> Int128 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try next(type) { try $0.integer(type) } }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try next(type) { try $0.integer(type) } }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next(type) { try $0.read(type) } }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try next(KeyedDecodingContainer<Nested>.self) { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next((any UnkeyedDecodingContainer).self) { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder { try next((any Decoder).self) { $0 } }
}

struct BinarySingleReader: SingleValueDecodingContainer {
    let source: BinarySource

    var codingPath: [any CodingKey] { source.codingPath }

    func decodeNil() -> Bool { source.isNull }
    func decode(_ type: Bool.Type) throws -> Bool { try source.bool() }
    func decode(_ type: String.Type) throws -> String { try source.string() }
    func decode(_ type: Double.Type) throws -> Double { try source.double() }
    func decode(_ type: Float.Type) throws -> Float { try source.float() }
    func decode(_ type: Int.Type) throws -> Int { try source.integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try source.integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try source.integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try source.integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try source.integer(type) }
    func decode(_ type: Int128.Type) throws -> Int128 { try source.integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try source.integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try source.integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try source.integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try source.integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try source.integer(type) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try source.integer(type) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try source.inner(at: source.position, nil).read(type)
    }
}
