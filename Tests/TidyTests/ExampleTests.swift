// Each example is one short file that says what it answers; the manifest, the README and a test know it.

import Testing

enum Examples {
    /// The most lines that an example may have, its head included: it is read beside the manual's.
    static let limit = 40

    /// The texts that have to name every example.
    struct Lists {
        let manifest: String
        let readme: String
        let tests: String
    }

    static func findings(in files: [SourceFile], _ lists: Lists) -> [Finding] {
        files.flatMap { file in messages(for: file, lists).map { Finding(path: file.path, line: 1, message: $0) } }
            + staleLinks(in: lists.readme, files.map(\.path))
    }

    private static func messages(for file: SourceFile, _ lists: Lists) -> [String] {
        let parts = file.path.split(separator: "/")
        guard parts.count == 3, parts[2] == "main.swift" else { return ["an example is one file, main.swift"] }
        let name = parts[1]
        var found: [String] = []
        if !lists.manifest.contains("\"\(name)\"") { found.append("Package.swift does not name it") }
        if !lists.readme.contains("[\(name)](\(name)/main.swift)") { found.append("README.md does not link to it") }
        if !lists.tests.contains("\"\(name)\"") { found.append("no test runs it") }
        let lines = file.source.lines
        let count = lines.count - (lines.last?.isEmpty == true ? 1 : 0)
        if count > limit { found.append("\(count) lines, \(limit) at most") }
        let head = lines.prefix { $0.hasPrefix("//") }.joined(separator: "\n")
        if !head.contains("The manual, line"), !head.contains("Today's perlipc") {
            found.append("the head does not say which lines of the manual it answers")
        }
        return found
    }

    private static func staleLinks(in readme: String, _ paths: [String]) -> [Finding] {
        readme.matches(of: #/\]\(([^)]+\.swift)\)/#).map { "Examples/\($0.1)" }.filter { !paths.contains($0) }
            .map { Finding(path: "Examples/README.md", line: 1, message: "\($0) does not exist") }
    }
}

@Suite("Examples")
struct ExampleTests {
    @Test("Every example is short, says what it answers, and is listed, linked to and tested")
    func everyExampleIsKnown() throws {
        let tests = Repository.paths.filter { $0.hasPrefix("Examples/Tests/") }
        let lists = Examples.Lists(
            manifest: try Repository.text(of: "Examples/Package.swift"),
            readme: try Repository.text(of: "Examples/README.md"),
            tests: try tests.map { try Repository.text(of: $0) }.joined())
        try #require(!Repository.examples.isEmpty)
        report(Examples.findings(in: Repository.examples, lists))
        report(Repository.examples.compactMap(Documentation.missingPurpose))
    }

    // MARK: Planted breaches

    private let lists = Examples.Lists(
        manifest: #"["cat"]"#, readme: "| [cat](cat/main.swift) | 1 |", tests: #"run("cat")"#)
    private let head = "// A cat. The manual, lines 1-2: cat.\n"

    private func messages(_ files: [String: String], _ lists: Examples.Lists) -> [String] {
        Examples.findings(in: files.map { SourceFile(path: $0.key, text: $0.value) }, lists).map(\.message)
    }

    @Test("An example that is in order passes")
    func goodPasses() {
        #expect(messages(["Examples/cat/main.swift": head], lists).isEmpty)
        #expect(messages(["Examples/cat/main.swift": "// A cat. Today's perlipc: cat.\n"], lists).isEmpty)
    }

    @Test("An example that a list does not know is found, once for each")
    func unknownIsFound() {
        let files = ["Examples/cat/main.swift": head]
        let empty = Examples.Lists(manifest: "", readme: "", tests: "")
        #expect(messages(files, empty).count == 3)
        #expect(messages([:], lists) == ["Examples/cat/main.swift does not exist"])
    }

    @Test("An example that is too long, has no head, or lies elsewhere is found")
    func badIsFound() {
        let long = head + String(repeating: "let a = 1\n", count: Examples.limit)
        #expect(messages(["Examples/cat/main.swift": long], lists) == ["41 lines, 40 at most"])
        #expect(messages(["Examples/cat/main.swift": "// A cat.\n"], lists).count == 1)
        #expect(
            messages(["Examples/cat/main.swift": head, "Examples/cat/More.swift": head], lists)
                == ["an example is one file, main.swift"])
    }
}
