// What is shown as code compiles: the blocks of the README and the articles, and the calls in their tables.

import Foundation
import IPC
import Testing

@testable import IPCTests

@Suite("Code in pages", .guarded(limit: .seconds(120)))
struct CodeBlockTests {
    /// Where the compiler finds the modules that these tests were built with.
    private static let build = FilePath(TestChild.path).removingLastComponent()

    /// Has the compiler look at a program, and gives what it says.
    private static func faults(in program: String, _ options: [String]) async throws -> String {
        try await withTemporaryFolder { folder in
            let file = folder.appending("main.swift")
            try Data(program.utf8).write(to: URL(filePath: file.string))
            let arguments = ["-typecheck", "-suppress-warnings"] + options + [file.string]
            let compiler = Command("swiftc", arguments: arguments).unchecked().mergingError()
            let result = try await compiler.capture(timeout: .seconds(100))
            return result.status.isSuccess ? "" : "\(result.status)\n\(result.output.text)"
        }
    }

    /// What the library's users say to the compiler, for a program that has each piece in a function of its own.
    private static func faults(in blocks: [Articles.Block]) async throws -> String {
        let csystem = build.removingLastComponent().removingLastComponent()
            .appending("checkouts/swift-system/Sources/CSystem/include").string
        let map = build.appending("CIPC.build/module.modulemap").string
        return try await faults(
            in: Articles.program(of: blocks),
            [
                "-swift-version", "6", "-I", build.appending("Modules").string, "-I", csystem,
                "-Xcc", "-fmodule-map-file=\(map)",
            ])
    }

    private static func report(_ faults: String) {
        if !faults.isEmpty { Issue.record(Comment(rawValue: faults)) }
    }

    private static func pages() throws -> [(path: String, text: String)] {
        try Repository.paths.filter { $0 == "README.md" || $0.hasPrefix(Articles.folder) && $0.hasSuffix(".md") }
            .map { ($0, try Repository.text(of: $0)) }
    }

    @Test("Every block of Swift in the README and the articles compiles")
    func blocksCompile() async throws {
        let blocks = try Self.pages().flatMap { Articles.blocks(in: $0.text, at: $0.path) }
            .filter { $0.language == "swift" && $0.example == nil }
        let (manifests, programs) = (blocks.filter(\.isManifest), blocks.filter { !$0.isManifest })
        try #require(!programs.isEmpty)
        Self.report(try await Self.faults(in: programs))
        for manifest in manifests {
            Self.report(try await Self.faultsInManifest(manifest.code))
        }
    }

    /// A manifest is compiled as the package manager does it.
    private static func faultsInManifest(_ text: String) async throws -> String {
        let compiler = try await Command("which", "swiftc").read()
        let real = try await Command("realpath", compiler).read()
        let toolchain = FilePath(real).removingLastComponent().removingLastComponent()
        return try await faults(
            in: text,
            [
                "-I", toolchain.appending("lib/swift/pm/ManifestAPI").string, "-package-description-version", "6.2.0",
            ])
    }

    @Test("Every call in a table of the README and of the articles compiles")
    func callsCompile() async throws {
        let calls = try Self.pages().flatMap { path, text in
            Articles.rows(in: text).compactMap { $0.dropFirst().first }.flatMap(Articles.code).filter(Articles.isCall)
                .map { code in
                    Articles.Block(path: path, line: 1, language: "swift", code: Articles.completed(code), example: nil)
                }
        }
        try #require(calls.count >= 40)
        Self.report(try await Self.faults(in: calls))
    }

    @Test("Every call that the tool's guide shows compiles")
    func guideCompiles() async throws {
        let path = "Sources/IPCTool/GuideCommand.swift"
        let calls = try Repository.text(of: path).matches(of: #/call: #?"(.*?)"#?,(?: command|\n)/#).map { match in
            Articles.Block(
                path: path, line: 1, language: "swift", code: Articles.completed(String(match.1)), example: nil)
        }
        try #require(calls.count == 16)
        Self.report(try await Self.faults(in: calls))
    }

    @Test("What does not compile is found")
    func faultsAreFound() async throws {
        let block = Articles.Block(
            path: "a.md", line: 7, language: "swift", code: "try ProcessID(1).stop()", example: nil)
        #expect(try await Self.faults(in: [block]).contains("a.md:7:"))
    }
}

extension Articles.Block {
    fileprivate var isManifest: Bool { code.hasPrefix("// swift-tools-version") }
}

extension Articles {
    /// Whether a piece of code is a call of this library, rather than a name or a command of a shell.
    fileprivate static func isCall(_ code: String) -> Bool {
        code.contains("(") && code.firstMatch(of: #/^(let |try |for |await |[A-Z][A-Za-z.]*[(.?])/#) != nil
    }

    /// A call whose `...` says that something stands there which does not matter.
    fileprivate static func completed(_ call: String) -> String {
        let code = call.replacing(#/\{ (([a-z]+) in )?\.\.\. \}/#) { match in
            match.1 == nil ? "{ _ = () }" : "{ \(match.2 ?? "") in _ = \(match.2 ?? "") }"
        }
        return code.hasPrefix("let ") || code.hasPrefix("for ") ? code : "_ = \(code)"
    }

    /// A program that has each block in a function of its own, with what the blocks may take for granted.
    fileprivate static func program(of blocks: [Block]) -> String {
        var imports: Set<Substring> = ["import IPC"]
        let functions = blocks.enumerated().map { index, block in
            let lines = block.code.split(separator: "\n", omittingEmptySubsequences: false)
            imports.formUnion(lines.filter { $0.hasPrefix("import ") })
            // The way in from a program that is not asynchronous is not to be had in one that is.
            let isOwnMain = block.code.contains("EventLoop.run") || block.code.contains("Daemon.detach")
            let effects = isOwnMain ? "throws" : "async throws"
            let body = lines.map { $0.hasPrefix("import ") ? "" : $0 }.joined(separator: "\n")
            return """
                func block\(index)(host: String, word: String, x: String, fifo: FIFO, reader: ByteReader, payload: [UInt8], image: Int) \(effects) {
                #sourceLocation(file: "\(block.path)", line: \(block.line))
                \(body)
                #sourceLocation()
                }

                """
        }
        let worker = """
            struct Resize: Worker { static func run(_ side: Int) async throws -> Int { side } }

            """
        return imports.sorted().joined(separator: "\n") + "\n" + worker + functions.joined()
    }
}
