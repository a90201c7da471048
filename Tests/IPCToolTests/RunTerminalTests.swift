// ipc run on a terminal: the program has it while it runs, keys are the program's, and the shell has it back afterwards.
import Testing

@testable import IPCTests

@Suite(.guarded, .enabled(if: Terminal.isThere))
struct RunTerminalTests {
    private let interrupt = "\u{3}"

    @Test func theProgramIsOnTheTerminal() async throws {
        let run = try await Terminal.run([], Tool.path, ["run", "--", Tool.child, "tty"])
        #expect(run.status == 0)
        #expect(run.output == "0 terminal\n1 terminal\n2 terminal\n")
    }

    @Test("The program can read from the terminal, captured or not", arguments: ["", "--json"])
    func reads(_ option: String) async throws {
        let inner = #"echo ready >/dev/tty; read line; echo "<$line>"; exit 3"#
        let run = try await Terminal.script([("ready", "hello\n")], #"exec "$ipc" run \#(option) -- sh -c '\#(inner)'"#)
        #expect(run.status == 3)
        #expect(run.output.contains("<hello>"))
    }

    @Test("I-6: Ctrl-C reaches the program once, and its answer is the tool's status")
    func interrupted() async throws {
        let inner = "trap 'echo got; exit 7' INT; echo ready; while :; do sleep 0.01; done"
        let run = try await Terminal.run([("ready", interrupt)], Tool.path, ["run", "--", "sh", "-c", inner])
        #expect(run.status == 7)
        #expect(run.output.ranges(of: "got\n").count == 1)
        let fatal = try await Terminal.run(
            [("ready", interrupt)], Tool.path, ["run", "--", "sh", "-c", "echo ready; exec sleep 1000"])
        #expect(fatal.status == 130)
        let captured = try await Terminal.run(
            [("ready", interrupt)], Tool.path,
            ["run", "--json", "--", "sh", "-c", "echo ready >/dev/tty; exec sleep 1000"])
        #expect(captured.status == 130)
        #expect(captured.output.contains(#""signal":"SIGINT""#))
    }

    @Test("Ctrl-C ends the program also where the tool is not in the foreground")
    func interruptedInTheBackground() async throws {
        let run = try await Terminal.script(
            [("ready", interrupt)],
            #"trap 'wait $pid; exit $?' INT; "$ipc" run -- sh -c 'echo ready; exec sleep 1000' </dev/null & pid=$!; wait $pid"#
        )
        #expect(run.status == 130)
    }

    @Test(
        "The shell has the terminal back, whatever became of the program",
        arguments: [
            "-- true", "-- /no/such/program", "-- sh -c 'kill -KILL $$'", "--timeout 0.1 -- sleep 1000",
            "--json -- true",
            "--directory /no/such/directory -- true",
        ])
    func givenBack(_ words: String) async throws {
        let run = try await Terminal.script(
            [("ready", "hello\n")], #""$ipc" run \#(words); echo ready; read line; echo "<$line>""#)
        #expect(run.status == 0)
        #expect(run.output.contains("<hello>"))
    }

    @Test("A program whose input is not the terminal leaves the foreground where it is")
    func otherInput() async throws {
        let run = try await Terminal.script(
            [("ready", "hello\n")],
            #""$ipc" run -- sh -c 'echo ready; exec sleep 1000' </dev/null & read line; echo "<$line>"; kill $!; wait $!; exit $?"#
        )
        #expect(run.status == 143)
        #expect(run.output.contains("<hello>"))
    }

    private func inBash(_ keys: [(after: String, press: String)]) async throws -> ToolRun {
        let words = ["PS1=$ ", "TERM=dumb", "ipc=\(Tool.path)", "bash", "--norc", "--noprofile", "-i"]
        return try await Terminal.run(keys, "/usr/bin/env", words)
    }

    @Test("Ctrl-Z stops program and tool; fg continues both, and the program has the terminal again")
    func stoppedAndContinued() async throws {
        // What is typed shows up too, so the words to wait for are written in two pieces. Nothing is started after
        // `ready`: a shell that is stopped between vfork and exec is a shell that hangs.
        let script = #"trap : CONT; echo rea""dy; read line || read line; echo "<$line>"; exit 4"#
        let run = try await inBash([
            ("$ ", "$ipc run -- sh -c '\(script)'\n"), ("ready", "\u{1a}"), ("Stopped", ""), ("$ ", "fg\n"),
            ("run --", "hello\n"), ("<hello>", ""), ("$ ", "echo status=$?\n"), ("status=4", "exit 0\n"),
        ])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("<hello>"))
        #expect(run.output.split(separator: "\n").count { $0.contains("Stopped") } == 1)
    }

    @Test("A program that was stopped and runs on in the background leaves the terminal to the shell")
    func stoppedAndSentToTheBackground() async throws {
        try await withTemporaryFolder { folder in
            let gate = "\(folder)/gate"
            let script = #"echo rea""dy; read line <\#(gate); exit 3"#
            // While the tool ends, the shell reads from the terminal itself, without a job that would give it back.
            let reading = """
                p=$(jobs -p); (sleep 0.1; echo >\(gate); while kill -0 $p 2>/dev/null; do sleep 0.01; done; echo go""ne) & \
                read a; read b; echo "<$a$b>"

                """
            let run = try await inBash([
                ("$ ", "mkfifo \(gate)\n"), ("$ ", "$ipc run -- sh -c '\(script)'\n"), ("ready", "\u{1a}"),
                ("Stopped", ""),
                ("$ ", "bg\n"), ("&", ""), ("$ ", reading), ("gone", "hel\n"), ("hel", "lo\n"), ("<hello>", ""),
                ("$ ", "rm \(gate); exit 0\n"),
            ])
            #expect(run.status == 0, "\(run.output)")
            #expect(run.output.contains("<hello>"))
        }
    }

    @Test(
        "A program in the background that wants to read is stopped, and the shell keeps the terminal",
        .disabled("whoever follows the stops does not ask yet who has the foreground"))
    func readsInTheBackground() async throws {
        try await withTemporaryFolder { folder in
            let gate = "\(folder)/gate"
            let script = #"echo rea""dy; read line <\#(gate); read line; echo "<$line>"; exit 5"#
            let reading = """
                p=$(jobs -p); (sleep 0.1; echo >\(gate); \
                until grep -q "^State:.T" /proc/$p/status; do sleep 0.01; done; echo sto""od) & read a; read b; echo "($a$b)"

                """
            let run = try await inBash([
                ("$ ", "mkfifo \(gate)\n"), ("$ ", "$ipc run -- sh -c '\(script)'\n"), ("ready", "\u{1a}"),
                ("Stopped", ""),
                ("$ ", "bg\n"), ("&", ""), ("$ ", reading), ("stood", "hel\n"), ("hel", "lo\n"), ("(hello)", ""),
                ("$ ", "fg %1\n"), ("run --", "again\n"), ("<again>", ""), ("$ ", "rm \(gate); exit 0\n"),
            ])
            #expect(run.status == 0, "\(run.output)")
            #expect(run.output.contains("<again>"))
        }
    }
}
