// Values of every shape that Codable knows, made at random, for the tests of the binary coder.

/// A type of values to be tested, with a way to make one.
struct CodedCase: Sendable, CustomStringConvertible {
    let description: String
    /// Encodes a random value, decodes the bytes; what is not right, in words.
    let roundTrip: @Sendable (inout Chance) throws -> String?
    /// The bytes of a random value.
    let encode: @Sendable (inout Chance) throws -> [UInt8]
    /// Decodes bytes, whatever they are.
    let decode: @Sendable ([UInt8]) throws -> Void
}

struct Flat: Codable, Equatable {
    var name: String
    var number: Int
    var ratio: Double
    var isSet: Bool
    var note: String?
    var bytes: [UInt8]
}

struct Tree: Codable, Equatable {
    var label: String
    var children: [Tree]
    var weights: [String: Double]
    var unset: Int?
}

enum Choice: Codable, Equatable {
    case nothing
    case one(Int8)
    case two(left: String, right: [Float])
    indirect case more(Choice, count: UInt64)
}

enum Color: String, Codable { case red, green }
enum Level: Int, Codable {
    case low = -3
    case high = 300
}
struct Empty: Codable, Equatable {}

struct Numbers: Codable, Equatable {
    var a: Int8, b: Int16, c: Int32, d: Int64, e: Int
    var f: UInt8, g: UInt16, h: UInt32, i: UInt64, j: UInt
    var k: Int128, l: UInt128, m: Float, n: Double
}

class Base: Codable, Equatable {
    var first: Int
    init(_ first: Int) { self.first = first }
    func equals(_ other: Base) -> Bool { first == other.first }
    static func == (one: Base, other: Base) -> Bool { one.equals(other) }
}

/// A subclass, whose superclass has an encoder of its own.
final class Derived: Base {
    var second: String
    private enum CodingKeys: CodingKey { case second }

    init(_ first: Int, _ second: String) {
        self.second = second
        super.init(first)
    }

    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        second = try container.decode(String.self, forKey: .second)
        try super.init(from: container.superDecoder())
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try super.encode(to: container.superEncoder())
        try container.encode(second, forKey: .second)
    }

    override func equals(_ other: Base) -> Bool {
        super.equals(other) && (other as? Derived)?.second == second
    }
}

/// Containers in containers by hand, filled in turns.
struct ByHand: Codable, Equatable {
    var left: [Int]
    var right: [String?]
    private enum Keys: CodingKey { case left, right, both }

    init(left: [Int], right: [String?]) { (self.left, self.right) = (left, right) }

    init(from decoder: any Decoder) throws {
        let outer = try decoder.container(keyedBy: Keys.self)
        var both = try outer.nestedUnkeyedContainer(forKey: .both)
        var first = try both.nestedUnkeyedContainer()
        left = []
        while !first.isAtEnd { left.append(try first.decode(Int.self)) }
        let second = try both.nestedContainer(keyedBy: Keys.self)
        var texts = try second.nestedUnkeyedContainer(forKey: .right)
        right = []
        while !texts.isAtEnd { right.append(try texts.decodeNil() ? nil : try texts.decode(String.self)) }
    }

    func encode(to encoder: any Encoder) throws {
        var outer = encoder.container(keyedBy: Keys.self)
        var both = outer.nestedUnkeyedContainer(forKey: .both)
        var first = both.nestedUnkeyedContainer()
        var second = both.nestedContainer(keyedBy: Keys.self)
        var texts = second.nestedUnkeyedContainer(forKey: .right)
        for index in 0..<max(left.count, right.count) {
            if index < right.count {
                if let text = right[index] { try texts.encode(text) } else { try texts.encodeNil() }
            }
            if index < left.count { try first.encode(left[index]) }
        }
    }
}

extension Chance {
    mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number {
        switch Int.random(in: 0..<5, using: &self) {
        case 0: .min
        case 1: .max
        case 2: Number(truncatingIfNeeded: Int.random(in: -3...130, using: &self))
        default: Number(truncatingIfNeeded: UInt128(next()) << 64 | UInt128(next()))
        }
    }

    mutating func text() -> String {
        let pieces = ["", "a", "name", "\0", "ü", "日本", "👩‍👩‍👧", "\u{301}", "\"\\\n", String(repeating: "x", count: 200)]
        return (0..<Int.random(in: 0..<4, using: &self)).map { _ in pieces.randomElement(using: &self) ?? "" }.joined()
    }

    mutating func list<Element>(_ most: Int = 5, _ make: (inout Chance) -> Element) -> [Element] {
        (0..<Int.random(in: 0...most, using: &self)).map { _ in make(&self) }
    }

    mutating func tree(_ depth: Int = 3) -> Tree {
        Tree(
            label: text(), children: depth == 0 ? [] : list(3) { $0.tree(depth - 1) },
            weights: Dictionary(list { ($0.text(), Double($0.number(Int32.self))) }) { $1 },
            unset: Bool.random(using: &self) ? number() : nil)
    }

    mutating func choice(_ depth: Int = 3) -> Choice {
        switch Int.random(in: 0..<(depth == 0 ? 3 : 4), using: &self) {
        case 0: .nothing
        case 1: .one(number())
        case 2: .two(left: text(), right: list { Float($0.number(Int16.self)) / 3 })
        default: .more(choice(depth - 1), count: number())
        }
    }
}
