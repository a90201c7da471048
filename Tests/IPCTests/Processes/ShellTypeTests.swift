// What must not compile: a text that was made at run time, given to the shell.
import Glibc
import IPC
import Testing

/// Whether code that uses the library compiles, asked of the compiler with the modules that these tests were built with.
private enum Compiler {
    private static let folder = String(TestChild.path.dropLast("/TestChild".count))

    /// Where the package manager has put what the modules need, found from the tests' own program upwards.
    private static let systemModule: String? = {
        var parent = folder
        while let slash = parent.lastIndex(of: "/") {
            parent = String(parent[..<slash])
            let path = "\(parent)/checkouts/swift-system/Sources/CSystem/include"
            if access(path, F_OK) == 0 { return path }
        }
        return nil
    }()

    static let isThere =
        ForeignProcess.exists("swiftc") && systemModule != nil && access("\(folder)/Modules/IPC.swiftmodule", F_OK) == 0

    /// The expressions, in a function with a `String` called `text`, that the compiler has an error for.
    static func refused(_ expressions: [String]) async throws -> [String] {
        try await withTemporaryFolder { place in
            let file = try ByteWriter(.open(FilePath("\(place)/main.swift"), for: .create))
            try await file.write("import IPC\n")
            for (index, expression) in expressions.enumerated() {
                try await file.write("func use\(index)(_ text: String) throws { _ = \(expression) }\n")
            }
            try file.close()
            let result = try await Command(
                "swiftc", "-typecheck", "-swift-version", "6", "-module-cache-path", "\(place)/cache", "-I",
                "\(folder)/Modules", "-I", systemModule ?? "", "-Xcc",
                "-fmodule-map-file=\(folder)/CIPC.build/module.modulemap", "\(place)/main.swift"
            ).unchecked().capture(timeout: .seconds(100))
            let errors = result.error.text.split(separator: "\n").filter { $0.contains(": error:") }
            #expect(result.status.isSuccess == errors.isEmpty)
            let lines = Set(errors.compactMap { $0.split(separator: ":").dropFirst().first.flatMap { Int($0) } })
            #expect(!lines.contains(1), "\(errors)")
            return expressions.enumerated().filter { lines.contains($0.offset + 2) }.map(\.element)
        }
    }
}

@Suite(.guarded(limit: .seconds(200)), .enabled(if: Compiler.isThere))
struct ShellTypeTests {
    @Test("H-21, S-59: a text from outside does not compile as a script; as a word it does, and so does what is loud")
    func textIsNoScript() async throws {
        let refused = [
            "Command.shell(text)", #"Command.shell("echo " + text)"#, "Command.shell(ShellScript(text))",
            "ShellScript(stringLiteral: text)", "ShellScript(bytes: text)", "text as ShellScript",
            #"Command.shell("echo \([text])")"#, #"Command.shell(String("echo \(text)"))"#,
        ]
        let taken = [
            #"Command.shell("echo \(text)")"#, #"Command.shell("echo \(words: [text])")"#,
            #"Command.shell("\(raw: text)")"#, #"try Command("ssh", "host", ("echo \(text)" as ShellScript).bytes)"#,
            "ShellScript.quoted(text) + text",
        ]
        #expect(try await Compiler.refused(refused + taken) == refused)
        #expect(try await Compiler.refused(taken).isEmpty)
    }
}
