// The binary coder: every value comes back, and no bytes whatever do harm.
import Testing

@testable import IPC

struct BinaryCoderTests {
    private static func values<Value: Codable & Equatable & SendableMetatype>(
        _ name: String, _ make: @escaping @Sendable (inout Chance) -> Value
    ) -> CodedCase {
        CodedCase(
            description: name,
            roundTrip: { chance in
                let value = make(&chance)
                let back = try BinaryDecoder().decode(Value.self, from: try BinaryEncoder().encode(value))
                return back == value ? nil : "\(value) came back as \(back)"
            },
            encode: { chance in try BinaryEncoder().encode(make(&chance)) },
            decode: { bytes in _ = try BinaryDecoder().decode(Value.self, from: bytes) })
    }

    static let cases: [CodedCase] = [
        values("Int") { $0.number(Int.self) },
        values("UInt128") { $0.number(UInt128.self) },
        values("String") { $0.text() },
        values("Bool") { Bool.random(using: &$0) },
        values("Double") { Double(bitPattern: $0.next() >> 2) },
        values("optional") { Bool.random(using: &$0) ? $0.text() : nil as String? },
        values("bytes") { chance in chance.bytes(Int.random(in: 0...300, using: &chance)) },
        values("[Int]") { $0.list(20) { $0.number(Int.self) } },
        values("[UInt16]") { $0.list(20) { $0.number(UInt16.self) } },
        values("[Float]") { $0.list(20) { Float($0.number(Int16.self)) } },
        values("[String?]") { $0.list(20) { Bool.random(using: &$0) ? $0.text() : nil } },
        values("[[Int8]]") { $0.list { $0.list { $0.number(Int8.self) } } },
        values("[Bool]") { $0.list { Bool.random(using: &$0) } },
        values("Set<Int>") { Set($0.list { $0.number(Int.self) }) },
        values("Set<String>") { Set($0.list { $0.text() }) },
        values("[String: Int]") { Dictionary($0.list(40) { ($0.text(), $0.number(Int.self)) }) { $1 } },
        values("[Int: String]") { Dictionary($0.list(40) { ($0.number(Int.self), $0.text()) }) { $1 } },
        values("[Color: [Int]]") { [Color.green: $0.list { $0.number(Int.self) }] },
        values("Range") { 1..<Int(UInt8($0.number(UInt8.self))) + 2 },
        values("Duration") { Duration.nanoseconds($0.number(Int64.self)) },
        values("Level") { Bool.random(using: &$0) ? Level.low : .high },
        values("Empty") { _ in Empty() },
        values("[Empty]") { $0.list { _ in Empty() } },
        values("Flat") { chance in
            Flat(
                name: chance.text(), number: chance.number(), ratio: 0.1, isSet: true,
                note: Bool.random(using: &chance) ? chance.text() : nil, bytes: chance.bytes(5))
        },
        values("Numbers") { chance in
            Numbers(
                a: chance.number(), b: chance.number(), c: chance.number(), d: chance.number(), e: chance.number(),
                f: chance.number(), g: chance.number(), h: chance.number(), i: chance.number(), j: chance.number(),
                k: chance.number(), l: chance.number(), m: .infinity, n: -.leastNonzeroMagnitude)
        },
        values("Tree") { $0.tree() },
        values("Choice") { $0.choice() },
        values("[Choice]") { $0.list { $0.choice() } },
        values("class and superclass") { Derived($0.number(), $0.text()) },
        values("containers by hand") { chance in
            ByHand(
                left: chance.list { $0.number(Int.self) },
                right: chance.list { Bool.random(using: &$0) ? $0.text() : nil })
        },
    ]

    @Test("S-34: values of all shapes come back as they went", arguments: cases)
    func roundTrip(_ values: CodedCase) throws {
        for seed in 0..<100 as Range<UInt64> {
            var chance = Chance(seed: seed)
            if let difference = try values.roundTrip(&chance) { Issue.record("seed \(seed): \(difference)") }
        }
    }

    /// Bytes that give a value or a `DecodingError` are right; anything else is not.
    private func expectHarmless(_ values: CodedCase, _ bytes: [UInt8], _ what: @autoclosure () -> String) {
        do { try values.decode(bytes) } catch is DecodingError {} catch {
            Issue.record("\(values): \(what()): \(error)")
        }
    }

    @Test("S-34: a message cut anywhere gives an error, since a part is never the whole", arguments: cases)
    func cut(_ values: CodedCase) throws {
        for seed in 0..<8 as Range<UInt64> {
            var chance = Chance(seed: seed)
            let bytes = try values.encode(&chance)
            for end in 0..<bytes.count {
                do {
                    try values.decode(Array(bytes[..<end]))
                    Issue.record("\(values), seed \(seed): \(end) of \(bytes.count) bytes gave a value")
                } catch is DecodingError {} catch { Issue.record("\(values): \(error)") }
            }
        }
    }

    @Test("S-34: a message with a byte changed gives a value or an error", arguments: cases)
    func changed(_ values: CodedCase) throws {
        for seed in 0..<2 as Range<UInt64> {
            var chance = Chance(seed: seed)
            let bytes = try values.encode(&chance)
            for place in 0..<min(bytes.count, 400) {
                for change in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] as [UInt8] {
                    var other = bytes
                    other[place] ^= change
                    expectHarmless(values, other, "byte \(place) ^ \(change), seed \(seed)")
                }
            }
        }
    }

    @Test("S-34: random bytes, and messages of another type, give a value or an error", arguments: cases)
    func foreign(_ values: CodedCase) throws {
        var chance = Chance(seed: 7)
        for _ in 0..<200 {
            expectHarmless(values, [0] + chance.bytes(Int.random(in: 0...40, using: &chance)), "random bytes")
        }
        for other in BinaryCoderTests.cases { expectHarmless(values, try other.encode(&chance), "\(other)") }
    }

    @Test("S-34: a length beyond the end is refused before memory is taken for it")
    func lengths() {
        let huge: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
        for tag in [BinaryTag.string, .keyed, .unkeyed] {
            #expect(throws: DecodingError.self) {
                try BinaryDecoder().decode([String].self, from: [0, tag.rawValue] + huge)
            }
        }
        for element in UInt8(0)..<12 {
            #expect(throws: DecodingError.self) {
                try BinaryDecoder().decode([Int].self, from: [0, BinaryTag.packed.rawValue, element] + huge)
            }
        }
        #expect(throws: DecodingError.self) { try BinaryDecoder().decode(Int.self, from: huge) }
        #expect(throws: DecodingError.self) { try BinaryDecoder().decode(Int.self, from: []) }
    }

    private struct Link: Codable { var next: [Link] }

    @Test("S-34: nesting has a limit on both sides, and no message is deep enough to end the stack")
    func depth() throws {
        var link = Link(next: [])
        for _ in 0..<1000 { link = Link(next: [link]) }
        #expect(throws: EncodingError.self) { try BinaryEncoder().encode(link) }
        // Written by hand: a list of a list of a list ...
        var bytes: [UInt8] = [BinaryTag.unkeyed.rawValue, 1, 0]
        for _ in 0..<20_000 {
            var head: [UInt8] = [BinaryTag.unkeyed.rawValue]
            head.append(varint: UInt64(bytes.count + 1))
            bytes = head + [1] + bytes
        }
        struct List: Decodable {
            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                while !container.isAtEnd { _ = try container.decode(List.self) }
            }
        }
        let message = [0] + bytes
        #expect(throws: DecodingError.self) { try BinaryDecoder().decode(List.self, from: message) }
    }

    @Test("S-34: fields may be missing, added and in another order, as with every coder")
    func evolution() throws {
        struct Old: Codable, Equatable {
            var name: String
            var extra: [Int]
            var number: Int
        }
        struct New: Codable, Equatable {
            var number: Int
            var later: String?
            var name: String
        }
        let bytes = try BinaryEncoder().encode(Old(name: "n", extra: [1, 2], number: 5))
        #expect(try BinaryDecoder().decode(New.self, from: bytes) == New(number: 5, later: nil, name: "n"))
        let error = #expect(throws: DecodingError.self) {
            try BinaryDecoder().decode(Old.self, from: BinaryEncoder().encode(New(number: 1, name: "")))
        }
        guard case .keyNotFound(let key, _) = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(key.stringValue == "extra")
    }

    @Test("S-34: numbers that do not fit are refused, with the place where they lie")
    func overflow() throws {
        let bytes = try BinaryEncoder().encode(["a": [300]])
        #expect(try BinaryDecoder().decode([String: [UInt16]].self, from: bytes) == ["a": [300]])
        let error = #expect(throws: DecodingError.self) {
            try BinaryDecoder().decode([String: [UInt8]].self, from: bytes)
        }
        #expect("\(error.map(String.init(reflecting:)) ?? "")".contains("UInt8"))
        #expect(throws: DecodingError.self) {
            try BinaryDecoder().decode(UInt.self, from: BinaryEncoder().encode(-1))
        }
    }

    @Test("S-34: bytes cost what they are, and structures not much more than their contents")
    func size() throws {
        #expect(try BinaryEncoder().encode([UInt8](repeating: 0, count: 1_000_000)).count < 1_000_010)
        let one = try BinaryEncoder().encode(["name": 1, "other": 2])
        #expect(one.count < 24)
        let rows = (0..<100).map { Tree(label: "\($0)", children: [], weights: [:], unset: nil) }
        #expect(try BinaryEncoder().encode(rows).count < 100 * 20 + 40)
    }
}
