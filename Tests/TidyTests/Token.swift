// Words and signs of a source text, with the place where each stands.

/// A word (`public`, `@available`, `#if`, `` `default` ``) or one sign of punctuation, outside comments and literals.
struct Token: Sendable {
    let text: String
    /// Counted from 1.
    let line: Int
    /// Whether nothing, not even a space, stands between the token before and this one.
    let touchesPrevious: Bool

    /// A lone `#` or `@` is a sign: the first opens a raw string.
    var isWord: Bool { text != "#" && text != "@" && text.utf8.first.map(Self.canStartWord) ?? false }

    private static func canStartWord(_ byte: UInt8) -> Bool {
        continuesWord(byte) || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "`")
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...: true
        default: false
        }
    }

    /// The tokens of some lines of code.
    fileprivate static func tokens(of code: [String]) -> [Token] {
        var tokens: [Token] = []
        for (number, line) in code.enumerated() {
            let bytes = Array(line.utf8)
            var position = 0
            var endOfPrevious = -1
            while position < bytes.count {
                let start = position
                position += 1
                switch bytes[start] {
                case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                    continue
                case UInt8(ascii: "`"):
                    while position < bytes.count, bytes[position] != UInt8(ascii: "`") { position += 1 }
                    position = min(position + 1, bytes.count)
                case let first where canStartWord(first):
                    while position < bytes.count, continuesWord(bytes[position]) { position += 1 }
                default:
                    break
                }
                tokens.append(
                    Token(
                        text: String(decoding: bytes[start..<position], as: UTF8.self),
                        line: number + 1,
                        touchesPrevious: start == endOfPrevious
                    )
                )
                endOfPrevious = position
            }
        }
        return tokens
    }
}

extension SourceText {
    /// The words and signs of the code, in order.
    func tokens() -> [Token] { Token.tokens(of: code) }
}

extension [Token] {
    /// The token at an index, or `nil` before the first and behind the last.
    func at(_ index: Int) -> Token? { indices.contains(index) ? self[index] : nil }

    /// The text of the token at an index; empty where there is none.
    func text(_ index: Int) -> String { at(index)?.text ?? "" }
}
