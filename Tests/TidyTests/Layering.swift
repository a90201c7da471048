// Who may use whom: the folders of Sources/IPC from the bottom up, and how a use is found.

enum Layering {
    /// For each folder of `Sources/IPC`, the folders whose types its files may name. The one place for it: a new chapter
    /// adds its line here and in ARCHITECTURE.md.
    static let table: [String: Set<String>] = [
        "Kernel": [],
        "Signals": ["Kernel"],
        "Pipes": ["Kernel", "Signals"],
        "Sockets": ["Kernel", "Signals"],
        "Processes": ["Kernel", "Signals", "Pipes", "Sockets"],
        "Terminals": ["Kernel", "Signals", "Pipes", "Processes"],
        "SystemV": ["Kernel"],
        "SharedMemory": ["Kernel"],
        "Messaging": ["Kernel", "Sockets", "Processes", "SharedMemory"],
    ]

    /// The only file that belongs to no folder.
    static let filesOutsideFolders: Set<String> = ["Sources/IPC/Exports.swift"]

    /// Files in the wrong place, folders without a line in the table, and names of types out of reach.
    static func findings(in files: [SourceFile]) -> [Finding] {
        let swift = files.filter { $0.path.hasPrefix("Sources/IPC/") && $0.path.hasSuffix(".swift") }
        let placed = swift.filter { table[folder(of: $0.path)] != nil }
        let declarations = Dictionary(grouping: placed) { folder(of: $0.path) }
            .mapValues { $0.flatMap(TypeDeclaration.all(in:)) }
        return swift.compactMap(misplacement)
            + placed.flatMap { uses(in: $0, of: declarations) }
    }

    /// The first folder below `Sources/IPC`, or nothing for a file that lies in none.
    static func folder(of path: String) -> String {
        let parts = path.split(separator: "/")
        return parts.count > 3 ? String(parts[2]) : ""
    }

    private static func misplacement(_ file: SourceFile) -> Finding? {
        let folder = folder(of: file.path)
        if folder.isEmpty {
            guard !filesOutsideFolders.contains(file.path) else { return nil }
            return Finding(path: file.path, line: 1, message: "lies outside the folders of the chapters")
        }
        guard table[folder] == nil, !folder.hasSuffix(".docc") else { return nil }
        return Finding(path: file.path, line: 1, message: "the folder \(folder) is not in the table of layers")
    }

    /// Names of types that folders out of reach declare. A name that the file's own folder declares too, at any depth,
    /// means its own.
    private static func uses(in file: SourceFile, of declarations: [String: [TypeDeclaration]]) -> [Finding] {
        let home = folder(of: file.path)
        let reachable = table[home, default: []]
        let own = Set(declarations[home, default: []].map(\.name))
        var owners: [String: String] = [:]
        for (folder, types) in declarations where folder != home && !reachable.contains(folder) {
            for type in types where type.isVisibleElsewhere {
                if let path = type.pathToMatch { owners[path] = folder }
            }
        }
        return file.tokens.indices.flatMap { index -> [Finding] in
            let token = file.tokens[index]
            guard token.isWord, !isMember(index, in: file.tokens) else { return [] }
            let word = token.text.filter { $0 != "`" }
            let isShort = file.tokens.text(index + 1) != "."
            let pair = isShort ? nil : "\(word).\(file.tokens.text(index + 2).filter { $0 != "`" })"
            return [own.contains(word) ? nil : word, pair].compactMap { name in
                guard let name, let owner = owners[name] else { return nil }
                return Finding(
                    path: file.path,
                    line: token.line,
                    message: "\(home) names \(name), which \(owner) declares and \(home) may not use"
                )
            }
        }
    }

    /// Whether a word follows a dot and so belongs to what stands before, unless that is the module itself.
    private static func isMember(_ index: Int, in tokens: [Token]) -> Bool {
        tokens.text(index - 1) == "." && tokens.text(index - 2) != "IPC"
    }
}

/// A type as a file declares it.
struct TypeDeclaration: Equatable {
    /// Its own name.
    let name: String
    /// The names of the types and extensions around it, from the outermost in.
    let outer: [String]
    /// Whether other files can name it.
    let isVisibleElsewhere: Bool

    /// What a use looks like: `Name` for a type at the top, `Outer.Name` for one directly inside another.
    var pathToMatch: String? {
        switch outer.count {
        case 0: name
        case 1: "\(outer[0]).\(name)"
        default: nil
        }
    }

    private static let keywords: Set = ["struct", "class", "enum", "protocol", "actor", "typealias", "extension"]

    /// The types that a file declares, in order; those inside functions are left out.
    static func all(in file: SourceFile) -> [TypeDeclaration] {
        var found: [TypeDeclaration] = []
        /// For each open brace, the type or extension that it opened, if it opened one.
        var scopes: [String?] = []
        var opening: String?
        let tokens = file.tokens
        for (index, token) in tokens.enumerated() {
            if token.text == "{" {
                scopes.append(opening)
                opening = nil
            } else if token.text == "}" {
                _ = scopes.popLast()
            } else if keywords.contains(token.text), let name = declaredName(at: index, in: tokens) {
                if token.text != "typealias" { opening = name + qualification(at: index + 2, in: tokens) }
                let outer = scopes.compactMap { $0 }
                guard token.text != "extension", outer.count == scopes.count else { continue }
                let isHidden = ["private", "fileprivate"].contains { modifier in
                    tokens[max(0, index - 3)..<index].contains { $0.text == modifier && $0.line == token.line }
                }
                found.append(TypeDeclaration(name: name, outer: outer, isVisibleElsewhere: !isHidden))
            }
        }
        return found
    }

    /// The name behind a keyword at an index, unless the word is no declaration there: `import struct`, `class func`,
    /// `.actor`, a constraint such as `T: class`, or the name of a variable.
    private static func declaredName(at index: Int, in tokens: [Token]) -> String? {
        guard let next = tokens.at(index + 1), next.isWord, next.line == tokens[index].line else { return nil }
        let notBefore: Set = [".", "(", ",", "import", "let", "var", ":", "case", "func", "any", "some"]
        let notBehind: Set = ["func", "var", "let", "subscript", "in", "is", "as", "else"]
        guard !notBefore.contains(tokens.text(index - 1)), !notBehind.contains(next.text) else { return nil }
        return next.text.filter { $0 != "`" }
    }

    /// What follows the name of an extended type: `.Inner` in `extension Outer.Inner`.
    private static func qualification(at index: Int, in tokens: [Token]) -> String {
        guard tokens.text(index) == ".", let next = tokens.at(index + 1), next.isWord else { return "" }
        return ".\(next.text)" + qualification(at: index + 2, in: tokens)
    }
}
