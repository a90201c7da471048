// The decoder's keyed container: where the value of each key lies, and reading it.

/// The entries of a keyed container, found once for all of its readers.
final class BinaryEntries {
    let source: BinarySource
    /// The keys' numbers and where their values begin, in the order of the message.
    private var entries: [(key: Int, position: Int)] = []
    /// By key, where looking through them would take long.
    private var index: [Int: Int] = [:]
    /// Values are mostly asked for in the order in which they were written.
    private var expected = 0

    private static let mostSearched = 16

    init(of source: BinarySource) throws {
        self.source = source
        let message = source.message
        guard try message.tag(at: source.position, source.end) == BinaryTag.keyed.rawValue else {
            throw source.mismatch([String: Any].self)
        }
        var position = source.position + 1
        let size = try message.length(at: &position, source.end)
        let end = position + size
        let count = try message.length(at: &position, end)
        // An entry has two bytes at least.
        guard count <= (end - position) / 2 else {
            throw message.corrupted("more entries than bytes", source.codingPath)
        }
        entries.reserveCapacity(count)
        if count > BinaryEntries.mostSearched { index.reserveCapacity(count) }
        for entry in 0..<count {
            let key = try message.varint(at: &position, end)
            guard key < UInt64(message.keys.count) else { throw message.corrupted("an unknown key", source.codingPath) }
            let isNew =
                count > BinaryEntries.mostSearched
                ? index.updateValue(entry, forKey: Int(key)) == nil : !entries.contains { $0.key == key }
            guard isNew else { throw message.corrupted("a key twice", source.codingPath) }
            entries.append((Int(key), position))
            position = try message.endOfValue(at: position, end)
        }
        guard position == end else { throw message.corrupted("bytes behind the last entry", source.codingPath) }
    }

    var names: [String] { entries.map { source.message.keys[$0.key] } }

    func contains(_ key: some CodingKey) -> Bool { entry(of: key) != nil }

    func isNull(_ key: some CodingKey) throws -> Bool {
        try source.inner(at: entries[place(of: key)].position, key).isNull
    }

    func value(of key: some CodingKey) throws -> BinarySource {
        let place = try place(of: key)
        expected = place + 1
        return try source.inner(at: entries[place].position, key)
    }

    private func entry(of key: some CodingKey) -> Int? {
        if expected < entries.count, source.message.keys[entries[expected].key] == key.stringValue { return expected }
        guard let number = source.message.number(of: key) else { return nil }
        return index.isEmpty ? entries.firstIndex { $0.key == number } : index[number]
    }

    private func place(of key: some CodingKey) throws -> Int {
        if let place = entry(of: key) { return place }
        throw DecodingError.keyNotFound(
            key, .init(codingPath: source.codingPath, debugDescription: "there is no \(key.stringValue)"))
    }
}

struct BinaryKeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let entries: BinaryEntries

    init(_ entries: BinaryEntries) { self.entries = entries }

    var codingPath: [any CodingKey] { entries.source.codingPath }
    var allKeys: [Key] { entries.names.compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { entries.contains(key) }

    func decodeNil(forKey key: Key) throws -> Bool { try entries.isNull(key) }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try entries.value(of: key).bool() }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try entries.value(of: key).string() }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try entries.value(of: key).double() }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try entries.value(of: key).float() }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try entries.value(of: key).integer(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try entries.value(of: key).integer(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try entries.value(of: key).integer(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try entries.value(of: key).integer(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try entries.value(of: key).integer(type) }
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try entries.value(of: key).integer(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try entries.value(of: key).integer(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try entries.value(of: key).integer(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try entries.value(of: key).integer(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try entries.value(of: key).integer(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try entries.value(of: key).integer(type) }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try entries.value(of: key).integer(type) }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try entries.value(of: key).read(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try entries.value(of: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try entries.value(of: key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try entries.value(of: BinaryKey.superclass) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try entries.value(of: key) }
}
