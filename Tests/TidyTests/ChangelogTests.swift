// The changelog says what is new, and the README opens with running code.

import Testing

enum Pages {
    /// A changelog has a heading for what is not released, or for a version, with an entry below.
    static func isChangelog(_ text: String) -> Bool {
        var isBelowHeading = false
        for line in text.split(separator: "\n") {
            if line.hasPrefix("## ") {
                let title = line.dropFirst(3).drop { $0 == "[" || $0 == "v" }
                isBelowHeading = title.hasPrefix("Unreleased") || title.first?.isNumber == true
            } else if isBelowHeading, line.hasPrefix("- ") || line.hasPrefix("* ") {
                return true
            }
        }
        return false
    }

    /// The line, counted from 1, at which the first block of Swift code opens.
    static func firstSwiftBlock(in text: String) -> Int? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.firstIndex { $0.hasPrefix("```swift") }.map { $0 + 1 }
    }
}

@Suite("Changelog and README")
struct ChangelogTests {
    @Test("The changelog has an entry")
    func changelogHasAnEntry() throws {
        #expect(Pages.isChangelog(try Repository.text(of: "CHANGELOG.md")))
    }

    @Test("The README shows Swift code before its twentieth line")
    func readmeOpensWithCode() throws {
        let line = try #require(Pages.firstSwiftBlock(in: try Repository.text(of: "README.md")))
        #expect(line < 20)
    }

    @Test("The README names the command that shows everything and the one that tests it")
    func readmeNamesTheCommands() throws {
        let text = try Repository.text(of: "README.md")
        #expect(text.contains("swift run -c release ipc tour"))
        #expect(text.contains("swift test"))
    }

    @Test(
        "A changelog without a heading or without an entry below it is found",
        arguments: ["", "- entry", "# Unreleased\n- entry", "## Unreleased\n\n## Notes\n- entry", "## Added\n- entry"]
    )
    func emptyChangelog(text: String) {
        #expect(!Pages.isChangelog(text))
    }

    @Test(
        "A changelog with an entry passes",
        arguments: [
            "# Changes\n\n## Unreleased\n\n### Added\n\n- entry", "## [0.1.0]\n* entry", "## 1.2.0 (soon)\n- entry",
        ]
    )
    func filledChangelog(text: String) {
        #expect(Pages.isChangelog(text))
    }

    @Test("The first block of Swift code is found where it opens")
    func firstBlock() {
        #expect(Pages.firstSwiftBlock(in: "# A\n```sh\nls\n```\n```swift\n```") == 5)
        #expect(Pages.firstSwiftBlock(in: "# A\n    let a = 1") == nil)
    }
}
