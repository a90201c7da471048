// ipc interact: a program's terminal joined with ours, whose modes are as before whatever ends it.
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded, .enabled(if: Terminal.isThere))
struct InteractTests {
    /// A script that says whether the terminal's modes are after a command what they were before.
    private func comparing(_ command: String) -> String {
        "a=$(stty -g); \(command); s=$?; b=$(stty -g); [ \"$a\" = \"$b\" ] && echo sa\"\"me || echo \"$a / $b\"; exit $s"
    }

    @Test("Keys reach the program, what it shows reaches us; its status is ours")
    func joined() async throws {
        let inner = #"printf "name: "; read n; echo "<$n>"; exit 5"#
        let run = try await Terminal.script(
            [("name: ", "me\r"), ("<me>", "")], comparing(#""$ipc" interact -- sh -c '\#(inner)'"#))
        #expect(run.status == 5)
        #expect(run.output.contains("name: me\n<me>\n"), "typed keys are shown once, by the program's terminal")
        #expect(run.output.hasSuffix("same\n"))
    }

    @Test("Ctrl-C and Ctrl-Z are the program's; Ctrl-] ends the session")
    func keys() async throws {
        let inner = #"trap "echo got" INT; echo ready; while :; do sleep 0.01; done"#
        let run = try await Terminal.script(
            [("ready", "\u{3}"), ("got", "\u{1D}")], comparing(#""$ipc" interact -- sh -c '\#(inner)'"#))
        #expect(run.status == 129)
        #expect(run.output.hasSuffix("same\n"))
    }

    @Test(
        "T15: after a signal the modes are as before",
        arguments: ["INT", "TERM", "HUP", "QUIT", "ABRT", "USR1", "ALRM", "40"] + Sanitizer.faults("SEGV"))
    func signalled(_ signal: String) async throws {
        let inner = "stty raw; kill -\(signal) $PPID; exec sleep 1000"
        let run = try await Terminal.script(
            [], "export SWIFT_BACKTRACE=enable=no; ulimit -c 0; " + comparing(#""$ipc" interact -- sh -c '\#(inner)'"#))
        #expect(run.status > 128)
        #expect(run.output.hasSuffix("same\n"), "\(run.output)")
    }

    @Test("The escape key works although the program takes nothing")
    func stuck() async throws {
        let paste = String(repeating: "x", count: 30_000)
        let run = try await Terminal.script(
            [("ready", paste + "\u{1D}")],
            comparing(#""$ipc" interact -- sh -c 'stty raw -echo; echo ready; exec sleep 1000'"#))
        #expect(run.status == 129)
        #expect(run.output.hasSuffix("same\n"))
    }

    @Test("T15: a crash of the program leaves the modes as before")
    func crashed() async throws {
        let run = try await Terminal.script(
            [], "export SWIFT_BACKTRACE=enable=no; ulimit -c 0; " + comparing(#""$ipc" interact -- "$child" crash"#))
        #expect(run.status == 134)
        #expect(run.output.hasSuffix("same\n"))
    }

    @Test("T15: ended at any moment, the modes are as before")
    func anyMoment() async throws {
        let script = """
            a=$(stty -g); n=0
            while [ $n -lt 40 ]; do
                "$ipc" interact -- sh -c 'echo; exec sleep 1000' </dev/tty >/dev/null & p=$!
                sleep 0.0$(printf %02d $((n * 2))); kill -TERM $p; wait $p
                [ "$a" = "$(stty -g)" ] || echo different after $n
                n=$((n + 1))
            done; echo do""ne
            """
        let run = try await Terminal.script([], script)
        #expect(run.output.hasSuffix("done\n") && !run.output.contains("different"))
    }

    @Test("T15: stopped, the shell has its modes; continued, the session goes on")
    func stopped() async throws {
        let inner = #"echo rea""dy; read a; kill -TSTP $PPID; read b; echo "<$a$b>"; exit 6"#
        let words = ["PS1=$ ", "TERM=dumb", "ipc=\(Tool.path)", "bash", "--norc", "--noprofile", "-i"]
        let run = try await Terminal.run(
            [
                ("$ ", "a=$(stty -g)\n"), ("$ ", "$ipc interact -- sh -c '\(inner)'\n"), ("ready", "hel\r"),
                ("Stopped", ""), ("$ ", "[ \"$a\" = \"$(stty -g)\" ] && echo sa\"\"me\n"), ("same", ""), ("$ ", "fg\n"),
                ("interact", "lo\r"), ("<hello>", ""), ("$ ", "[ \"$a\" = \"$(stty -g)\" ] && echo ag\"\"ain\n"),
                ("again", "exit 0\n"),
            ], "/usr/bin/env", words)
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("<hello>") && run.output.contains("again"))
    }

    @Test("T2: the program's window follows ours")
    func resized() async throws {
        let inner = #"trap "stty size" WINCH; echo ready; read a; read a || read a"#
        let script = """
            stty rows 20 cols 60; (sleep 0.3; stty rows 33 cols 44 </dev/tty) & \
            "$ipc" interact -- sh -c 'stty size; \(inner)'; wait
            """
        let run = try await Terminal.script([("33 44", "\r\r\r")], script)
        #expect(run.output.contains("20 60") && run.output.contains("33 44"))
    }

    @Test("A recording has what was shown, and what was typed only if asked, and never what was hidden")
    func recorded() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("cast").string
            let inner = #"printf "name: "; read n; stty -echo; printf "pass: "; read p; stty echo; echo; echo "<$n>""#
            for options in ["--record \(file)", "--record \(file) --record-input"] {
                let run = try await Terminal.script(
                    [("name: ", "visible\r"), ("pass: ", "hidden\r"), ("<visible>", "")],
                    #""$ipc" interact \#(options) -- sh -c '\#(inner)'"#)
                #expect(run.status == 0)
                let text = try await Tool.start("cat", [file]).output
                #expect(text.contains("<visible>") && !text.contains("hidden"))
                #expect(text.contains(#""i", "visible"#) == options.hasSuffix("input") || text.contains(#""i", "v"#))
            }
        }
    }

    @Test func withoutATerminalThereIsAnError() async throws {
        let run = try await Tool.run("interact", "--", "true")
        #expect(run.status == 71)
        #expect(run.error == "ipc: use standard input: not a terminal\n")
    }
}
