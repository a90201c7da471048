// The encoder's three containers, as Codable asks for them.

extension BinaryNode: Encoder {
    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        become(.keyed)
        return KeyedEncodingContainer(BinaryKeyedWriter<Key>(node: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        become(.unkeyed)
        return BinaryUnkeyedWriter(node: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        become(.single)
        return BinarySingleWriter(node: self)
    }
}

private struct BinaryKeyedWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: BinaryNode

    var codingPath: [any CodingKey] { node.codingPath }

    @inline(__always)
    private func entry(_ key: some CodingKey) -> BinaryNode {
        node.begin(key)
        return node
    }

    func encodeNil(forKey key: Key) { entry(key).writeNull() }
    func encode(_ value: Bool, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: String, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: Double, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: Float, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: Int, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: Int8, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: Int16, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: Int32, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: Int64, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: Int128, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: UInt, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: UInt8, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: UInt16, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: UInt32, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: UInt64, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: UInt128, forKey key: Key) { entry(key).write(value) }
    func encode(_ value: some Encodable, forKey key: Key) throws {
        try node.whole { try entry(key).write(value, key) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(BinaryKeyedWriter<Nested>(node: entry(key).open(.keyed, key)))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        BinaryUnkeyedWriter(node: entry(key).open(.unkeyed, key))
    }

    func superEncoder() -> any Encoder { entry(BinaryKey.superclass).open(.undecided, BinaryKey.superclass) }
    func superEncoder(forKey key: Key) -> any Encoder { entry(key).open(.undecided, key) }
}

private struct BinaryUnkeyedWriter: UnkeyedEncodingContainer {
    let node: BinaryNode

    var codingPath: [any CodingKey] { node.codingPath }
    var count: Int { node.count }
    private var key: BinaryKey { BinaryKey(intValue: node.count - 1) }

    @inline(__always)
    private func next() -> BinaryNode {
        node.beginNext()
        return node
    }

    func encodeNil() { next().writeNull() }
    func encode(_ value: Bool) { next().write(value) }
    func encode(_ value: String) { next().write(value) }
    func encode(_ value: Double) { next().write(value) }
    func encode(_ value: Float) { next().write(value) }
    func encode(_ value: Int) { next().write(value) }
    func encode(_ value: Int8) { next().write(value) }
    func encode(_ value: Int16) { next().write(value) }
    func encode(_ value: Int32) { next().write(value) }
    func encode(_ value: Int64) { next().write(value) }
    func encode(_ value: Int128) { next().write(value) }
    func encode(_ value: UInt) { next().write(value) }
    func encode(_ value: UInt8) { next().write(value) }
    func encode(_ value: UInt16) { next().write(value) }
    func encode(_ value: UInt32) { next().write(value) }
    func encode(_ value: UInt64) { next().write(value) }
    func encode(_ value: UInt128) { next().write(value) }
    func encode(_ value: some Encodable) throws {
        try node.whole { try next().write(value, key) }
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(BinaryKeyedWriter<Nested>(node: next().open(.keyed, key)))
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        BinaryUnkeyedWriter(node: next().open(.unkeyed, key))
    }

    func superEncoder() -> any Encoder { next().open(.undecided, key) }
}

private struct BinarySingleWriter: SingleValueEncodingContainer {
    let node: BinaryNode

    var codingPath: [any CodingKey] { node.codingPath }

    func encodeNil() { node.writeNull() }
    func encode(_ value: Bool) { node.write(value) }
    func encode(_ value: String) { node.write(value) }
    func encode(_ value: Double) { node.write(value) }
    func encode(_ value: Float) { node.write(value) }
    func encode(_ value: Int) { node.write(value) }
    func encode(_ value: Int8) { node.write(value) }
    func encode(_ value: Int16) { node.write(value) }
    func encode(_ value: Int32) { node.write(value) }
    func encode(_ value: Int64) { node.write(value) }
    func encode(_ value: Int128) { node.write(value) }
    func encode(_ value: UInt) { node.write(value) }
    func encode(_ value: UInt8) { node.write(value) }
    func encode(_ value: UInt16) { node.write(value) }
    func encode(_ value: UInt32) { node.write(value) }
    func encode(_ value: UInt64) { node.write(value) }
    func encode(_ value: UInt128) { node.write(value) }
    func encode(_ value: some Encodable) throws { try node.write(value, nil) }
}
