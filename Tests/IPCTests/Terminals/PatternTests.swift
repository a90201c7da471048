// The patterns that terminals are searched with: their language, and that any cut of the bytes finds the same.
import Testing

@testable import IPC

/// Searches a text that comes in pieces and then ends.
func search(
    _ patterns: TerminalPattern..., in pieces: [[UInt8]], skippingEscapes: Bool = false
) throws -> (index: Int, before: String, text: String, captures: [String?])? {
    let compiled = try TerminalPatterns(patterns)
    let program = try #require(compiled.program)
    var search = PatternSearch(program, from: 0, after: 10, skippingEscapes: skippingEscapes)
    var bytes: [UInt8] = []
    for index in 0...pieces.count {
        let isEnd = index == pieces.count
        if !isEnd { bytes += pieces[index] }
        var found: PatternSearch.Found?
        repeat { found = bytes.withUnsafeBytes { search.feed($0, at: 0, isEnd: isEnd) } } while search.isUnfinished
        guard let found else { continue }
        var look = PatternCaptures(program, found, found.range, isEnd: isEnd, skippingEscapes: skippingEscapes)
        var captures: [Range<Int>?]?
        while captures == nil { captures = bytes.withUnsafeBytes { look.find($0, instructionsAtOnce: 1000) } }
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        return (
            compiled.places[found.pattern], text(0..<found.range.lowerBound), text(found.range),
            (captures ?? []).map { $0.map(text) }
        )
    }
    return nil
}

@Suite struct PatternTests {
    /// Pattern, text, what it matches there; `nil` for nothing.
    private static let cases: [(String, String, String?)] = [
        ("abc", "xxabcx", "abc"), ("a.c", "a\nc abc", "abc"), ("(?s)a.c", "a\nc", "a\nc"),
        ("[a-c]+", "xxabcabx", "abcab"), ("[^a-c]+", "abxyzc", "xyz"), ("[]a]+", "x]a]", "]a]"),
        ("[a-]+", "x-a-", "-a-"), (#"\d{2,3}"#, "1 12345", "123"), (#"\d{2,3}?"#, "1 12345", "12"),
        ("a*?b", "aaab", "aaab"), ("a|ab", "ab", "a"), ("ab|a", "ab", "ab"), ("(a|ab)(c|bcd)", "abcd", "abcd"),
        ("^b", "ab\nb", "b"), ("^b", "ab", nil), ("a$", "ab\na\r\n", "a"), ("a$", "ab", nil), ("a$", "ba", "a"),
        (#"\bfoo\b"#, "food foo", "foo"), (#"\Boo"#, "oo foo", "oo"), (#"\Aa"#, "ba", nil), (#"a\z"#, "a\na", "a"),
        ("(?i)pass(word|phrase)", "PassWord", "PassWord"), ("(?i:a)b", "Ab", "Ab"), ("(?i:a)b", "AB", nil),
        ("(?i)ä", "Ä", "Ä"), ("ä+", "xääy", "ää"), ("[à-ü]+", "xäéz", "äé"), (#"\w+"#, "-été-", "été"),
        (#"\x41\u0042\u{43}\x{44}"#, "ABCD", "ABCD"), (#"\$ $"#, "user$ ", "$ "), (#"a\.b"#, "axb a.b", "a.b"),
        ("a{2}", "a aa", "aa"), ("a{,2}", "a{,2}", "a{,2}"), ("x{0}y", "xy", "y"), ("(a*)*b", "aaab", "aaab"),
        ("(a*)+", "b", ""), ("[[:digit:][:upper:]]+", "ab1Xc", "1X"), (#"[\d\-]+"#, "a1-2b", "1-2"),
        (#"[^\d]+"#, "1ab2", "ab"), (#"\W+"#, "ab, cd", ", "), ("(?<n>a)(?P<m>b)", "ab", "ab"),
        ("", "ab", ""), ("a||b", "b", ""), ("日本.", "x日本語y", "日本語"), (#"[^\x00-\x7f]"#, "aé", "é"),
    ]

    @Test("A pattern matches what the field's other engines match", arguments: cases)
    func matches(_ pattern: String, _ text: String, _ expected: String?) throws {
        let bytes = Array(text.utf8)
        #expect(try search(.pattern(pattern), in: [bytes])?.text == expected)
        let oneByOne = try search(.pattern(pattern), in: bytes.map { [$0] })
        #expect(oneByOne?.text == expected, "T6: byte for byte")
    }

    @Test func groupsSayWhatTheyMatched() throws {
        let found = try #require(
            try search(.pattern(#"(?<user>\w+)@(\w+)(:\d+)?(#|\$)"#), in: [Array("-- root@host# ".utf8)]))
        #expect(found.captures == ["root", "host", nil, "#"])
        #expect(found.before == "-- ")
        // The last time round is what a group in a repetition keeps.
        #expect(try search(.pattern("(?:(a)|b)+"), in: [Array("abab".utf8)])?.captures == ["a"])
    }

    @Test("Of several patterns the earliest match counts, and at one place the first that is stated")
    func several() throws {
        let text = Array("one two three".utf8)
        #expect(try search("three", "two", in: [text])?.index == 1)
        #expect(try search(.pattern("t.."), "two", in: [text])?.index == 0)
        #expect(try search("two", .pattern("t.."), in: [text])?.index == 0)
        #expect(try search("nothing", "three", in: [text])?.index == 1)
    }

    @Test("T6: bytes that are no character are matched by any character, and split nothing")
    func strayBytes() throws {
        let found = try search(.pattern("a.b"), in: [[97, 0xFF, 98]])
        #expect(found?.text == "a\u{FFFD}b")
        #expect(try search(.pattern("é"), in: [[0xC3], [0xC3, 0xA9]])?.text == "é")
        #expect(try search(.pattern("a.b"), in: [[97, 0xC3, 0xA9, 98]])?.text == "aéb")
    }

    @Test("T6: escape sequences can be ignored, wherever they are cut")
    func escapes() throws {
        let text = Array("\u{1B}[1;32mlo\u{1B}[0mgin\u{1B}]0;title\u{7}: ".utf8)
        for cut in 0...text.count {
            let found = try search("login: ", in: [Array(text[..<cut]), Array(text[cut...])], skippingEscapes: true)
            #expect(found?.text.isEmpty == false)
        }
        #expect(try search("login: ", in: [text]) == nil)
    }

    @Test("Escape sequences that are ignored are neither in groups nor between a line's beginning and its first word")
    func escapesAndGroups() throws {
        let text = Array("x\n\u{1B}[32mfoo\u{1B}[0m bar\u{1B}[1m@baz$ ".utf8)
        let found = try #require(
            try search(.pattern(#"^(?<word>\w+) (\w+)@(\w+)\$"#), in: [text], skippingEscapes: true))
        #expect(found.captures == ["foo", "bar", "baz"])
        #expect(try search("x\n", in: [text], skippingEscapes: true)?.text == "x\n", "what follows is left")
    }

    @Test("T7: what makes others search for years is linear here")
    func catastrophic() throws {
        let many = [UInt8](repeating: UInt8(ascii: "a"), count: isOptimized ? 1 << 20 : 1 << 16)
        let began = ContinuousClock.now
        #expect(try search(.pattern("(a+)+$"), in: [many, Array("b".utf8)]) == nil)
        #expect(try search(.pattern("(a+)+$"), in: [many])?.text.utf8.count == many.count)
        #expect(try search(.pattern("(a|aa)+c"), in: [many]) == nil)
        #expect(try search(.pattern("(.*)(.*)(.*)(.*)x"), in: [many]) == nil)
        #expect(ContinuousClock.now - began < .seconds(20))
    }

    @Test(
        "A pattern that cannot be read says what is wrong, and where",
        arguments: [
            ("(a", "an opening parenthesis without a closing one, at character 1"),
            ("a)", "a closing parenthesis without an opening one, at character 2"),
            ("[a", "an opening bracket without a closing one, at character 1"),
            ("a{2}{3}", "a repetition of a repetition; put the inner one into (?:...), at character 8"),
            (
                "(?x)a",
                "a group of an unknown kind; (?i), (?s), (?m), (?:...) and (?<name>...) are known, at character 3"
            ),
            (
                "(?:(?:(?:(?:){1000}){1000}){1000}){1000}",
                "a pattern that is too large once its repetitions are written out, at character 1"
            ),
            ("a++", "a repetition of a repetition; put the inner one into (?:...), at character 3"),
            ("*a", "nothing before * to repeat, at character 1"),
            (#"(a)\1"#, "a back reference: not to be had in linear time, at character 5"),
            ("(?=a)", "a group that looks ahead or behind, or is atomic: not to be had in linear time, at character 3"),
            ("a{3,2}", "a repetition whose limits are the wrong way round, at character 7"),
            ("a{2000}", "a repetition of more than 1,000 times, at character 8"),
            ("[z-a]", "a range whose ends are the wrong way round, at character 5"),
            (#"\q"#, #"\q, which means nothing here, at character 3"#),
            (#"\"#, "a backslash at the end, at character 2"),
            (
                "((((a{1000}){1000}){1000}))",
                "a pattern that is too large once its repetitions are written out, at character 1"
            ),
        ])
    func defects(_ pattern: String, _ reason: String) {
        let error = #expect(throws: TerminalError.self) { try TerminalPattern.pattern(pattern).validate() }
        #expect(error?.kind == .invalidPattern)
        #expect(error?.description == "expect /\(pattern)/: the pattern cannot be read: \(reason)")
    }

    @Test func deepNestingIsRefusedAndNotRunInto() {
        let deep = String(repeating: "(", count: 100_000)
        #expect(throws: TerminalError.self) { try TerminalPattern.pattern(deep).validate() }
    }

    @Test("Random patterns find what Swift's own engine finds, however the text is cut")
    func againstTheStandardLibrary() throws {
        var chance = Chance(seed: 6)
        for _ in 0..<(isOptimized ? 2000 : 300) {
            let pattern = Self.pattern(&chance, depth: 3)
            let text = String(
                (0..<Int.random(in: 0...12, using: &chance)).map { _ in "abc".randomElement(using: &chance)! })
            let regex = try Regex(pattern).matchingSemantics(.unicodeScalar)
            let expected = text.firstMatch(of: regex).map { String(text[$0.range]) }
            let bytes = Array(text.utf8)
            let cut = Int.random(in: 0...bytes.count, using: &chance)
            let found = try search(.pattern(pattern), in: [Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(found?.text == expected, "\(pattern) in \(text)")
        }
    }

    /// A pattern in which nothing that can be empty is repeated: there engines differ by how they leave the loop.
    private static func pattern(_ chance: inout Chance, depth: Int) -> String { part(&chance, depth: depth).text }

    private static func part(_ chance: inout Chance, depth: Int) -> (text: String, canBeEmpty: Bool) {
        let parts = (0..<Int.random(in: 1...3, using: &chance)).map { _ -> (text: String, canBeEmpty: Bool) in
            let isLeaf = depth == 0 || Bool.random(using: &chance)
            if isLeaf {
                let leaf = ["a", "b", "c", ".", "[ab]"].randomElement(using: &chance)!
                let sign = ["", "", "+", "*", "?", "+?", "*?"].randomElement(using: &chance)!
                return (leaf + sign, !["", "+", "+?"].contains(sign))
            }
            let inner = part(&chance, depth: depth - 1)
            let sign = inner.canBeEmpty ? "" : ["", "+", "*", "?", "+?", "*?"].randomElement(using: &chance)!
            return ("(?:\(inner.text))\(sign)", inner.canBeEmpty || !["", "+", "+?"].contains(sign))
        }
        return Bool.random(using: &chance)
            ? (parts.map(\.text).joined(), parts.allSatisfy(\.canBeEmpty))
            : (parts.map(\.text).joined(separator: "|"), parts.contains { $0.canBeEmpty })
    }
}
