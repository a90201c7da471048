// A source file seen three ways: as written, its code alone, its comments alone; line and column stay where they were.

/// The text of one Swift or C file, taken apart so that a rule about code does not trip over a comment or a string.
struct SourceText: Sendable {
    enum Language: Sendable {
        case swift
        case c
    }

    /// The lines as written.
    let lines: [String]
    /// The lines with comments and the contents of string literals blanked out. What stands in an interpolation is code.
    let code: [String]
    /// The lines with everything but comments blanked out.
    let comments: [String]

    init(_ text: String, language: Language = .swift) {
        var separator = LiteralSeparator(bytes: Array(text.utf8), language: language)
        separator.run()
        lines = Self.lines(of: separator.bytes)
        code = Self.lines(of: separator.code)
        comments = Self.lines(of: separator.comments)
    }

    private static func lines(of bytes: [UInt8]) -> [String] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Walks over the bytes once and copies each to the side where it belongs.
private struct LiteralSeparator {
    let bytes: [UInt8]
    let language: SourceText.Language
    var code: [UInt8]
    var comments: [UInt8]
    var position = 0

    init(bytes: [UInt8], language: SourceText.Language) {
        self.bytes = bytes
        self.language = language
        code = bytes.map { $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
        comments = code
    }

    mutating func run() {
        scanCode(endsAtParenthesis: false)
    }

    // MARK: Small steps

    func byte(at index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    func starts(with text: StaticString, at index: Int) -> Bool {
        text.withUTF8Buffer { index + $0.count <= bytes.count && bytes[index..<index + $0.count].elementsEqual($0) }
    }

    mutating func keepAsCode(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            code[position] = bytes[position]
            position += 1
        }
    }

    mutating func keepAsComment(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            comments[position] = bytes[position]
            position += 1
        }
    }

    // MARK: Code

    /// Ends at the end of the text, or behind the parenthesis that closes an interpolation.
    mutating func scanCode(endsAtParenthesis: Bool) {
        var depth = 0
        while let next = byte(at: position) {
            if starts(with: "//", at: position) {
                scanLineComment()
            } else if starts(with: "/*", at: position) {
                scanBlockComment()
            } else if let hashes = hashesBeforeQuote() {
                scanString(hashes: hashes)
            } else if let end = endOfRegularExpression() {
                position = end
            } else if next == UInt8(ascii: "`") || (language == .c && next == UInt8(ascii: "'")) {
                scanQuotedWord(next)
            } else {
                keepAsCode()
                if next == UInt8(ascii: "(") { depth += 1 }
                if next == UInt8(ascii: ")") {
                    depth -= 1
                    if endsAtParenthesis, depth < 0 { return }
                }
            }
        }
    }

    /// `` `a name` `` in Swift is code; `'c'` in C is a literal.
    mutating func scanQuotedWord(_ quote: UInt8) {
        keepAsCode()
        while let next = byte(at: position), next != quote, next != UInt8(ascii: "\n") {
            if language == .swift {
                keepAsCode()
            } else {
                position += next == UInt8(ascii: "\\") ? 2 : 1
            }
        }
        if byte(at: position) == quote { keepAsCode() }
    }

    // MARK: Comments

    mutating func scanLineComment() {
        while let next = byte(at: position), next != UInt8(ascii: "\n") { keepAsComment() }
    }

    /// Swift's block comments nest, those of C do not.
    mutating func scanBlockComment() {
        var depth = 0
        while position < bytes.count {
            if starts(with: "/*", at: position), depth == 0 || language == .swift {
                depth += 1
                keepAsComment(2)
            } else if starts(with: "*/", at: position) {
                depth -= 1
                keepAsComment(2)
                if depth == 0 { return }
            } else {
                keepAsComment()
            }
        }
    }

    // MARK: Literals

    /// How many `#` stand before a quotation mark that opens a string here; `nil` when no string opens.
    func hashesBeforeQuote() -> Int? {
        var index = position
        while language == .swift, byte(at: index) == UInt8(ascii: "#") { index += 1 }
        return byte(at: index) == UInt8(ascii: "\"") ? index - position : nil
    }

    mutating func scanString(hashes: Int) {
        var afterQuotes = position + hashes + 3
        while let next = byte(at: afterQuotes), next == UInt8(ascii: " ") { afterQuotes += 1 }
        let isMultiline =
            language == .swift && starts(with: "\"\"\"", at: position + hashes)
            && byte(at: afterQuotes) == UInt8(ascii: "\n")
        let quotes = isMultiline ? 3 : 1
        keepAsCode(hashes + quotes)
        while let next = byte(at: position) {
            if next == UInt8(ascii: "\n"), !isMultiline { return }
            if next == UInt8(ascii: "\\"), hasHashes(hashes, at: position + 1) {
                position += 1 + hashes
                if language == .swift, byte(at: position) == UInt8(ascii: "(") {
                    keepAsCode()
                    scanCode(endsAtParenthesis: true)
                } else if byte(at: position) != UInt8(ascii: "\n") {
                    position += 1
                }
            } else if hasQuotes(quotes, at: position), hasHashes(hashes, at: position + quotes) {
                return keepAsCode(quotes + hashes)
            } else {
                position += 1
            }
        }
    }

    func hasHashes(_ count: Int, at index: Int) -> Bool {
        (index..<index + count).allSatisfy { byte(at: $0) == UInt8(ascii: "#") }
    }

    func hasQuotes(_ count: Int, at index: Int) -> Bool {
        (index..<index + count).allSatisfy { byte(at: $0) == UInt8(ascii: "\"") }
    }

    /// The end of `/.../` on this line or of `#/.../#`, when one opens here: after an operator or an opening bracket, or
    /// first on its line, and not before a space, since that is a division.
    func endOfRegularExpression() -> Int? {
        guard language == .swift else { return nil }
        let isExtended = starts(with: "#/", at: position)
        var index = position + (isExtended ? 2 : 1)
        if !isExtended {
            let before = code[..<position].last { $0 != UInt8(ascii: " ") } ?? UInt8(ascii: "\n")
            guard byte(at: position) == UInt8(ascii: "/"), "\n(,=:[{!&|?".utf8.contains(before),
                let next = byte(at: index), next != UInt8(ascii: " "), next != UInt8(ascii: "\n")
            else { return nil }
        }
        while let next = byte(at: index), isExtended || next != UInt8(ascii: "\n") {
            if isExtended ? starts(with: "/#", at: index) : next == UInt8(ascii: "/") {
                return index + (isExtended ? 2 : 1)
            }
            index += next == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }
}
