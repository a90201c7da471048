// What is looked at in pages for people: their blocks of code, their links, and the tests that they name.

import Foundation

enum Articles {
    /// Where those of the documentation are.
    static let folder = "Sources/IPC/IPC.docc/"

    /// A block of code in a page.
    struct Block: Equatable, Sendable {
        let path: String
        /// Of its first line, counted from 1.
        let line: Int
        let language: String
        let code: String
        /// The example that the comment directly above it names.
        let example: String?
    }

    static func blocks(in text: String, at path: String) -> [Block] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var blocks: [Block] = []
        var opened: (index: Int, example: String?)?
        for (index, line) in lines.enumerated() where line.hasPrefix("```") {
            guard let (start, example) = opened else {
                opened = (index, index > 0 ? mark(lines[index - 1]) : nil)
                continue
            }
            let code = lines[(start + 1)..<index].joined(separator: "\n")
            let language = String(lines[start].dropFirst(3))
            blocks.append(Block(path: path, line: start + 2, language: language, code: code, example: example))
            opened = nil
        }
        return blocks
    }

    /// The example that a line says is to follow.
    static func mark(_ line: Substring) -> String? {
        line.wholeMatch(of: #/<!-- Examples/([a-z0-9-]+) -->/#).map { String($0.1) }
    }

    /// The examples that a page says it shows.
    static func marks(in text: String) -> [String] { text.split(separator: "\n").compactMap(mark) }

    /// What an article shows of an example: all behind its head.
    static func shown(of example: String) -> String {
        let lines = example.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.drop { $0.hasPrefix("//") }.joined(separator: "\n").trimmingCharacters(in: .newlines)
    }

    // MARK: Links

    /// The files and headings to which a page's links lead: those of the repository, not of the web.
    static func links(in text: String) -> [String] {
        withoutCode(text).matches(of: #/\]\(([^)\s]+)\)/#).map { String($0.1) }.filter { !$0.contains("://") }
    }

    /// The articles to which a page of the documentation links.
    static func articleLinks(in text: String) -> [String] {
        withoutCode(text).matches(of: #/<doc:([A-Za-z0-9-]+)>/#).map { String($0.1) }
    }

    /// What a link that leads nowhere is found as.
    static func deadLinks(in text: String, at path: String, among paths: Set<String>) -> [Finding] {
        let folder = path.split(separator: "/").dropLast()
        return links(in: text).filter { !$0.hasPrefix("#") }
            .filter { !paths.contains(resolved(String($0.prefix { $0 != "#" }), from: folder)) }
            .map { Finding(path: path, line: 1, message: "\($0) does not exist") }
    }

    private static func resolved(_ link: String, from folder: ArraySlice<Substring>) -> String {
        var parts = Array(folder)
        for part in link.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }

    private static func withoutCode(_ text: String) -> String {
        var isCode = false
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            if line.hasPrefix("```") { isCode.toggle() }
            return !isCode
        }
        return lines.joined(separator: "\n").replacing(#/`[^`\n]*`/#, with: "")
    }

    // MARK: Rows

    /// The cells of the tables' rows, their headings and rules left out.
    static func rows(in text: String) -> [[String]] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.indices.filter { index in
            lines[index].hasPrefix("| ") && (index + 1 == lines.count || !lines[index + 1].hasPrefix("|---"))
        }
        .map { index in
            // A bar with a backslash belongs to the cell.
            let cells = lines[index].replacing(#"\|"#, with: "\u{0}").split(
                separator: "|", omittingEmptySubsequences: false)
            return cells.dropFirst().dropLast().map {
                $0.replacing("\u{0}", with: "|").trimmingCharacters(in: .whitespaces)
            }
        }
    }

    /// The pieces of code in a cell.
    static func code(in cell: String) -> [String] { cell.matches(of: #/`([^`]+)`/#).map { String($0.1) } }
}
