// Encodable values as bytes: a compact form for messages between processes of one machine.

/// Writes values of `Encodable` types as bytes that ``BinaryDecoder`` reads.
///
/// Fields keep their names, so that optional ones may be missing and superclasses, enumerations and dictionaries work as
/// with every coder. `[UInt8]` and arrays of other numbers are copied as they lie in memory.
struct BinaryEncoder {
    /// What the values' own `encode(to:)` can ask for.
    var userInfo: [CodingUserInfoKey: any Sendable] = [:]

    /// The bytes of a value.
    ///
    /// - Throws: what the value's `encode(to:)` throws; `EncodingError` for values nested deeper than 256.
    func encode(_ value: some Encodable) throws -> [UInt8] {
        let session = BinarySession(userInfo: userInfo)
        let root = BinaryNode(session)
        try root.write(value, nil)
        var message: [UInt8] = []
        message.reserveCapacity(root.bytes.count + session.keys.count * 16 + 8)
        message.append(varint: UInt64(session.keys.count))
        for key in session.keys { message.append(text: key) }
        message += root.bytes
        return message
    }
}

/// What all nodes of one message share.
final class BinarySession {
    let userInfo: [CodingUserInfoKey: any Sendable]
    /// The keys in the order of their first use.
    private(set) var keys: [String] = []
    private var numbers: [String: Int] = [:]

    init(userInfo: [CodingUserInfoKey: any Sendable]) { self.userInfo = userInfo }

    func number(of key: String) -> Int {
        if let number = numbers[key] { return number }
        numbers[key] = keys.count
        keys.append(key)
        return keys.count - 1
    }
}

/// One value on its way to bytes: the encoder that its `encode(to:)` gets, and the container that it asks for.
///
/// What is known goes straight into `bytes`. Containers that may still grow while their neighbours are written are kept
/// beside them, with their places.
final class BinaryNode {
    enum Kind {
        case undecided, single, keyed, unkeyed
    }

    private(set) var kind = Kind.undecided
    private(set) var bytes: [UInt8] = []
    private(set) var count = 0
    private var open: [(offset: Int, node: BinaryNode)] = []
    private let session: BinarySession
    private let parent: BinaryNode?
    private let key: (any CodingKey)?
    private let depth: Int

    init(_ session: BinarySession, in parent: BinaryNode? = nil, at key: (any CodingKey)? = nil) {
        self.session = session
        self.parent = parent
        self.key = key
        depth = (parent?.depth ?? 0) + 1
    }

    var userInfo: [CodingUserInfoKey: Any] { session.userInfo }

    var codingPath: [any CodingKey] {
        var path: [any CodingKey] = []
        var node: BinaryNode? = self
        while let current = node {
            if let key = current.key { path.append(key) }
            node = current.parent
        }
        return path.reversed()
    }

    /// The value becomes a container of a kind; asking for the same kind again goes on with it.
    func become(_ wanted: Kind) {
        if kind == .undecided { kind = wanted }
    }

    // MARK: Writing

    /// The key of the next value in a keyed container.
    @inline(__always)
    func begin(_ key: some CodingKey) {
        bytes.append(varint: UInt64(session.number(of: key.stringValue)))
        count += 1
    }

    /// One more value in an unkeyed container.
    @inline(__always)
    func beginNext() { count += 1 }

    /// Takes back what an entry has written if its value cannot be encoded.
    func whole(_ entry: () throws -> Void) rethrows {
        let before = (bytes.count, open.count, count)
        do { try entry() } catch {
            bytes.removeLast(bytes.count - before.0)
            open.removeLast(open.count - before.1)
            count = before.2
            throw error
        }
    }

    func write<Value: Encodable>(_ value: Value, _ key: (any CodingKey)?) throws {
        if writeKnown(value) { return }
        try checkDepth(of: value)
        let node = BinaryNode(session, in: self, at: key)
        try value.encode(to: node)
        node.appendWhole(to: &bytes)
    }

    /// A container that is filled while others are written.
    func open(_ kind: Kind, _ key: (any CodingKey)?) -> BinaryNode {
        let node = BinaryNode(session, in: self, at: key)
        node.become(kind)
        open.append((bytes.count, node))
        return node
    }

    private func checkDepth(of value: Any) throws {
        guard depth > BinaryLimits.depth else { return }
        throw EncodingError.invalidValue(
            value, .init(codingPath: codingPath, debugDescription: "nested deeper than \(BinaryLimits.depth)"))
    }

    /// Adds the finished value to the bytes of the one around it.
    private func appendWhole(to target: inout [UInt8]) {
        if !open.isEmpty { insertOpen() }
        if kind == .single {
            // Who asks for a container of one value and writes none has nothing to say.
            if bytes.isEmpty { writeNull() }
            target += bytes
            return
        }
        // A value that has asked for nothing has no fields.
        let tag: BinaryTag = kind == .unkeyed ? .unkeyed : .keyed
        var number: [UInt8] = []
        number.append(varint: UInt64(count))
        target.append(tag.rawValue)
        target.append(varint: UInt64(number.count + bytes.count))
        target += number
        target += bytes
    }

    private func insertOpen() {
        var all: [UInt8] = []
        var done = 0
        for (offset, node) in open {
            all += bytes[done..<offset]
            node.appendWhole(to: &all)
            done = offset
        }
        bytes = all + bytes[done...]
        open = []
    }

    // MARK: What has no parts

    func writeNull() { bytes.append(BinaryTag.null.rawValue) }

    func write(_ value: Bool) { bytes.append((value ? BinaryTag.yes : .no).rawValue) }

    func write(_ value: some FixedWidthInteger) {
        if let small = UInt64(exactly: value) {
            if small < 0x80 { return bytes.append(UInt8(small) | BinaryTag.smallInteger) }
            bytes.append(BinaryTag.positive.rawValue)
            bytes.append(varint: small)
        } else if let negative = Int64(exactly: value) {
            bytes.append(BinaryTag.negative.rawValue)
            bytes.append(varint: UInt64(bitPattern: ~negative))
        } else if let wide = Int128(exactly: value) {
            bytes.append(BinaryTag.wideSigned.rawValue)
            bytes.append(memoryOf: wide)
        } else {
            bytes.append(BinaryTag.wideUnsigned.rawValue)
            bytes.append(memoryOf: UInt128(truncatingIfNeeded: value))
        }
    }

    func write(_ value: Float) {
        bytes.append(BinaryTag.float.rawValue)
        bytes.append(memoryOf: value)
    }

    func write(_ value: Double) {
        bytes.append(BinaryTag.double.rawValue)
        bytes.append(memoryOf: value)
    }

    func write(_ value: String) {
        bytes.append(BinaryTag.string.rawValue)
        bytes.append(text: value)
    }

    func write<Element: BinaryPackable>(_ array: [Element]) {
        bytes.append(BinaryTag.packed.rawValue)
        bytes.append(Element.binaryElement.rawValue)
        bytes.append(varint: UInt64(array.count))
        array.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// Writes a value of a type that this coder knows; `false` for all others.
    private func writeKnown<Value: Encodable>(_ value: Value) -> Bool {
        if let value = identical(value, String.self) {
            write(value)
        } else if let value = identical(value, Int.self) {
            write(value)
        } else if let value = identical(value, Double.self) {
            write(value)
        } else if let value = identical(value, Bool.self) {
            write(value)
        } else {
            return BinaryPacking.write(value, to: self)
        }
        return true
    }
}
