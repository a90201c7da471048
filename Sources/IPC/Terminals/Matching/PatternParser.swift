// From a pattern's text to its tree.

/// What is wrong with a pattern, and where.
struct PatternDefect: Error {
    let reason: String
    /// In characters, from 1 on.
    let position: Int
}

/// Reads a pattern; each part of the grammar is a method.
struct PatternParser {
    private let text: [Unicode.Scalar]
    private var place = 0
    private var depth = 0
    private var ignoresCase = false
    private var dotMeansAnything = false
    private(set) var names: [String?] = []

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    /// The tree of the whole text.
    mutating func parse() throws(PatternDefect) -> PatternNode {
        let node = try alternatives()
        guard place == text.count else { throw defect("a closing parenthesis without an opening one") }
        return node
    }

    private func defect(_ reason: String) -> PatternDefect { PatternDefect(reason: reason, position: place + 1) }

    private var next: Unicode.Scalar? { place < text.count ? text[place] : nil }

    private mutating func takes(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        place += 1
        return true
    }

    private mutating func takes(_ word: String) -> Bool {
        let scalars = Array(word.unicodeScalars)
        guard text[place...].starts(with: scalars) else { return false }
        place += scalars.count
        return true
    }

    // MARK: Alternatives, sequences, repetitions

    private mutating func alternatives() throws(PatternDefect) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 100 else { throw defect("more than 100 groups inside each other") }
        var choices = [try sequence()]
        while takes("|") { choices.append(try sequence()) }
        return choices.count == 1 ? choices[0] : .alternatives(choices)
    }

    private mutating func sequence() throws(PatternDefect) -> PatternNode {
        var parts: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            guard let part = try element() else { continue }
            parts.append(try repetition(of: part))
        }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func repetition(of part: PatternNode) throws(PatternDefect) -> PatternNode {
        let (least, most): (Int, Int?)
        switch next {
        case "*": (least, most) = (0, nil)
        case "+": (least, most) = (1, nil)
        case "?": (least, most) = (0, 1)
        case "{":
            guard let counts = try counts() else { return part }
            (least, most) = counts
            place -= 1  // the brace itself is taken below, as the signs are
        default: return part
        }
        place += 1
        let isLazy = takes("?")
        let isRepeated =
            switch next {
            case "*", "+", "?": true
            case "{": try counts() != nil
            default: false
            }
        if isRepeated { throw defect("a repetition of a repetition; put the inner one into (?:...)") }
        return .repeated(part, atLeast: least, atMost: most, isLazy: isLazy)
    }

    /// `{3}`, `{3,}` and `{3,5}`, taken up to the closing brace; `nil` for a brace that is only a brace.
    private mutating func counts() throws(PatternDefect) -> (Int, Int?)? {
        let start = place
        place += 1
        guard let least = number() else {
            place = start
            return nil
        }
        var most: Int? = least
        if takes(",") { most = next == "}" ? nil : number() ?? -1 }
        guard takes("}"), most != -1 else {
            place = start
            return nil
        }
        guard least <= 1000, (most ?? 0) <= 1000 else { throw defect("a repetition of more than 1,000 times") }
        guard most.map({ $0 >= least }) ?? true else {
            throw defect("a repetition whose limits are the wrong way round")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = next, "0"..."9" ~= scalar, (value ?? 0) < 100_000 {
            value = (value ?? 0) * 10 + Int(scalar.value - 48)
            place += 1
        }
        return value
    }

    // MARK: Elements

    /// One element; `nil` for what only sets a flag, or for a brace or a sign that stands for itself.
    private mutating func element() throws(PatternDefect) -> PatternNode? {
        guard let scalar = next else { return nil }
        switch scalar {
        case "(": return try group()
        case "[":
            place += 1
            return .member(try bracketed())
        case ".":
            place += 1
            return .member(dotMeansAnything ? .anything : .anyInLine)
        case "^":
            place += 1
            return .assertion(.lineStart)
        case "$":
            place += 1
            return .assertion(.lineEnd)
        case "\\":
            place += 1
            return try escaped()
        case "*", "+", "?": throw defect("nothing before \(scalar) to repeat")
        default:
            place += 1
            return ignoresCase ? .member(cased(ScalarSet(scalar))) : .text(String(scalar))
        }
    }

    private func cased(_ set: ScalarSet) -> ScalarSet { ignoresCase ? set.ignoringCase : set }

    private mutating func group() throws(PatternDefect) -> PatternNode? {
        let start = place
        place += 1
        // A flag in a group ends with it.
        let flags = (ignoresCase, dotMeansAnything)
        var capture: Int?
        if takes("?") {
            if takes(":") {
            } else if takes("<") || takes("P<"), next != "=", next != "!" {
                let name = String(String.UnicodeScalarView(text[place...].prefix { $0 != ">" }))
                place += name.unicodeScalars.count
                guard takes(">"), !name.isEmpty else { throw defect("a name of a group without its end") }
                guard !names.contains(name) else { throw defect("two groups named \(name)") }
                names.append(name)
                capture = names.count
            } else if let isDone = try takeFlags() {
                if isDone { return nil }
            } else {
                let looks = next.map { "=!<>".unicodeScalars.contains($0) } ?? false
                throw defect(
                    looks
                        ? "a group that looks ahead or behind, or is atomic: not to be had in linear time"
                        : "a group of an unknown kind; (?i), (?s), (?m), (?:...) and (?<name>...) are known")
            }
        } else {
            names.append(nil)
            capture = names.count
        }
        let inner = try alternatives()
        (ignoresCase, dotMeansAnything) = flags
        guard takes(")") else {
            place = start
            throw defect("an opening parenthesis without a closing one")
        }
        return capture.map { .capture($0, inner) } ?? .sequence([inner])
    }

    /// `i)` and `s)`, for what follows, and `i:`, for this group: whether the group is closed; `nil` if there are none.
    private mutating func takeFlags() throws(PatternDefect) -> Bool? {
        var isSet = false
        while let scalar = next {
            switch scalar {
            case "i": (ignoresCase, isSet) = (true, true)
            case "s": (dotMeansAnything, isSet) = (true, true)
            case "m": isSet = true  // always so
            case ")" where isSet, ":" where isSet:
                place += 1
                return scalar == ")"
            default: return nil
            }
            place += 1
        }
        return nil
    }

    private mutating func escaped() throws(PatternDefect) -> PatternNode {
        guard let scalar = next else { throw defect("a backslash at the end") }
        switch scalar {
        case "b": return assertion(.wordBoundary)
        case "B": return assertion(.noWordBoundary)
        case "A": return assertion(.searchStart)
        case "z", "Z": return assertion(.streamEnd)
        case "1"..."9": throw defect("a back reference: not to be had in linear time")
        default: return .member(try cased(set(ofEscape: scalar)))
        }
    }

    private mutating func assertion(_ assertion: PatternAssertion) -> PatternNode {
        place += 1
        return .assertion(assertion)
    }

    /// What an escape stands for, inside brackets and outside; its letter is taken here.
    private mutating func set(ofEscape scalar: Unicode.Scalar) throws(PatternDefect) -> ScalarSet {
        place += 1
        switch scalar {
        case "d": return .digits
        case "D": return ScalarSet.digits.inverted
        case "w": return .words
        case "W": return ScalarSet.words.inverted
        case "s": return .spaces
        case "S": return ScalarSet.spaces.inverted
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "t": return ScalarSet("\t")
        case "f": return ScalarSet("\u{C}")
        case "v": return ScalarSet("\u{B}")
        case "a": return ScalarSet("\u{7}")
        case "e": return ScalarSet("\u{1B}")
        case "0": return ScalarSet("\0")
        case "x", "u": return ScalarSet(try hexadecimal(scalar))
        case "a"..."z", "A"..."Z": throw defect("\\\(scalar), which means nothing here")
        default: return ScalarSet(scalar)
        }
    }

    /// `\x41`, `\u0041`, `\x{1F600}` and `\u{1F600}`.
    private mutating func hexadecimal(_ kind: Unicode.Scalar) throws(PatternDefect) -> Unicode.Scalar {
        let digits: [Unicode.Scalar]
        if takes("{") {
            digits = Array(text[place...].prefix { $0 != "}" })
            place += digits.count
            guard takes("}") else { throw defect("a number of a character without its closing brace") }
        } else {
            digits = Array(text[place...].prefix(kind == "x" ? 2 : 4))
            place += digits.count
            guard digits.count == (kind == "x" ? 2 : 4) else {
                throw defect("a number of a character that is too short")
            }
        }
        let word = String(String.UnicodeScalarView(digits))
        guard let value = UInt32(word, radix: 16), let scalar = Unicode.Scalar(value) else {
            throw defect("'\(word)', which is no number of a character")
        }
        return scalar
    }

    // MARK: Classes

    /// What stands in brackets, the opening one taken.
    private mutating func bracketed() throws(PatternDefect) -> ScalarSet {
        let start = place
        let isInverted = takes("^")
        var set = ScalarSet()
        var isFirst = true
        while let scalar = next, scalar != "]" || isFirst {
            isFirst = false
            if takes("[:") {
                set.formUnion(try named())
                continue
            }
            place += 1
            let low = scalar == "\\" ? try memberOfEscape(&set) : scalar
            guard let low else { continue }
            guard next == "-", place + 1 < text.count, text[place + 1] != "]" else {
                set.insert(low.value...low.value)
                continue
            }
            place += 2
            var high = text[place - 1]
            if high == "\\" {
                guard let escaped = try memberOfEscape(&set) else { throw defect("a range that ends with a class") }
                high = escaped
            }
            guard low.value <= high.value else { throw defect("a range whose ends are the wrong way round") }
            set.insert(low.value...high.value)
        }
        guard takes("]") else {
            place = start - 1
            throw defect("an opening bracket without a closing one")
        }
        set = cased(set)
        return isInverted ? set.inverted : set
    }

    /// The character of an escape in brackets; `nil` if it was a class, which is added to the set.
    private mutating func memberOfEscape(_ set: inout ScalarSet) throws(PatternDefect) -> Unicode.Scalar? {
        guard let scalar = next else { throw defect("a backslash at the end") }
        if scalar == "b" {
            place += 1
            return "\u{8}"
        }
        let meant = try self.set(ofEscape: scalar)
        if "dDwWsS".unicodeScalars.contains(scalar) {
            set.formUnion(meant)
            return nil
        }
        // What is no class is one character; the set knows it.
        return meant.onlyMember
    }

    private mutating func named() throws(PatternDefect) -> ScalarSet {
        let name = String(String.UnicodeScalarView(text[place...].prefix { $0 != ":" }))
        var set = ScalarSet()
        func add(_ ranges: ClosedRange<UInt32>...) { for range in ranges { set.insert(range) } }
        switch name {
        case "alpha": add(65...90, 97...122)
        case "digit": add(48...57)
        case "alnum": add(48...57, 65...90, 97...122)
        case "upper": add(65...90)
        case "lower": add(97...122)
        case "space": set = .spaces
        case "blank": add(9...9, 32...32)
        case "punct": add(33...47, 58...64, 91...96, 123...126)
        case "xdigit": add(48...57, 65...70, 97...102)
        case "cntrl": add(0...31, 127...127)
        case "print": add(32...126)
        case "graph": add(33...126)
        case "word": set = .words
        default: throw defect("[:\(name):], which is no class of POSIX")
        }
        place += name.unicodeScalars.count
        guard takes(":]") else { throw defect("a class of POSIX without its end") }
        return set
    }
}

extension ScalarSet {
    /// The scalar of a set that has one.
    fileprivate var onlyMember: Unicode.Scalar? {
        (0..<128).first { contains($0) }.flatMap(Unicode.Scalar.init) ?? firstAboveASCII
    }
}
