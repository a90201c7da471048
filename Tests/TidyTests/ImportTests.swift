// Each target imports what the design allows it, and the tool uses the library as any customer does.

import Testing

@Suite("Imports")
struct ImportTests {
    @Test("The targets import only what they may")
    func targetsImportOnlyWhatTheyMay() throws {
        report(Imports.findings(in: try Repository.sources(under: "Sources") + Repository.examples))
    }

    private func findings(_ text: String, at path: String) -> [String] {
        Imports.findings(in: [SourceFile(path: path, text: text)]).map(\.message)
    }

    @Test(
        "The library imports neither Foundation nor the C library",
        arguments: [
            "import Foundation", "public import FoundationEssentials", "import Glibc", "private import Dispatch",
            "import struct Foundation.Data", "@preconcurrency import Musl", "#if os(Linux)\nimport Glibc\n#endif",
            "@testable import CIPC", "@_exported public import SystemPackage",
        ]
    )
    func libraryImports(text: String) {
        #expect(findings(text, at: "Sources/IPC/Kernel/Loop.swift").count == 1)
    }

    @Test("What the library may import passes, and one file hands on a module")
    func libraryMayImport() {
        let text = "internal import CIPC\npublic import SystemPackage\nimport Logging\nimport Synchronization"
        #expect(findings(text, at: "Sources/IPC/Kernel/Loop.swift").isEmpty)
        #expect(findings("@_exported public import SystemPackage", at: "Sources/IPC/Exports.swift").isEmpty)
    }

    @Test(
        "The tool goes through the public interface",
        arguments: [
            "@testable import IPC", "package import IPC", "import CIPC", "@_spi(Tool) import IPC", "import Foundation",
            "package func f() {}", "import Glibc\nlet me = getpid()",
        ]
    )
    func toolImports(text: String) {
        #expect(findings(text, at: "Sources/IPCTool/Main.swift").count == 1)
    }

    @Test("What the tool may import passes, the C library for exit")
    func toolMayImport() {
        let text = "import ArgumentParser\nimport FoundationEssentials\nimport IPC\nimport func Glibc.exit\nexit(0)"
        #expect(findings(text, at: "Sources/IPCTool/Main.swift").isEmpty)
        #expect(findings("let package = 1\nprint(package)", at: "Sources/IPCTool/Main.swift").isEmpty)
    }

    @Test("The examples import the library, and the C library for exit, as whoever uses it does")
    func exampleImports() {
        #expect(findings("import Glibc\nimport IPC\nexit(0)", at: "Examples/bogus/main.swift").isEmpty)
        for text in ["import Foundation", "import CIPC", "@testable import IPC", "import Glibc\nfork()"] {
            #expect(findings(text, at: "Examples/bogus/main.swift").count == 1)
        }
    }

    @Test("A target without a line in the table is found, one of C alone is not")
    func unknownTarget() {
        #expect(findings("", at: "Sources/Helpers/A.swift") == ["the target Helpers is not in the table of imports"])
        #expect(findings("", at: "Sources/CIPC/spawn.c").isEmpty)
    }
}
