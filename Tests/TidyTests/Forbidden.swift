// What may not stand in the sources, and in the whole repository.

enum Forbidden {
    // MARK: Traps and talk

    /// Ways to end or to talk over the head of the program that uses the library.
    static func traps(in file: SourceFile) -> [Finding] {
        file.tokens.indices.compactMap { index in
            guard let what = trap(at: index, in: file.tokens) else { return nil }
            return Finding(path: file.path, line: file.tokens[index].line, message: "\(what) in the library")
        }
    }

    private static func trap(at index: Int, in tokens: [Token]) -> String? {
        let token = tokens[index]
        let before = tokens.text(index - 1)
        switch token.text {
        case "!" where token.touchesPrevious:
            if let next = tokens.at(index + 1), next.touchesPrevious, next.text == "=" { return nil }
            if before == "try" || before == "as" { return "\(before)!" }
            let isPostfix = tokens.at(index - 1)?.isWord == true || [")", "]", "}", "\"", "?"].contains(before)
            return isPostfix ? "a postfix !" : nil
        case "fatalError", "preconditionFailure":
            return tokens.text(index + 1) == "(" ? "\(token.text)()" : nil
        case "print", "exit":
            let isMember = before == "." && tokens.text(index - 2) != "Swift"
            return tokens.text(index + 1) == "(" && !isMember && before != "func" ? "\(token.text)()" : nil
        default:
            return nil
        }
    }

    // MARK: Escapes from the checks of the compiler

    private static let reasons = ["because", "rule", "lock", "only", "guard", "safe"]

    /// `@unchecked Sendable` and `nonisolated(unsafe)` without a comment that says what makes them true: on the line, within
    /// the four above, or first in the body that the line opens.
    static func unexplainedEscapes(in file: SourceFile) -> [Finding] {
        let tokens = file.tokens
        return tokens.indices.compactMap { index in
            let escape: String
            if tokens[index].text == "@unchecked", tokens.text(index + 1) == "Sendable" {
                escape = "@unchecked Sendable"
            } else if tokens[index].text == "nonisolated", tokens.text(index + 2) == "unsafe" {
                escape = "nonisolated(unsafe)"
            } else {
                return nil
            }
            let line = tokens[index].line
            let opensBody = file.source.code[line - 1].last { $0 != " " } == "{"
            let near = max(0, line - 5)..<min(line + (opensBody ? 1 : 0), file.source.comments.count)
            let words = file.source.comments[near].joined(separator: " ").lowercased().split { !$0.isLetter }
            guard !words.contains(where: { word in reasons.contains(where: word.hasPrefix) }) else { return nil }
            return Finding(path: file.path, line: line, message: "\(escape) without the rule that makes it true")
        }
    }

    // MARK: The C target

    /// The C library's extensions belong into the `.c` files: in a public header they would clash with Swift's own.
    static func extensionsInHeader(_ file: SourceFile) -> [Finding] {
        file.tokens.filter { $0.text == "_GNU_SOURCE" }.map {
            Finding(path: file.path, line: $0.line, message: "_GNU_SOURCE in a public header")
        }
    }

    // MARK: Words and paths

    /// Joined here, so that this file does not hold the words itself.
    static let marks = ["TO" + "DO", "FIX" + "ME", "X" + "XX"]

    /// Marks of unfinished work, also in comments and literals.
    static func unfinishedWork(in text: String, at path: String) -> [Finding] {
        findings(in: text, at: path) { line in
            let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
            return words.first { marks.contains(String($0)) }.map { "\($0) left behind" }
        }
    }

    /// Folders in which a repository may lie on somebody's machine.
    static let homes = ["work", "farm", "root"].map { "/" + $0 + "/" }

    /// Paths that are true on one machine alone.
    static func localPaths(in text: String, at path: String) -> [Finding] {
        findings(in: text, at: path) { line in
            homes.first { home in
                line.ranges(of: home).contains { range in
                    guard let before = line[..<range.lowerBound].last else { return true }
                    return !before.isLetter && !before.isNumber && !"_.".contains(before)
                }
            }.map { "a path below \($0)" }
        }
    }

    private static func findings(in text: String, at path: String, _ rule: (Substring) -> String?) -> [Finding] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { number, line in
            rule(line).map { Finding(path: path, line: number + 1, message: $0) }
        }
    }
}
