// Colour and progress: on a terminal, and nowhere else.
import IPC
import Testing

@testable import IPCTests

@Suite("Colour and progress", .guarded, .enabled(if: Terminal.isThere))
struct ProgressTests {
    @Test("An error is coloured on a terminal, but not if NO_COLOR is set or the terminal is dumb")
    func colour() async throws {
        let script =
            #"NO_COLOR= TERM=xterm "$ipc" cat /none; NO_COLOR=1 TERM=xterm "$ipc" cat /none; NO_COLOR= TERM=dumb "$ipc" cat /none"#
        let run = try await Terminal.script([], script)
        let plain = "ipc: open /none: no such file or directory (ENOENT)\n"
        let coloured = "\u{1B}[31mipc:\u{1B}[0m open /none: no such file or directory (ENOENT)\n"
        #expect(run.output == coloured + plain + plain)
        let piped = try await Tool.script(#"NO_COLOR= TERM=xterm "$ipc" cat /none"#)
        #expect(piped.error == plain)
    }

    /// Writes lines until it is ended.
    private static let talk = "while :; do date; done"

    @Test("A long transfer shows its bytes, its rate and its time, and in the end the whole")
    func transfer() async throws {
        // The program ends by a key, which is pressed once the line has been seen.
        let program = "(\(Self.talk)) & read key </dev/tty; kill $!"
        let run = try await Terminal.script(
            [("B/s, 0:", "go\n")], #"TERM=xterm "$ipc" run --json -- sh -c '\#(program)' >/dev/null"#)
        #expect(run.status == 0)
        let line = #/ipc: [0-9.]+ [KM]?i?B, [0-9.]+ [KM]?i?B/s, 0:\d\d\u{1B}\[K/#
        #expect(run.output.matches(of: line).count > 1, "\(run.output)")
        #expect(run.output.hasSuffix("\u{1B}[K\n"))
    }

    @Test("A relay shows whom it joins")
    func relay() async throws {
        try await withTemporaryFolder { folder in
            let listener = try await Listener(on: .tcp(port: 0))
            let port = try #require(listener.addresses.first?.port)
            async let served: Void = {
                let client = try await listener.accept()
                try await client.input.copy(to: client.output)
                client.close()
            }()
            let script = #"""
                cd \#(folder); mkfifo ready; TERM=xterm "$ipc" relay --json unix:in tcp:\#(port) >ready & relay=$!
                read line <\#(folder)/ready; cd \#(folder)
                ((\#(Self.talk)) & read key </dev/tty; kill $!) | "$ipc" connect unix:in >/dev/null
                kill $relay; wait $relay; status=$?; rm ready; echo "over $status"
                """#
            let run = try await Terminal.script([("1 joined, ", "go\n")], script)
            #expect(run.output.contains("over 143") && run.output.contains("ipc: 0 joined, "), "\(run.output)")
            listener.close()
            try await served
        }
    }

    @Test(
        "Nothing is shown where others may write: on the way into a pipe, beside a command, behind a terminal's foreground"
    )
    func nothing() async throws {
        let seconds = "(timeout 3 sh -c '\(Self.talk)'; true)"
        let run = try await Terminal.script(
            [],
            #"""
            export TERM=xterm
            \#(seconds) | "$ipc" cat | cat >/dev/null &
            \#(seconds) | "$ipc" cat 2>/dev/null >/dev/null &
            "$ipc" cat --commands "\#(seconds)|" >/dev/null &
            \#(seconds) | setsid "$ipc" cat >/dev/null &
            wait
            """#)
        #expect(run.output == "" && run.status == 0, "\(run.output)")
        let shown = try await Terminal.script([], #"export TERM=xterm; \#(seconds) | "$ipc" cat >/dev/null"#)
        #expect(shown.output.contains("ipc: "))
    }
}
