// Framings: what is put into a stream comes out of it, however the bytes are cut; and what is no message is found out.
import Testing

@testable import IPC

/// Framings of all kinds.
let framings: [Framing] = [
    .lines, .lines(endingWith: .carriageReturnLineFeed), .dotTerminated, .dotTerminated(endingWith: .lineFeed),
    .lengthPrefixed(by: UInt8.self), .lengthPrefixed(by: UInt16.self, .littleEndian), .lengthPrefixed(by: UInt32.self),
    .lengthPrefixed(by: UInt64.self, .littleEndian), .delimiter([0]), .delimiter([13, 10, 13, 10]),
    .delimiter([1, 1, 2]),
    .nullTerminated, .untilEnd,
]

struct MessageScannerTests {
    /// Pieces of random lengths, many of them of one byte.
    static func cut(_ bytes: [UInt8], _ chance: inout Chance) -> [ArraySlice<UInt8>] {
        var (pieces, rest): ([ArraySlice<UInt8>], ArraySlice<UInt8>) = ([], bytes[...])
        while !rest.isEmpty {
            let count = min(rest.count, Bool.random(using: &chance) ? 1 : Int.random(in: 1...9, using: &chance))
            pieces.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    @Test("S-52: any split of the bytes gives the same messages, or the same error", arguments: framings)
    func anySplit(_ framing: Framing) {
        var chance = Chance(seed: 52)
        // Bytes that mean something to some framing, so that ends, dots and lengths come often.
        let alphabet: [UInt8] = [0, 0, 1, 1, 2, 3, 10, 10, 13, 13, 46, 46, 97, 255]
        for _ in 0..<3000 {
            let count = Int.random(in: 0...60, using: &chance)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &chance) ?? 0 }
            let limit = Int.random(in: 0...20, using: &chance)
            let whole = framing.messages(in: [bytes[...]], limit: limit)
            for _ in 0..<3 {
                let split = framing.messages(in: Self.cut(bytes, &chance), limit: limit)
                // An error can be known before the stream has ended, and is then another one of the same bytes.
                check(split == whole, "\(bytes) limit \(limit): \(split) is \(whole)")
            }
        }
    }

    @Test("S-52: what is sent comes out again, or is refused", arguments: framings)
    func roundTrip(_ framing: Framing) throws {
        var chance = Chance(seed: 53)
        let alphabet: [UInt8] = [0, 1, 2, 10, 13, 46, 97, 98, 200]
        var refused = 0
        for _ in 0..<3000 {
            let count = Int.random(in: 0...12, using: &chance)
            let message = (0..<count).map { _ in alphabet.randomElement(using: &chance) ?? 0 }
            let frame: [UInt8]
            do { frame = try framing.framed(message.span.bytes) } catch {
                refused += 1
                continue
            }
            let back = framing.messages(in: Self.cut(frame, &chance), limit: 100)
            let expected =
                switch framing.form {
                case .dotTerminated(let end): "\(normalised(message, end))"
                default: "\(message)"
                }
            check(back == (framing == .untilEnd && message.isEmpty ? [] : [expected]), "\(message): \(frame), \(back)")
        }
        switch framing.form {
        case .lines, .delimiter: #expect(refused > 0)
        default: #expect(refused == 0)
        }
    }

    /// A text whose lines all have the end that they are sent with.
    private func normalised(_ text: [UInt8], _ end: Framing.LineEnd) -> [UInt8] {
        var lines = text.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
        for index in lines.indices.dropLast() where lines[index].last == 13 { lines[index].removeLast() }
        if lines.last == [] { lines.removeLast() }
        return lines.flatMap { $0 + end.bytes }
    }

    @Test("S-52: dots at the beginning of lines are doubled on the way")
    func stuffing() throws {
        let framed = try Framing.dotTerminated.framed("a\n.b\n.\n..\nc".utf8.span.bytes)
        let empty = try Framing.dotTerminated.framed("".utf8.span.bytes)
        #expect(String(decoding: framed, as: UTF8.self) == "a\r\n..b\r\n..\r\n...\r\nc\r\n.\r\n")
        #expect(String(decoding: empty, as: UTF8.self) == ".\r\n")
    }

    @Test("G1: a length beyond the limit is refused as soon as it is announced")
    func announced() {
        let header: [UInt8] = [255, 255, 255, 255, 255, 255, 255, 255]
        for framing in [Framing.lengthPrefixed(by: UInt64.self), .lengthPrefixed(by: UInt32.self)] {
            #expect(framing.messages(in: [header[...]], limit: .max - 8) != [])
            #expect(framing.messages(in: [header[...]], limit: 1 << 20) == ["tooLong"])
        }
    }

    @Test("S-52: a limit is the most bytes that a message may have", arguments: framings)
    func limits(_ framing: Framing) throws {
        // With the end of its line, eleven or twelve bytes.
        let message = Array("0123456789".utf8)
        let length: Int
        if case .dotTerminated(let end) = framing.form { length = 10 + end.bytes.count } else { length = 10 }
        let frame = try framing.framed(message.span.bytes)
        #expect(framing.messages(in: [frame[...]], limit: length).count == 1)
        #expect(framing.messages(in: [frame[...]], limit: length) != ["tooLong"])
        #expect(framing.messages(in: [frame[...]], limit: length - 1) == ["tooLong"])
    }

    @Test("G2: a stream that ends in the middle of a message says so", arguments: framings)
    func truncated(_ framing: Framing) throws {
        let frame = try framing.framed([97, 98, 99])
        for count in 1..<frame.count {
            let outcome = framing.messages(in: [frame[..<count]], limit: 100)
            switch framing.form {
            case .lines, .untilEnd: #expect(outcome.count == 1, "what is there is a message")
            default: #expect(outcome == ["truncated(after: \(count))"])
            }
        }
    }
}

extension Framing {
    fileprivate func framed(_ bytes: [UInt8]) throws -> [UInt8] { try framed(bytes.span.bytes) }
}
