// What the options of ipc run do, and what hostile arguments do not.
import Glibc
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct RunOptionsTests {
    @Test func theProgramHasTheCallersStreams() async throws {
        let run = try await Tool.child([], "cat", input: "text\n")
        #expect(run.output == "text\n")
        let both = try await Tool.script(#""$ipc" run -- sh -c "echo out; echo err >&2""#)
        #expect(both.output == "out\n" && both.error == "err\n")
    }

    @Test func variablesAreSetAndTheEnvironmentCleaned() async throws {
        let set = try await Tool.child(["--env", "A=b=c", "--env", "E=", "--env", "A=last"], "env")
        let lines = set.output.split(separator: "\n")
        #expect(lines.contains("A=last") && lines.contains("E="))
        #expect(lines.contains { $0.hasPrefix("PATH=") })
        setenv("IPC_TEST_SECRET", "s", 1)
        defer { unsetenv("IPC_TEST_SECRET") }
        let clean = try await Tool.child(["--clean-env", "--env", "A=b"], "env").output.split(separator: "\n")
        #expect(clean.contains("A=b") && clean.contains { $0.hasPrefix("PATH=") })
        #expect(!clean.contains { $0.hasPrefix("IPC_TEST_SECRET") })
        #expect(try await Tool.child([], "env").output.contains("IPC_TEST_SECRET=s"))
    }

    @Test func theDirectoryIsTheProgramsAlone() async throws {
        try await withTemporaryFolder { folder in
            let run = try await Tool.child(["--directory", folder.string], "cwd")
            #expect(run.output == "\(folder)\n")
        }
    }

    @Test("I-1: arguments pass byte for byte, also those that are not UTF-8 and those that look like options")
    func arguments() async throws {
        let texts = ["--json", "--", "-x", "", "a b", "$(id)", "\n", "é"]
        let run = try await Tool.start(Tool.path, ["run", "--", Tool.child, "args"] + texts)
        let expected = texts.map { $0.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\n" }
            .joined()
        #expect(run.output == expected)
        let odd = try await Tool.script(#""$ipc" run -- "$child" args "$(printf '\377\376a')" "$(printf '\303')""#)
        #expect(odd.output == "fffe61\nc3\n")
        let script = #"p="$1/$(printf '\377')"; cp "$child" "$p" && "$ipc" run -- "$p" exit 4; s=$?; rm "$p"; exit $s"#
        let program = try await withTemporaryFolder { try await Tool.script(script, $0.string) }
        #expect(program.status == 4)
    }

    @Test("I-5: options that are not UTF-8, and a megabyte of arguments, are errors and no traps")
    func hostile() async throws {
        for option in [#"--directory "$odd""#, #"--env "A=$odd""#, #"--timeout "$odd""#, #""$odd""#] {
            let run = try await Tool.script(#"odd=$(printf '/\377'); "$ipc" run \#(option) -- true"#)
            #expect(run.status == 64, "\(option)")
            #expect(!run.error.isEmpty)
        }
        let long = [String](repeating: String(repeating: "a", count: 100_000), count: 10)
        let many = try await Tool.start(Tool.path, ["run", "--", Tool.child, "args"] + long)
        #expect(many.status == 0)
        #expect(many.outputBytes.count == 10 * 200_001)
        let usage = try await Tool.start(Tool.path, ["run"] + long)
        #expect(usage.status == 64)
        let variable = try await Tool.start(Tool.path, ["run", "--env", "A=\(long[0])", "--", "true"])
        #expect(variable.status == 0)
    }

    @Test("I-4: control characters of a name do not reach the terminal")
    func controlCharacters() async throws {
        let run = try await Tool.run("run", "--", "no\u{1b}[31m\u{7}such\nprogram")
        #expect(run.status == 127)
        #expect(run.errorLines.count == 1)
        #expect(run.error.unicodeScalars.dropLast().allSatisfy { $0.value >= 32 && $0.value != 127 })
    }
}
