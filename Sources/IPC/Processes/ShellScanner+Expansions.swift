// What a backslash, a dollar or a backquote begins in a shell's text.

extension ShellScanner {
    /// Takes a backslash, a dollar or a backquote with what belongs to it; `false` for any other byte.
    mutating func expansion(_ byte: UInt8, isQuoted: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "\\"):
            if let next = peek() {
                if next != UInt8(ascii: "\n") { addToWord(next) }
            } else {
                obstacle = "it stands directly after a backslash"
            }
            at += 2
        case UInt8(ascii: "`"):
            addToWord(0)
            frames.append(.commands(ShellWords(closing: byte)))
            at += 1
        case UInt8(ascii: "$"): dollar(isQuoted)
        default: return false
        }
        return true
    }

    private mutating func dollar(_ isQuoted: Bool) {
        addToWord(0)
        guard let next = peek() else {
            obstacle = "it stands directly after a dollar"
            at += 1
            return
        }
        at += 2
        switch next {
        case UInt8(ascii: "("):
            if at < text.count, text[at] == next {
                at += 1
                frames.append(.arithmetic(opening: next, closing: UInt8(ascii: ")"), depth: 2))
            } else {
                frames.append(.commands(ShellWords(closing: UInt8(ascii: ")"), isSubstitution: true)))
            }
        case UInt8(ascii: "["): frames.append(.arithmetic(opening: next, closing: UInt8(ascii: "]"), depth: 1))
        case UInt8(ascii: "{"): frames.append(.brace(ShellBrace(text, &at, isQuoted: isQuoted)))
        case UInt8(ascii: "'") where !isQuoted: frames.append(.singleQuotes(isEscaped: true))
        case let byte where "$?!#@*-".utf8.contains(byte) || ShellBrace.isDigit(byte): break
        case let byte where ShellBrace.isName(byte):
            while at < text.count, ShellBrace.isName(text[at]) { at += 1 }
        default: at -= 1
        }
    }
}
