// The examples about signals, which other programs send them.
import IPC
import Testing

@Suite("Signals")
struct SignalTests {
    /// Has a shell send a signal to a process, and gives what an event says of it: the signal and who sent it.
    private func send(_ signal: String, to process: ProcessID) async throws -> String {
        let script = "echo SIG$0 from process $$ of user $(id -u); kill -s $0 $1"
        return try await Command("sh", "-c", script, signal, "\(process)").read(timeout: limit)
    }

    @Test("G-01: interrupts are counted with their senders, and the third ends the process by itself")
    func zap() async throws {
        let status = try await Example.command("zap").output(.pipe).withChild { zap in
            let output = try #require(zap.standardOutput)
            #expect(try await output.readLine(timeout: limit) == "process \(zap.processID) counts")
            for shucks in 1...3 {
                let event = try await send("INT", to: zap.processID)
                #expect(try await output.readLine(timeout: limit) == "\(shucks): somebody sent me a \(event)")
            }
            return try await zap.wait(timeout: limit)
        }
        #expect(status == .signalled(.interrupt, coreDumped: false))
        #expect(status.shellStatus == 130)
    }

    @Test("G-02: a signal is found by its name and by its number, with what it does; what is none is told")
    func signals() async throws {
        let run = try await Example.run("signals", "17", "ALRM", "sigstop", "0", "ZAP")
        #expect(
            run.lines == [
                "17 SIGCHLD: nothing (Child exited)", "14 SIGALRM: end (Alarm clock)",
                "19 SIGSTOP: stop (Stopped (signal))", "0: no signal", "ZAP: no signal",
            ])
        #expect(run.status == 1)
        let all = try await Example.run("signals")
        #expect(all.lines.map { $0.prefix { $0 != ":" } } == Signal.all.map { "\($0.number) \($0)" })
        #expect(all.status == 0)
    }

    @Test(
        "G-02: the names and numbers are Perl's",
        .enabled("there is no perl") { (try? await Command("perl", "-v").read()) != nil })
    func signalsOfPerl() async throws {
        let script = """
            use Config; my @numbers = split ' ', $Config{sig_num};
            for (split ' ', $Config{sig_name}) { my $number = shift @numbers; print "$_ $number\\n" unless /ZERO|NUM/ }
            """
        let table = try await Command("perl", "-e", script).read(timeout: limit).split(separator: "\n")
        let names = table.map { String($0.prefix { $0 != " " }) }
        #expect(names.contains("INT") && names.contains("CLD"))
        let run = try await Example.command("signals", arguments: names).capture(timeout: limit)
        let numbers = run.output.text.split(separator: "\n").map { $0.prefix { $0 != " " } }
        #expect(zip(names, numbers).map { "\($0) \($1)" } == table)
    }

    @Test("G-03: an interrupt that is ignored is lost, one that is held comes afterwards")
    func precious() async throws {
        let run = try await Example.run("precious")
        let match = try #require(
            run.output.wholeMatch(
                of:
                    /ignored: process (\d+) interrupts\nheld: process (\d+) interrupts\nafterwards: SIGINT from process (\d+) of user \d+\n/
            ))
        #expect(match.1 != match.2)
        #expect(match.2 == match.3)
        #expect(run.status == 0)
    }

    @Test("G-04: the hang-up ends the whole group but who sends it")
    func hupGroup() async throws {
        let run = try await Example.run("hup-group")
        let text = run.output.replacing(/process \d+/, with: "process N")
        #expect(text == "kid ended by SIGHUP\nkid ended by SIGHUP\nprocess N goes on\n")
        #expect(run.status == 0)
    }

    @Test("G-04: a group that somebody else leads is left alone")
    func hupGroupOfOthers() async throws {
        let program = try Example.command("hup-group").program
        let result = try await Command("sh", "-c", "$0; echo still here", program).unchecked().capture(timeout: limit)
        #expect(result.output.text.wholeMatch(of: /process \d+ leads no group\nstill here\n/) != nil)
        #expect(result.status == .exited(0))
    }

    @Test("G-05: a process is there, a zombie, gone, or another user's, and the status says which")
    func alive() async throws {
        let kid = try await Command("cat").input(.pipe).start()
        let running = try await Example.run("alive", "\(kid.processID)")
        #expect(running.output == "\(kid.processID): running\n")
        #expect(running.status == 0)

        try kid.standardInput?.close()
        try await ProcessHandle(kid.processID).waitUntilEnded(timeout: limit)
        let zombie = try await Example.run("alive", "\(kid.processID)")
        #expect(zombie.output == "\(kid.processID): zombie\n")
        #expect(zombie.status == 3)

        #expect(try await kid.wait(timeout: limit) == .exited(0))
        let gone = try await Example.run("alive", "\(kid.processID)")
        #expect(gone.output == "\(kid.processID): gone\n")
        #expect(gone.status == 1)
        #expect(try await Example.run("alive").output == "\(ProcessID.current): running\n")
        #expect(try await Example.run("alive", "-1").status == 64)
    }

    @Test("G-05: a process of another user is there and not ours")
    func aliveOfOthers() async throws {
        var command = try Example.command("alive", "1").unchecked()
        if try await Command("id", "-u").read() == "0" {
            command = command.running(as: try Credentials(user: "nobody"))
        }
        let result = try await command.capture(timeout: limit)
        #expect(result.output.text == "1: notOurs\n")
        #expect(result.status == .exited(2))
    }

    @Test("G-06: an interrupt has the closure clean up, and ends the process")
    func outtaHere() async throws {
        let command = try Example.command("outta-here").input(.pipe).output(.pipe).error(.pipe)
        let status = try await command.withChild { example in
            let line = try #require(try await example.standardOutput?.readLine(timeout: limit))
            let file = try #require(line.firstMatch(of: /\/tmp\/outta-here-\w+/)).output
            #expect(try await Command("ls", file).read() == file)
            _ = try await send("INT", to: example.processID)
            #expect(try await example.standardError?.readLine(timeout: limit) == "")
            #expect(try await example.standardError?.readLine(timeout: limit) == "Outta here!")
            let status = try await example.wait(timeout: limit)
            #expect(try await Command("ls", file).unchecked().capture().output.text == "")
            return status
        }
        #expect(status == .signalled(.interrupt, coreDumped: false))

        let undisturbed = try await Example.run("outta-here", input: "secret\n")
        #expect(undisturbed.status == 0)
        #expect(undisturbed.error == "")
        let file = try #require(undisturbed.output.firstMatch(of: /\/tmp\/outta-here-\w+/)).output
        #expect(try await Command("ls", file).unchecked().capture().output.text == "")
    }

    @Test(
        "G-06: Ctrl-C on a terminal leaves one that shows what is typed",
        .enabled("there is no script") { (try? await Command("script", "--version").read()) != nil })
    func outtaHereOnTerminal() async throws {
        let program = try Example.command("outta-here").program
        let script = "tty; trap : INT; '\(program)'; echo status $?; stty -a"
        let bytes = try await Command("script", "-qec", script, "/dev/null").withPipes(timeout: limit) { terminal in
            let device = try await terminal.standardOutput.readLine() ?? ""
            let prompt = try await terminal.standardOutput.readLine() ?? ""
            #expect(prompt.contains("takes a secret"))
            #expect(try await Command("sh", "-c", "stty -a <$0", device).read().contains(" -echo "))
            try await terminal.standardInput.write("\u{3}")
            return try await terminal.standardOutput.readAll(limit: 1 << 16)
        }
        let output = String(decoding: bytes, as: UTF8.self)
        #expect(output.contains("Outta here!\r\nstatus 130\r\n"))
        #expect(output.contains(" echo "))
    }

    @Test("G-07: each status comes as its child ends, and none stays a zombie")
    func reaper() async throws {
        try await withFolder { folder in
            try await Command("mkfifo", folder.appending("go")).run(timeout: limit)
            let scripts = ["read word <go; exit 3", "exit 0", "kill -TERM $$"]
            let command = try Example.command("reaper", arguments: scripts).directory(folder).output(.pipe)
            let status = try await command.withChild { reaper in
                let output = try #require(reaper.standardOutput)
                var lines: [String] = []
                for _ in 1...2 { lines.append(try await output.readLine(timeout: limit) ?? "") }
                let left = try ProcessTable.children(of: reaper.processID)
                #expect(left.map(\.isZombie) == [false])
                try await Command("sh", "-c", "echo now >go").directory(folder).run(timeout: limit)
                for _ in 1...2 { lines.append(try await output.readLine(timeout: limit) ?? "") }

                let ends = lines.prefix(3).map { $0.drop { $0 != " " }.dropFirst() }
                #expect(ends.prefix(2).sorted() == ["ended by SIGTERM: kill -TERM $$", "exited with status 0: exit 0"])
                #expect(ends.last == "exited with status 3: \(scripts[0])")
                #expect(lines.last == "0 zombies")
                return try await reaper.wait(timeout: limit)
            }
            #expect(status == .exited(0))
        }
    }

    @Test("G-07: the children that it starts of itself end in four ways")
    func reaperAlone() async throws {
        let run = try await Example.run("reaper")
        let ends = run.lines.dropLast().map { $0.drop { $0 != " " }.dropFirst().prefix { $0 != ":" } }
        #expect(
            ends.sorted() == ["ended by SIGKILL", "ended by SIGTERM", "exited with status 0", "exited with status 3"])
        #expect(run.lines.last == "0 zombies")
        #expect(run.status == 0)
    }
}
