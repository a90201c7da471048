// The library does not trap, print or exit, explains its escapes, and the repository names no machine.

import Testing

@Suite("Forbidden")
struct ForbiddenTests {
    @Test("The library neither traps nor prints nor exits")
    func libraryDoesNotTrap() throws {
        report(try Repository.sources(under: "Sources/IPC").flatMap(Forbidden.traps))
    }

    @Test("Each escape from the compiler's checks says what makes it true")
    func escapesAreExplained() throws {
        report(try Repository.sources(under: "Sources").flatMap(Forbidden.unexplainedEscapes))
    }

    @Test("The public header of the C target asks for no extensions")
    func headerAsksForNoExtensions() throws {
        report(try Repository.sources(under: "Sources/CIPC/include").flatMap(Forbidden.extensionsInHeader))
    }

    @Test("No unfinished work is left in the sources and tests")
    func noUnfinishedWork() throws {
        for path in Repository.paths where path.hasPrefix("Sources/") || path.hasPrefix("Tests/") {
            report(Forbidden.unfinishedWork(in: try Repository.text(of: path), at: path))
        }
    }

    @Test("No file names a path of somebody's machine")
    func noLocalPaths() throws {
        #expect(Repository.paths.contains("Package.swift"))
        for path in Repository.paths {
            report(Forbidden.localPaths(in: try Repository.text(of: path), at: path))
        }
    }

    // MARK: Planted breaches

    private func planted(_ text: String) -> SourceFile { SourceFile(path: "Sources/IPC/A.swift", text: text) }

    @Test(
        "Each trap is found",
        arguments: [
            ("let a = try! f()", "try!"), ("let a = b as! C", "as!"), ("fatalError(\"no\")", "fatalError()"),
            ("Swift.preconditionFailure()", "preconditionFailure()"), ("print(1)", "print()"),
            ("Swift.print(1)", "print()"), ("    exit(1)", "exit()"), ("let a = b!", "a postfix !"),
            ("f()!.g()", "a postfix !"), ("a[0]!", "a postfix !"), ("var a: Int!", "a postfix !"),
            ("let a = \"\\(b!)\"", "a postfix !"), ("b! == c", "a postfix !"),
        ]
    )
    func trapIsFound(text: String, what: String) {
        #expect(Forbidden.traps(in: planted(text)).map(\.message) == ["\(what) in the library"])
    }

    @Test(
        "What only looks like a trap passes",
        arguments: [
            "let a = !b", "f(!a, [!b])", "a != b", "a!=b", "// try! print(1)", "let a = \"b! exit(1)\"",
            "stream.print(1)",
            "func print(_ a: Int) {}", "_exit(1)", "let fatalError = 1", "/* a! */", "#if !os(Linux)\n#endif",
        ]
    )
    func lookalikePasses(text: String) {
        #expect(Forbidden.traps(in: planted(text)).isEmpty)
    }

    @Test(
        "An escape without a reason is found",
        arguments: [
            "final class A: @unchecked Sendable {}", "nonisolated(unsafe) var a = 1",
            "// unsafe\nnonisolated(unsafe) var a = 1",
            "// The lock guards it.\n\n\n\n\nnonisolated(unsafe) var a = 1",
            "let a = \"because\"\nfinal class A: @unchecked Sendable {}",
            "nonisolated(unsafe) var a = 1\n// Only one thread writes b.\nvar b = 2",
        ]
    )
    func unexplainedEscapeIsFound(text: String) {
        #expect(Forbidden.unexplainedEscapes(in: planted(text)).count == 1)
    }

    @Test(
        "An escape with a reason on its line, within the four above or first in its body passes",
        arguments: [
            "/// Guarded by the loop's thread.\nfinal class A: @unchecked Sendable {}",
            "nonisolated(unsafe) var a = 1  // written once, only by main",
            "// Locked.\n\n\n\nnonisolated(unsafe) var a = 1",
            "final class A: @unchecked Sendable {\n    // Safe because nobody writes.\n}",
            "// nonisolated(unsafe)",
        ]
    )
    func explainedEscapePasses(text: String) {
        #expect(Forbidden.unexplainedEscapes(in: planted(text)).isEmpty)
    }

    @Test("Extensions asked for in a header are found, a comment about them is not")
    func extensionsInHeader() {
        let file = SourceFile(path: "Sources/CIPC/include/a.h", text: "// Not _GNU_SOURCE.\n#define _GNU_SOURCE 1\n")
        #expect(Forbidden.extensionsInHeader(file).map(\.line) == [2])
    }

    @Test("Marks of unfinished work are found as whole words")
    func unfinishedWork() {
        for mark in Forbidden.marks {
            #expect(Forbidden.unfinishedWork(in: "a\n// \(mark): later", at: "A").map(\.line) == [2])
            #expect(Forbidden.unfinishedWork(in: "\(mark)\(mark) a\(mark) \(mark)_", at: "A").isEmpty)
        }
    }

    @Test("Paths of a machine are found, the same words inside a project's path are not")
    func localPaths() {
        for home in Forbidden.homes {
            #expect(Forbidden.localPaths(in: "a\nsee \(home)main", at: "A").map(\.line) == [2])
            #expect(Forbidden.localPaths(in: "\"\(home)\"", at: "A").count == 1)
            #expect(Forbidden.localPaths(in: "Sources\(home)main ..\(home)", at: "A").isEmpty)
        }
    }
}
