// The bytes of the binary coder: what each value looks like, and the parts that writing and reading share.
//
// A message is the table of the keys that occur in it (their number, then each as length and UTF-8), and one value. A
// value is a tag and what follows it. Containers say how many bytes they have, so that one can be passed over unread; in
// a keyed one each value stands behind its key's number in the table. Lengths and numbers are varints, seven bits to a
// byte, the lowest first. Floating-point numbers and packed arrays are in the machine's own order, since both ends are
// on one machine.

/// What a value is. From `0x80` on the tag itself is the value: an integer from 0 to 127.
enum BinaryTag: UInt8 {
    case null = 0
    case no, yes
    /// A varint.
    case positive
    /// The complement of a negative number, as a varint.
    case negative
    /// Sixteen bytes.
    case wideSigned, wideUnsigned
    case float, double
    /// Length, UTF-8.
    case string
    /// Kind of the elements, their number, the elements.
    case packed
    /// Length of the rest, number of entries, each a key's number and a value.
    case keyed
    /// Length of the rest, number of values, the values.
    case unkeyed

    static let smallInteger: UInt8 = 0x80
}

/// What the elements of a packed array are.
enum BinaryElement: UInt8 {
    case uint8, uint16, uint32, uint64, int8, int16, int32, int64, float, double

    var size: Int {
        switch self {
        case .uint8, .int8: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float: 4
        case .uint64, .int64, .double: 8
        }
    }
}

/// A number whose arrays are packed.
protocol BinaryPackable: BitwiseCopyable, Codable {
    static var binaryElement: BinaryElement { get }
    static var zero: Self { get }
}

extension UInt8: BinaryPackable { static var binaryElement: BinaryElement { .uint8 } }
extension UInt16: BinaryPackable { static var binaryElement: BinaryElement { .uint16 } }
extension UInt32: BinaryPackable { static var binaryElement: BinaryElement { .uint32 } }
extension UInt64: BinaryPackable { static var binaryElement: BinaryElement { .uint64 } }
extension UInt: BinaryPackable { static var binaryElement: BinaryElement { .uint64 } }
extension Int8: BinaryPackable { static var binaryElement: BinaryElement { .int8 } }
extension Int16: BinaryPackable { static var binaryElement: BinaryElement { .int16 } }
extension Int32: BinaryPackable { static var binaryElement: BinaryElement { .int32 } }
extension Int64: BinaryPackable { static var binaryElement: BinaryElement { .int64 } }
extension Int: BinaryPackable { static var binaryElement: BinaryElement { .int64 } }
extension Float: BinaryPackable { static var binaryElement: BinaryElement { .float } }
extension Double: BinaryPackable { static var binaryElement: BinaryElement { .double } }

enum BinaryLimits {
    /// So deep may values lie in one another. Coding is recursive, and a stack has an end.
    static let depth = 256
}

/// A key of a container that has none of its own: `super`, and the places in an unkeyed container.
struct BinaryKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) { (self.stringValue, intValue) = (stringValue, nil) }
    init(intValue: Int) { (stringValue, self.intValue) = ("\(intValue)", intValue) }

    static let superclass = BinaryKey(stringValue: "super")
}

extension [UInt8] {
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(text: String) {
        var text = text
        text.withUTF8 {
            append(varint: UInt64($0.count))
            append(contentsOf: $0)
        }
    }

    mutating func append(memoryOf value: some BitwiseCopyable) {
        Swift.withUnsafeBytes(of: value) { append(contentsOf: $0) }
    }
}
