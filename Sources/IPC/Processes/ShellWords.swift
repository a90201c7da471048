// The words of a simple command, and where among them a value would be more than data.

/// The commands within a pair of parentheses or backquotes, or the whole script: the words of the one being read.
struct ShellWords {
    /// The byte that ends them; 0 for the script.
    let closing: UInt8
    /// Whether they are `$(...)`, part of a word around them.
    var isSubstitution = false
    /// The command's name, without quotes, once that has been read.
    private var name: String?
    /// The word before the one being read.
    private var former = ""
    /// An option was read that makes more of a declaration than a text.
    private var hasOption = false
    private var shell = Shell.none
    /// The word being read, without quotes. An expansion is a NUL in it, a value is a 1: both may come to nothing, though
    /// not to no word in the case of a value. What shall count for nothing is a 2.
    var word: [UInt8]?
    /// The next word is a redirection's file.
    var isTarget = false
    var caseDepth = 0
    var hereDocuments: [ShellScanner.HereDocument] = []
    /// Backslashes within backquotes were read.
    var isLost = false

    /// What is known of another shell among the words.
    private enum Shell { case none, named, script }

    init(closing: UInt8, isSubstitution: Bool = false) {
        self.closing = closing
        self.isSubstitution = isSubstitution
    }

    /// Words after which a command begins.
    private static let before: Set<String> = [
        "if", "then", "else", "elif", "while", "until", "do", "!", "{", "}", "fi", "done", "time", "command", "builtin",
        "exec", "coproc",
    ]
    /// Words behind which `do` or `{` may stand on the same line.
    private static let heads: Set<String> = ["for", "select", "function"]

    /// The word has ended, if there was one.
    mutating func endWord() {
        guard let bytes = word else { return }
        word = nil
        if isTarget {
            isTarget = false
            return
        }
        let literal = bytes.filter { $0 > 1 }
        let text = String(decoding: literal, as: UTF8.self)
        if let name {
            if name == "case" && text == "in" || ShellWords.heads.contains(name) && (text == "do" || text == "{")
                || name == "[[" && text == "]]"
            {
                beginCommand()
            } else {
                take(text)
            }
            return
        }
        if text == "esac" { caseDepth = max(0, caseDepth - 1) }
        if text == "case" { caseDepth += 1 }
        // An option belongs to one of the words before, and an expansion can be empty.
        let isPassedOver = bytes.first == UInt8(ascii: "-") || (!bytes.isEmpty && bytes.allSatisfy { $0 == 0 })
        if text == "esac" || isPassedOver || ShellWords.before.contains(text) || ShellWords.isAssignment(literal) {
            return
        }
        name = text
        take(text)
    }

    private mutating func beginCommand() { (name, former, hasOption, shell) = (nil, "", false, .none) }

    /// A word of the command.
    private mutating func take(_ text: String) {
        former = text
        let isOption = text.hasPrefix("-")
        if isOption || text.hasPrefix("+"), !["-x", "-g", "-r"].contains(text) { hasOption = true }
        if ShellWords.shells.contains(text.split(separator: "/").last.map(String.init) ?? "") { shell = .named }
        if shell == .script, !isOption { shell = .none }
        if shell == .named, isOption, !text.hasPrefix("--"), text.contains("c") { shell = .script }
    }

    /// The command has ended.
    mutating func endCommand() {
        endWord()
        if name != "[[" { beginCommand() }
        isTarget = false
    }

    /// A number before `<` or `>` is a descriptor's.
    mutating func beginRedirection() {
        if let word, word.allSatisfy(ShellBrace.isDigit) { self.word = nil }
        endWord()
        isTarget = true
    }

    /// `name=`, `name+=` and what follows.
    private static func isAssignment(_ word: [UInt8]) -> Bool {
        guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else { return false }
        var name = word[..<equals]
        if name.last == UInt8(ascii: "+") { name.removeLast() }
        return !name.isEmpty && !ShellBrace.isDigit(name[0]) && name.allSatisfy(ShellBrace.isName)
    }

    // MARK: Refusals

    private static let evaluating: Set<String> = ["eval", "trap", "alias"]
    private static let naming: Set<String> = ["read", "unset", "getopts", "mapfile", "readarray"]
    private static let declaring: Set<String> = ["declare", "typeset", "local", "export", "readonly"]
    private static let shells: Set<String> = ["sh", "dash", "bash", "ksh", "mksh", "zsh", "ash", "su"]

    /// Why a value may not stand in the word being read; `nil` if it may.
    var refusal: String? {
        if isLost { return "it stands in backquotes, after a backslash that changes what follows; use $(...)" }
        if isIndex { return "it stands in an index, which bash calculates" }
        if shell == .script { return "it stands in another shell's script; give it that as a parameter" }
        guard let name else { return nil }
        switch name {
        case "[[": return "it stands in [[...]], where bash calculates with it; use [ ... ]"
        case "let": return "it stands behind let, which calculates with it"
        case "printf", "test", "[":
            return former == "-v" ? "it stands behind \(name) -v, which takes it for a variable's name" : nil
        case _ where ShellWords.evaluating.contains(name): return "it stands behind \(name), which runs it"
        case _ where ShellWords.naming.contains(name):
            return "it stands behind \(name), which takes it for a variable's name"
        case _ where ShellWords.declaring.contains(name):
            let isText = ShellWords.isAssignment(word ?? []) && !hasOption
            return isText ? nil : "it stands behind \(name), which takes it for more than a text"
        default: return nil
        }
    }

    /// `name[` has been read, and no `]` yet.
    private var isIndex: Bool {
        guard let word = word?.filter({ $0 > 1 }), let bracket = word.lastIndex(of: UInt8(ascii: "[")), bracket > 0
        else { return false }
        let name = word[..<bracket]
        return !word[bracket...].contains(UInt8(ascii: "]")) && name.allSatisfy(ShellBrace.isName)
            && !ShellBrace.isDigit(name[0])
    }
}

/// `${...}`: what is done with the variable decides whether a value may take part.
struct ShellBrace {
    /// Within double quotes, or a here-document.
    let isQuoted: Bool
    /// A value can only be a text here, or a pattern.
    private(set) var isSafe = false
    private(set) var isPattern = false
    /// Quotes within quotes were read, which shells take in different ways.
    var isLost = false

    /// Reads the name and what is done with it, from behind the brace on.
    init(_ text: [UInt8], _ at: inout Int, isQuoted: Bool) {
        self.isQuoted = isQuoted
        func peek(_ ahead: Int = 0) -> UInt8? { at + ahead < text.count ? text[at + ahead] : nil }
        guard let first = peek() else { return }
        if ShellBrace.isName(first) {
            while let next = peek(), ShellBrace.isName(next) { at += 1 }
        } else if "@*?-$".utf8.contains(first) {
            at += 1
        } else {
            return  // a length, an indirection, or a mistake
        }
        guard let operation = peek() else { return }
        if operation == UInt8(ascii: "#") || operation == UInt8(ascii: "%") {
            at += peek(1) == operation ? 2 : 1
            (isSafe, isPattern) = (true, true)
        } else if let next = operation == UInt8(ascii: ":") ? peek(1) : operation, "-=?+".utf8.contains(next) {
            at += operation == UInt8(ascii: ":") ? 2 : 1
            isSafe = true
        }
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    static func isName(_ byte: UInt8) -> Bool {
        let letter = byte | 0x20
        return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z") || isDigit(byte) || byte == UInt8(ascii: "_")
    }
}

extension ShellScanner {
    /// The quotes that a value would stand in.
    var place: Place {
        switch frames.last {
        case .singleQuotes: .singleQuotes
        case .doubleQuotes, .arithmetic, .hereDocument: .doubleQuotes
        // A pattern has quotes of its own, within quotes too.
        case .brace(let brace): brace.isQuoted && !brace.isPattern ? .doubleQuotes : .open
        case .commands, .comment, nil: .open
        }
    }

    /// Why no value may stand here; `nil` if one may.
    var refusal: String? {
        if let reason = obstacle ?? isLost { return reason }
        for frame in frames {
            switch frame {
            case .commands(let words): if let reason = words.refusal { return reason }
            case .arithmetic: return "it stands in arithmetic, where bash would run a part of it"
            case .brace(let brace):
                if brace.isLost { return "it stands behind quotes within ${...} within quotes" }
                if !brace.isSafe { return "it stands in ${...}, where bash would calculate with it" }
            case .hereDocument(let document, _):
                if document.isQuoted { return "it stands in a here-document whose delimiter is quoted" }
            case .singleQuotes, .doubleQuotes, .comment: break
            }
        }
        return nil
    }
}
