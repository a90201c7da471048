// ipc pipe on a terminal: the stages have it together, as those of a shell's pipeline.
import Testing

@testable import IPCTests

@Suite(.guarded, .enabled(if: Terminal.isThere))
struct PipeTerminalTests {
    @Test func theFirstStageReadsFromTheTerminal() async throws {
        let first = "echo ready >/dev/tty; exec cat"
        let run = try await Terminal.run(
            [("ready", "abc\n\u{4}")], Tool.path, ["pipe", "--", "sh", "-c", first, "::", "tr", "a-z", "A-Z"])
        #expect(run.status == 0)
        #expect(run.output.contains("ABC\n"))
    }

    @Test func aLaterStageMayReadFromTheTerminalToo() async throws {
        let second = "cat; echo ready; read line </dev/tty; echo \"<$line>\""
        let run = try await Terminal.run(
            [("ready", "hello\n")], Tool.path, ["pipe", "--", "echo", "one", "::", "sh", "-c", second])
        #expect(run.status == 0)
        #expect(run.output.contains("<hello>"))
    }

    @Test("I-6: Ctrl-C ends all stages, and the terminal is given back")
    func interrupted() async throws {
        let run = try await Terminal.script(
            [("ready", "\u{3}"), ("again", "hello\n")],
            #""$ipc" pipe -- cat :: sh -c 'echo ready; exec cat'; echo "again $?"; read line; echo "<$line>""#)
        #expect(run.output.contains("again 130"))
        #expect(run.output.contains("<hello>"))
    }
}
