// Finds the repository around this file and reads what is in it. These tests start nothing and wait for nothing, so
// their suites need no leak guard and run in parallel.

import Foundation
import Testing

/// A file of the repository, with its path from the root.
struct SourceFile: Sendable {
    let path: String
    let source: SourceText
    let tokens: [Token]

    init(path: String, text: String) {
        self.path = path
        let isC = path.hasSuffix(".c") || path.hasSuffix(".h")
        source = SourceText(text, language: isC ? .c : .swift)
        tokens = source.tokens()
    }
}

/// A breach of a rule: where, and what is wrong.
struct Finding: Sendable, Equatable, CustomStringConvertible {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// Fails the running test once for each finding.
func report(_ findings: [Finding]) {
    for finding in findings { Issue.record(Comment(rawValue: finding.description)) }
}

/// The tree that this test was built from.
enum Repository {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every path that `.gitignore` does not name.
    static let paths: [String] = {
        let ignored = IgnoredPaths((try? text(of: ".gitignore")) ?? "")
        return list("", leavingOut: ignored)
    }()

    /// The Swift, C and header files below `Sources`.
    static let sources = files {
        $0.hasPrefix("Sources/") && ($0.hasSuffix(".swift") || $0.hasSuffix(".c") || $0.hasSuffix(".h"))
    }

    /// The examples' programs.
    static let examples = files {
        $0.hasPrefix("Examples/") && !$0.hasPrefix("Examples/Tests/") && $0.hasSuffix(".swift")
            && $0 != "Examples/Package.swift"
    }

    private static func files(where isWanted: (String) -> Bool) -> [SourceFile] {
        paths.filter(isWanted).compactMap { path in (try? text(of: path)).map { SourceFile(path: path, text: $0) } }
    }

    /// The sources below a folder; without any the rules would hold for nothing, so that is an error.
    static func sources(under folder: String) throws -> [SourceFile] {
        let found = sources.filter { $0.path.hasPrefix(folder + "/") }
        try #require(!found.isEmpty, "no source files under \(folder)")
        return found
    }

    /// The text of a file; bytes that are not UTF-8 are replaced.
    static func text(of path: String) throws -> String {
        String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
    }

    private static func list(_ folder: String, leavingOut ignored: IgnoredPaths) -> [String] {
        let directory = folder.isEmpty ? root.path : root.appending(path: folder).path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().flatMap { name -> [String] in
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            guard !ignored.covers(path) else { return [] }
            let type = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")[.type]
            switch type as? FileAttributeType {
            case .typeDirectory: return list(path, leavingOut: ignored)
            case .typeRegular: return [path]
            default: return []
            }
        }
    }
}

/// The few forms of pattern that this repository's `.gitignore` uses: a name, or a path from the root after a slash.
struct IgnoredPaths {
    private let patterns: [String]

    init(_ text: String) {
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        patterns = lines.map { String($0.hasSuffix("/") ? $0.dropLast() : $0) } + [".git"]
    }

    func covers(_ path: String) -> Bool {
        let name = String(path.split(separator: "/").last ?? "")
        return patterns.contains { pattern in
            if pattern.hasPrefix("/") { return fnmatch(String(pattern.dropFirst()), path, FNM_PATHNAME) == 0 }
            return fnmatch(pattern, name, 0) == 0
        }
    }
}
