// The examples that give a program a terminal.
import IPC
import Testing

@Suite("Terminals")
struct TerminalTests {
    @Test("G-22: on a terminal every line is answered at once")
    func commCat() async throws {
        let run = try await Example.run("comm-cat")
        let numbered = (1...10).map { "got back \(String(repeating: " ", count: $0 < 10 ? 5 : 4))\($0)\ta line" }
        #expect(run.lines.map(String.init) == numbered + ["got back STUFF"])
        #expect(run.status == 0)
    }

    @Test("S-48: prompts are answered, and the password is shown nowhere")
    func login() async throws {
        let run = try await Example.run("expect-login")
        #expect(run.output == "logged in as camel\n")
        #expect(run.status == 0)
        let refused = try await Example.run(
            "expect-login", "sh", "-c",
            "printf 'login: '; read u; stty -echo; printf 'password: '; read p; echo incorrect")
        #expect(refused.output == "refused\n")
        #expect(refused.status == 1)
        let other = try await Example.run("expect-login", "echo", "no such host")
        #expect(other.output.contains("before that") && other.output.contains("no such host"))
        #expect(other.status == 2)
    }

    @Test("S-48: a person takes over, and leaves by the escape key")
    func interact() async throws {
        let command = try Example.command("interact", "sh")
        try await command.withTerminal(echo: true, timeout: limit) { person in
            try await person.expect("now you (Ctrl-] ends it)")
            try await person.send(line: "echo $((20 + 3))")
            try await person.expect(.pattern("^23\r\n"))
            #expect(try !person.terminal.modes.readsLines)
            try await person.send("\u{1D}")
            try await person.expect("you left it")
            let status = try await person.wait()
            #expect(status == .exited(0))
            #expect(try person.terminal.modes.readsLines)
        }
    }
}
