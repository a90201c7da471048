// Which declarations need a documentation comment, and whether one stands above.

enum Documentation {
    /// Members whose protocol says all there is to say about them.
    static let witnesses: Set = [
        "description", "==", "<", "hash(into:", "encode(to:", "init(from:", "makeAsyncIterator",
    ]

    private static let keywords: Set = [
        "func", "var", "let", "class", "struct", "enum", "protocol", "actor", "typealias", "init", "subscript",
        "extension",
        "associatedtype", "import", "macro",
    ]
    private static let modifiers: Set = [
        "static", "class", "final", "nonisolated", "override", "mutating", "nonmutating", "consuming", "borrowing",
        "indirect", "required", "convenience", "lazy", "weak", "unowned", "dynamic", "prefix", "postfix", "infix",
        "distributed", "isolated", "optional", "sending", "private", "fileprivate", "internal", "package", "public",
        "open",
    ]

    /// Public declarations that no `///` comment describes.
    static func findings(in file: SourceFile) -> [Finding] {
        file.tokens.indices.compactMap { index in
            guard let declaration = publicDeclaration(at: index, in: file.tokens) else { return nil }
            guard declaration.keyword != "import", !witnesses.contains(declaration.name) else { return nil }
            let start = startOfDeclaration(at: index, in: file.tokens)
            let attributes = file.tokens[start..<index].map(\.text).joined()
            guard !attributes.contains("@available(*,unavailable") else { return nil }
            let line = file.tokens[start].line
            let isFirstOnLine = file.tokens.at(start - 1)?.line != line
            guard !isFirstOnLine || comment(above: line, in: file.source.lines).isEmpty else { return nil }
            let words = declaration.name.hasPrefix(declaration.keyword) ? [] : [declaration.keyword]
            let what = (words + [declaration.name]).joined(separator: " ")
            let message = "the public \(what) has no documentation comment"
            return Finding(path: file.path, line: file.tokens[index].line, message: message)
        }
    }

    /// Public calls that throw and do not say what, or as which other call.
    static func silentThrows(in file: SourceFile) -> [Finding] {
        file.tokens.indices.compactMap { index in
            guard let declaration = publicDeclaration(at: index, in: file.tokens),
                ["func", "init", "subscript", "var"].contains(declaration.keyword),
                !witnesses.contains(declaration.name), throwsErrors(from: index, in: file.tokens)
            else { return nil }
            let start = startOfDeclaration(at: index, in: file.tokens)
            let attributes = file.tokens[start..<index].map(\.text).joined()
            let comment = comment(above: file.tokens[start].line, in: file.source.lines)
            let saysWhat = comment.contains("Throws:") || comment.contains(#/\bas ``|until a deadline/#)
            guard !saysWhat, !attributes.contains("@available(*,unavailable") else { return nil }
            let message = "the public \(declaration.name) throws, and its comment does not say what"
            return Finding(path: file.path, line: file.tokens[index].line, message: message)
        }
    }

    /// Whether the declaration that a modifier begins, or the getter with which its body begins, throws.
    private static func throwsErrors(from index: Int, in tokens: [Token]) -> Bool {
        var position = index + 1
        while let token = tokens.at(position), !["{", "}", "public", "="].contains(token.text) {
            if ["throws", "rethrows"].contains(token.text) { return true }
            position = (token.text == "(" ? closing(position, in: tokens) : position) + 1
        }
        let body = tokens[min(position, tokens.count)...].prefix(4).map(\.text)
        return body.starts(with: ["{", "get"]) && body.contains("throws")
    }

    /// The documentation comment above a line, notes to the formatter apart.
    private static func comment(above line: Int, in lines: [String]) -> String {
        lines[..<(line - 1)].reversed().map { $0.drop { $0 == " " } }
            .drop { $0.hasPrefix("// swift-format-ignore") }.prefix { $0.hasPrefix("///") }.reversed()
            .joined(separator: "\n")
    }

    /// A file whose first line does not say, in three words or more, what the file is for.
    static func missingPurpose(in file: SourceFile) -> Finding? {
        let first = file.source.lines.first ?? ""
        let isC = file.path.hasSuffix(".c") || file.path.hasSuffix(".h")
        let isComment = first.hasPrefix("//") || (isC && first.hasPrefix("/*"))
        let words = first.split { !$0.isLetter && !$0.isNumber && $0 != "'" }
        guard !isComment || words.count < 3 || first.hasPrefix(FileLength.exemption) else { return nil }
        return Finding(path: file.path, line: 1, message: "the first line does not say what the file is for")
    }

    // MARK: Reading a declaration

    /// The declaration that `public` or `open` at an index begins, if the word is a modifier there.
    private static func publicDeclaration(at index: Int, in tokens: [Token]) -> (keyword: String, name: String)? {
        let token = tokens[index]
        guard token.text == "public" || token.text == "open", beginsDeclaration(at: index, in: tokens) else {
            return nil
        }
        var position = index + 1
        while let next = tokens.at(position), !isKeyword(at: position, in: tokens) {
            if next.text == "(" {
                position = closing(position, in: tokens) + 1
            } else if modifiers.contains(next.text) || next.text.hasPrefix("@") {
                position += 1
            } else {
                return nil
            }
        }
        guard let keyword = tokens.at(position)?.text else { return nil }
        let namesItself = keyword == "init" || keyword == "subscript"
        return (keyword, name(at: namesItself ? position : position + 1, in: tokens))
    }

    /// Nothing but attributes and modifiers may stand before on the same line.
    private static func beginsDeclaration(at index: Int, in tokens: [Token]) -> Bool {
        let start = startOfDeclaration(at: index, in: tokens)
        guard let before = tokens.at(start - 1), before.line == tokens[start].line else { return true }
        return ["{", "}", ";"].contains(before.text)
    }

    /// `class` is a modifier before `func`, `var`, `let` and `subscript`.
    private static func isKeyword(at index: Int, in tokens: [Token]) -> Bool {
        let next = tokens.text(index + 1)
        if tokens.text(index) == "class", keywords.contains(next) || modifiers.contains(next) { return false }
        return keywords.contains(tokens.text(index))
    }

    /// A word, or the signs of an operator; with the first label for the names that need it.
    private static func name(at index: Int, in tokens: [Token]) -> String {
        guard let first = tokens.at(index) else { return "" }
        guard first.isWord else {
            return tokens[index...].prefix { !$0.isWord && $0.text != "(" }.map(\.text).joined()
        }
        let labelled = "\(first.text)(\(tokens.text(index + 2)):"
        return tokens.text(index + 1) == "(" && witnesses.contains(labelled) ? labelled : first.text
    }

    /// The index of the first attribute or modifier of the declaration that has a modifier at this index.
    private static func startOfDeclaration(at index: Int, in tokens: [Token]) -> Int {
        var start = index
        while let before = tokens.at(start - 1) {
            if before.text.hasPrefix("@") || (modifiers.contains(before.text) && tokens.text(start - 2) != ".") {
                start -= 1
            } else if before.text == ")", let opening = opening(start - 1, in: tokens),
                tokens.text(opening - 1).hasPrefix("@") || modifiers.contains(tokens.text(opening - 1))
            {
                start = opening - 1
            } else {
                break
            }
        }
        return start
    }

    /// The index of the parenthesis that closes the one at an index.
    private static func closing(_ index: Int, in tokens: [Token]) -> Int {
        var depth = 0
        for position in index..<tokens.count {
            if tokens[position].text == "(" { depth += 1 }
            if tokens[position].text == ")" { depth -= 1 }
            if depth == 0 { return position }
        }
        return tokens.count - 1
    }

    /// The index of the parenthesis that the one at an index closes.
    private static func opening(_ index: Int, in tokens: [Token]) -> Int? {
        var depth = 0
        for position in (0...index).reversed() {
            if tokens[position].text == ")" { depth += 1 }
            if tokens[position].text == "(" { depth -= 1 }
            if depth == 0 { return position }
        }
        return nil
    }
}
