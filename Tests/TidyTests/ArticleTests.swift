// The documentation's articles show the examples as they are, lead somewhere, and name tests that there are.

import Testing

@Suite("Articles")
struct ArticleTests {
    private static func articles() throws -> [(path: String, text: String)] {
        // Below that folder lie the orders in which types show their members.
        let paths = Repository.paths.filter { path in
            path.hasPrefix(Articles.folder) && path.hasSuffix(".md")
                && !path.dropFirst(Articles.folder.count).contains("/")
        }
        try #require(paths.count > 10)
        return try paths.map { ($0, try Repository.text(of: $0)) }
    }

    @Test("Every example is shown by one article, as it is")
    func examplesAreShown() throws {
        let articles = try Self.articles()
        let names = Repository.examples.map { String($0.path.split(separator: "/")[1]) }
        #expect(articles.flatMap { Articles.marks(in: $0.text) }.sorted() == names.sorted())
        for article in articles {
            let blocks = Articles.blocks(in: article.text, at: article.path)
            for name in Articles.marks(in: article.text) {
                let code = Articles.shown(of: try Repository.text(of: "Examples/\(name)/main.swift"))
                #expect(
                    blocks.first { $0.example == name }?.code == code,
                    "\(article.path) shows \(name) otherwise; Scripts/articles mends that")
            }
        }
    }

    @Test("No link of a page leads nowhere")
    func linksLeadSomewhere() throws {
        let paths = Set(Repository.paths)
        let names = Set(try Self.articles().map { $0.path.dropFirst(Articles.folder.count).dropLast(3) })
        for path in Repository.paths where path.hasSuffix(".md") {
            let text = try Repository.text(of: path)
            report(Articles.deadLinks(in: text, at: path, among: paths))
            for name in Articles.articleLinks(in: text) {
                #expect(names.contains(Substring(name)), "\(path): there is no article \(name)")
            }
        }
    }

    @Test("Each of the 26 warnings names a test that there is, and the lines of the manual")
    func warningsAreShownByTests() throws {
        let rows = Articles.rows(in: try Repository.text(of: Articles.folder + "TheWarnings.md"))
        #expect(rows.map { $0.first } == (1...26).map { "\($0)" })
        let tests = try Repository.paths.filter { $0.hasPrefix("Tests/IPC") && $0.hasSuffix("Tests.swift") }
            .map { try Repository.text(of: $0) }.joined()
        for row in rows {
            try #require(row.count == 5)
            #expect(
                row[1].firstMatch(of: #/^\d+(-\d+)?$/#) != nil && !row[2].isEmpty && !row[3].isEmpty, "row \(row[0])")
            let named = Articles.code(in: row[4])
            #expect(!named.isEmpty)
            for test in named {
                #expect(tests.contains("\"\(test)\""), "row \(row[0]): there is no test \(test)")
            }
        }
    }

    @Test("Each row of the manual's warnings has its chapter's article linked from the landing page")
    func chaptersAreLinked() throws {
        let landing = Articles.articleLinks(in: try Repository.text(of: Articles.folder + "IPC.md"))
        for article in try Self.articles() where !article.path.hasSuffix("/IPC.md") {
            let name = String(article.path.dropFirst(Articles.folder.count).dropLast(3))
            #expect(landing.contains(name), "\(name) is not linked from the landing page")
        }
    }

    // MARK: Planted breaches

    @Test("A block is read with its language, its line and its example")
    func blocksAreRead() {
        let text = "# A\n\n<!-- Examples/cat -->\n```swift\nlet a = 1\n\nlet b = 2\n```\n\n```sh\nls\n```\n"
        #expect(
            Articles.blocks(in: text, at: "a.md") == [
                Articles.Block(
                    path: "a.md", line: 5, language: "swift", code: "let a = 1\n\nlet b = 2", example: "cat"),
                Articles.Block(path: "a.md", line: 11, language: "sh", code: "ls", example: nil),
            ])
        #expect(Articles.marks(in: text) == ["cat"])
        #expect(
            Articles.shown(of: "// Cat.\n// More.\n\nimport IPC\nlet a = 1 // one\n") == "import IPC\nlet a = 1 // one")
    }

    @Test("A link that leads nowhere is found; the web, a heading and code are no such links")
    func deadLinksAreFound() {
        let paths: Set = ["README.md", "Sources/a.md", "Sources/b.md"]
        let text = "[a](b.md) [b](../README.md#x) [c](#y) [d](https://a.b/c) `[e](f)` [g](gone.md)\n```\n[h](i)\n```\n"
        #expect(
            Articles.deadLinks(in: text, at: "Sources/a.md", among: paths)
                == [Finding(path: "Sources/a.md", line: 1, message: "gone.md does not exist")])
        #expect(Articles.articleLinks(in: "<doc:Signals>, `<doc:No>`") == ["Signals"])
    }

    @Test("A table's rows are read, with bars in their cells")
    func rowsAreRead() {
        let text = #"""
            | a | b |
            |---|---|
            | `x \| y` | 2 |
            | 3 | |
            """#
        #expect(Articles.rows(in: text) == [["`x | y`", "2"], ["3", ""]])
        #expect(Articles.code(in: "`a`, `b c`") == ["a", "b c"])
    }
}
