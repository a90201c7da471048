// Follows a shell's text to know in which quotes a value stands, and what would be done with it there.

/// Reads the program's own parts of a script, from one value to the next.
///
/// It knows quotes, substitutions, here-documents, comments, arithmetic and the words of each simple command; that is all that
/// decides about values. It need not be right for the script to be safe, see ``ShellRendering``: it has to be for the script
/// to mean what was written, and to refuse what the shell would calculate with or evaluate.
struct ShellScanner {
    /// The quotes around a value.
    enum Place { case open, doubleQuotes, singleQuotes }

    /// What is open in the text, from the outermost in.
    enum Frame {
        case commands(ShellWords)
        case singleQuotes(isEscaped: Bool)
        case doubleQuotes
        case comment
        case brace(ShellBrace)
        /// `((`, `$((` and `$[`, with what closes it and how often.
        case arithmetic(opening: UInt8, closing: UInt8, depth: Int)
        case hereDocument(HereDocument, line: [UInt8])
    }

    struct HereDocument {
        var delimiter: [UInt8] = []
        var isQuoted = false
        var stripsTabs = false
    }

    var frames: [Frame] = [.commands(ShellWords(closing: 0))]
    /// Why no value may stand just here.
    var obstacle: String?
    /// Why no value may stand anywhere from here on.
    private(set) var isLost: String?
    var text: [UInt8] = []
    var at = 0

    /// Reads text up to the next value.
    mutating func read(_ text: [UInt8]) {
        (self.text, at) = (text, 0)
        obstacle = nil
        while at < text.count { step(text[at]) }
    }

    /// Goes past so many values.
    mutating func readValues(_ count: Int) {
        obstacle = nil
        switch frames.last {
        case .comment: return
        case .hereDocument(let document, let line): replaceLast(.hereDocument(document, line: line + [1]))
        default: addToWord(count == 0 ? 0 : 1)
        }
    }

    func peek(_ ahead: Int = 1) -> UInt8? { at + ahead < text.count ? text[at + ahead] : nil }

    private mutating func replaceLast(_ frame: Frame) { frames[frames.count - 1] = frame }

    /// Changes the innermost commands, in a word of which everything after them stands.
    mutating func changeWords(_ change: (inout ShellWords) -> Void) {
        for index in frames.indices.reversed() {
            guard case .commands(var words) = frames[index] else { continue }
            change(&words)
            frames[index] = .commands(words)
            return
        }
    }

    mutating func addToWord(_ byte: UInt8) {
        // Long words are nobody's names.
        changeWords { if $0.word?.count ?? 0 < 256 { $0.word = ($0.word ?? []) + [byte] } }
    }

    // MARK: A byte

    private mutating func step(_ byte: UInt8) {
        let backquotes = frames.lastIndex {
            if case .commands(let words) = $0 { words.closing == UInt8(ascii: "`") } else { false }
        }
        if let backquotes {
            // Backquotes end at the first that has no backslash before it, whatever quotes are open inside.
            if byte == UInt8(ascii: "`") {
                frames.removeSubrange(backquotes...)
                at += 1
                return
            }
            if byte == UInt8(ascii: "\\"), let next = peek(), "$`\\\"".utf8.contains(next) {
                if case .commands(var words) = frames[backquotes] {
                    words.isLost = true
                    frames[backquotes] = .commands(words)
                }
                at += 2
                return
            }
        }
        switch frames[frames.count - 1] {
        case .commands: stepInCommands(byte)
        case .singleQuotes(let isEscaped): stepInSingleQuotes(byte, isEscaped)
        case .comment:
            if byte == UInt8(ascii: "\n") { frames.removeLast() } else { at += 1 }
        case .doubleQuotes:
            if byte == UInt8(ascii: "\"") {
                frames.removeLast()
                at += 1
            } else if !expansion(byte, isQuoted: true) {
                // An index in quotes is none, as far as a word on its own shows.
                addToWord(byte == UInt8(ascii: "[") ? 2 : byte)
                at += 1
            }
        case .brace(let brace): stepInBrace(byte, brace)
        case .arithmetic(let opening, let closing, let depth):
            if byte == opening { replaceLast(.arithmetic(opening: opening, closing: closing, depth: depth + 1)) }
            if byte == closing {
                if depth == 1 {
                    frames.removeLast()
                } else {
                    replaceLast(.arithmetic(opening: opening, closing: closing, depth: depth - 1))
                }
            }
            if byte == opening || byte == closing || !expansion(byte, isQuoted: true) { at += 1 }
        case .hereDocument(let document, let line): stepInHereDocument(byte, document, line)
        }
    }

    private mutating func stepInSingleQuotes(_ byte: UInt8, _ isEscaped: Bool) {
        if byte == UInt8(ascii: "'") { frames.removeLast() } else { addToWord(byte == UInt8(ascii: "[") ? 2 : byte) }
        if isEscaped, byte == UInt8(ascii: "\\"), peek() == UInt8(ascii: "'") {
            isLost = "it stands after $'...\\'...', which one shell reads so and another otherwise"
        }
        at += 1
    }

    private mutating func stepInBrace(_ byte: UInt8, _ brace: ShellBrace) {
        switch byte {
        case UInt8(ascii: "}"):
            frames.removeLast()
            at += 1
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            at += 1
            if brace.isQuoted {
                var brace = brace
                brace.isLost = true
                replaceLast(.brace(brace))
            } else {
                frames.append(byte == UInt8(ascii: "'") ? .singleQuotes(isEscaped: false) : .doubleQuotes)
            }
        default: if !expansion(byte, isQuoted: brace.isQuoted) { at += 1 }
        }
    }

    private mutating func stepInHereDocument(_ byte: UInt8, _ document: HereDocument, _ line: [UInt8]) {
        if byte == UInt8(ascii: "\n") {
            at += 1
            let content = document.stripsTabs ? Array(line.drop { $0 == 9 }) : line
            replaceLast(.hereDocument(document, line: []))
            if content == document.delimiter {
                frames.removeLast()
                changeWords { $0.word = nil }
                beginHereDocument()
            }
            return
        }
        // Before what the byte may open.
        replaceLast(.hereDocument(document, line: line.count < 4096 ? line + [byte] : line))
        if document.isQuoted || !expansion(byte, isQuoted: true) { at += 1 }
    }

    private mutating func beginHereDocument() {
        guard case .commands(var words)? = frames.last, !words.hereDocuments.isEmpty else { return }
        let document = words.hereDocuments.removeFirst()
        replaceLast(.commands(words))
        frames.append(.hereDocument(document, line: []))
    }

    // MARK: Commands

    private mutating func stepInCommands(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            changeWords { $0.word = $0.word ?? [] }
            frames.append(byte == UInt8(ascii: "'") ? .singleQuotes(isEscaped: false) : .doubleQuotes)
        case UInt8(ascii: " "), UInt8(ascii: "\t"): changeWords { $0.endWord() }
        case UInt8(ascii: "\n"):
            changeWords { $0.endCommand() }
            beginHereDocument()
        case UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "|"): changeWords { $0.endCommand() }
        case UInt8(ascii: "("):
            if peek() == byte {
                frames.append(.arithmetic(opening: byte, closing: UInt8(ascii: ")"), depth: 2))
                at += 1
            } else {
                frames.append(.commands(ShellWords(closing: UInt8(ascii: ")"))))
            }
        case UInt8(ascii: ")"): closeParenthesis()
        case UInt8(ascii: "<"), UInt8(ascii: ">"): redirection(byte)
        case UInt8(ascii: "#"): if isBetweenWords { frames.append(.comment) } else { addToWord(byte) }
        default:
            if expansion(byte, isQuoted: false) { return }
            addToWord(byte)
        }
        at += 1
    }

    private var isBetweenWords: Bool {
        if case .commands(let words)? = frames.last { words.word == nil } else { false }
    }

    private mutating func closeParenthesis() {
        changeWords { $0.endCommand() }
        guard case .commands(let words)? = frames.last, words.caseDepth == 0, words.closing == UInt8(ascii: ")") else {
            return  // the end of a pattern, or a mistake that the shell will report
        }
        frames.removeLast()
        if words.isSubstitution { addToWord(0) } else { changeWords { $0.endCommand() } }
    }

    private mutating func redirection(_ byte: UInt8) {
        changeWords { $0.beginRedirection() }
        if byte == UInt8(ascii: "<"), peek() == byte, peek(2) != byte { return hereDocument() }
        while let next = peek(), "<>&|".utf8.contains(next) { at += 1 }
    }

    /// From the second `<` on: reads the delimiter.
    private mutating func hereDocument() {
        at += 1
        var document = HereDocument()
        if peek() == UInt8(ascii: "-") {
            document.stripsTabs = true
            at += 1
        }
        while let next = peek(), next == 32 || next == 9 { at += 1 }
        var quote: UInt8?
        while let next = peek(), quote != nil || !" \t\n;&|<>()".utf8.contains(next) {
            at += 1
            if next == quote {
                quote = nil
            } else if quote == nil, next == UInt8(ascii: "'") || next == UInt8(ascii: "\"") {
                quote = next
                document.isQuoted = true
            } else if quote != UInt8(ascii: "'"), next == UInt8(ascii: "\\"), let escaped = peek() {
                document.isQuoted = true
                document.delimiter.append(escaped)
                at += 1
            } else {
                document.delimiter.append(next)
            }
        }
        if peek() == nil { obstacle = "it stands in the delimiter of a here-document" }
        changeWords {
            $0.hereDocuments.append(document)
            $0.isTarget = false
        }
    }
}
