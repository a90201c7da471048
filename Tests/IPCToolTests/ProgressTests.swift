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

    @Test("A long transfer shows its bytes, its rate and its time, and in the end the whole")
    func transfer() async throws {
        // The program waits for a key, which comes once the line has been seen.
        let program = "head -c 3000000 /dev/zero; read key </dev/tty; echo $key"
        let run = try await Terminal.script(
            [("2.9 MiB, 0 B/s", "go\n")], #"TERM=xterm "$ipc" run --json -- sh -c '\#(program)' >/dev/null"#)
        #expect(run.status == 0)
        let whole = try #require(run.output.split(separator: "\r").last { $0.contains("ipc: ") })
        #expect(whole.wholeMatch(of: #/(?s).*ipc: 2\.9 MiB, [0-9.]+ [KM]iB/s, 0:\d\d\u{1B}\[K\n/#) != nil, "\(whole)")
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
            // The client sends its end only when the relay has shown it.
            let script = #"""
                cd \#(folder); mkfifo ready; TERM=xterm "$ipc" relay --json unix:in tcp:\#(port) >ready & relay=$!
                read line <\#(folder)/ready; cd \#(folder)
                (echo hello; read key </dev/tty) | "$ipc" connect unix:in >/dev/null
                kill $relay; wait $relay; status=$?; rm ready; echo "over $status"
                """#
            let run = try await Terminal.script([("1 joined, 12 B", "go\n")], script)
            #expect(run.output.contains("over 143") && run.output.contains("ipc: 0 joined, 12 B, "), "\(run.output)")
            listener.close()
            try await served
        }
    }

    @Test("Nothing is shown where standard error is no terminal, nor while standard output is one")
    func nothing() async throws {
        let quiet = try await Terminal.script(
            [], #"TERM=xterm "$ipc" cat --commands 'sleep 2; echo done|' 2>/dev/null"#)
        #expect(quiet.output == "done\n")
        let visible = try await Terminal.script([], #"TERM=xterm "$ipc" cat --commands 'sleep 2; echo done|'"#)
        #expect(visible.output == "done\n")
    }
}
