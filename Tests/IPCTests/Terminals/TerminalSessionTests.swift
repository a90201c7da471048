// Conversations with programs on terminals: what is shown is found, what is typed arrives, nothing is lost at the end.
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct TerminalSessionTests {
    private let limit = Duration.seconds(20)
    private let files = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))

    private func sh(_ script: String) -> Command { Command("sh", "-c", script) }

    @Test(arguments: Place.allCases)
    func aQuestionIsExpectedAndAnswered(_ place: Place) async throws {
        try await place.run {
            let status = try await sh(#"printf 'name: '; read name; echo "hello $name"; exit 3"#).withTerminal {
                session in
                let match = try await session.expect("name: ", timeout: limit)
                #expect(match.before == "" && match.text == "name: ")
                try await session.send(line: "world")
                let hello = try await session.expect(.pattern(#"hello (\w+)\r\n"#), timeout: limit)
                #expect(hello.captures == ["world"])
                return try await session.wait(timeout: limit)
            }
            #expect(status == .exited(3))
        }
    }

    @Test("S-46, H-13: a program that buffers on a pipe answers line by line on a terminal")
    func unflushed() async throws {
        try await Command("perl", "-ne", #"print "got $_""#).withTerminal { session in
            for word in ["one", "two"] {
                try await session.send(line: word)
                try await session.expect(.pattern("got \(word)\r\n"), timeout: limit)
            }
            try await session.sendEnd()
            #expect(try await session.wait(timeout: limit) == .exited(0))
        }
    }

    @Test("S-47: the program has a terminal, its own session, its size; what is typed is not shown unless asked")
    func surroundings() async throws {
        let script = #"test -t 0 && test -t 1 && test -t 2 && stty size && tty </dev/tty && ps -o sid= -p $$ -o pid="#
        try await sh(script).withTerminal(size: TerminalSize(rows: 30, columns: 100)) { session in
            let seen = try await session.expect(.end, timeout: limit).before
            let lines = seen.split(separator: "\r\n")
            #expect(lines.first == "30 100")
            #expect(lines.dropFirst().first.map { "\($0)" } == "/dev/tty" || lines.count > 1)
            let numbers = lines.last?.split(separator: " ") ?? []
            #expect(numbers.count == 2 && numbers.first == numbers.last, "it leads its session")
        }
        try await Command("cat").withTerminal(echo: true) { session in
            try await session.send(line: "x")
            try await session.expect("x\r\nx\r\n", timeout: limit)
        }
        try await Command("cat").withTerminal { session in
            try await session.send(line: "x")
            #expect(try await session.expect("x\r\n", timeout: limit).before == "")
        }
    }

    @Test("T1: exit right after the last byte loses nothing", arguments: [1, 3000, 200_000])
    func lastByte(_ count: Int) async throws {
        for _ in 0..<10 {
            let seen = try await Command("head", "-c", count, "/dev/zero").withTerminal { session in
                try await session.expect(.end, timeout: limit).bytesBefore
            }
            #expect(seen.count == count)
        }
    }

    @Test("T2: another size of the window reaches the program as SIGWINCH")
    func resized() async throws {
        let script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.01; done"
        try await sh(script).withTerminal { session in
            try await session.expect("ready", timeout: limit)
            try session.setSize(TerminalSize(rows: 11, columns: 22))
            try await session.expect("11 22", timeout: limit)
            #expect(try session.terminal.size == TerminalSize(rows: 11, columns: 22))
        }
    }

    @Test("T4: a time-out has the end of what was shown; T5: so has the end of the program, and its status")
    func notFound() async throws {
        let late = await #expect(throws: TimeoutError.self) {
            let command = sh("echo something else; sleep 1000")
            try await command.withTerminal { session in
                try await session.expect("login:", timeout: .milliseconds(300))
                return
            }
        }
        #expect(late.map { String(decoding: $0.output, as: UTF8.self) } == "something else\r\n")
        #expect(late?.description == #"expect "login:" from sh: not done within 300 ms"#)
        let ended = await #expect(throws: TerminalError.self) {
            let command = sh("echo no such user; exit 2")
            try await command.withTerminal { session in
                try await session.expect("login:", .pattern("x+"), timeout: limit)
                return
            }
        }
        #expect(ended?.kind == .ended)
        let reason = #"expect "login:" or /x+/ from sh: the program exited with status 2 before that; "#
        #expect(
            ended?.description == reason + #"the last it showed: "no such user\n""#
                || ended?.description.hasPrefix(#"expect "login:" or /x+/ from sh: the output ended before that"#)
                    == true
        )
    }

    @Test("T6: a prompt that comes byte for byte, cut inside a character, is found")
    func byteForByte() async throws {
        let script = """
            import os, sys, time
            for byte in "\\x1b[1mPässwört\\x1b[0m für ü: ".encode():
                os.write(1, bytes([byte])); time.sleep(0.002)
            sys.stdin.readline(); print("fine")
            """
        try await Command("python3", "-c", script).withTerminal { session in
            let match = try await session.expect(
                .pattern("P(ä)sswört für ü: "), ignoringEscapes: true, timeout: limit)
            #expect(match.captures == ["ä"])
            #expect(!match.text.contains("\u{FFFD}"))
            try await session.send(line: "")
            try await session.expect("fine", timeout: limit)
        }
    }

    @Test("T7: (a+)+$ against a megabyte of a has a right answer in bounded time")
    func catastrophic() async throws {
        let count = isOptimized ? 1 << 20 : 1 << 17
        try await sh("head -c \(count) /dev/zero | tr '\\0' a; echo b").withTerminal(bufferLimit: 2 << 20) { session in
            let match = try await session.expect(.pattern("(a+)+$"), .end, timeout: limit)
            #expect(match.index == 1 && match.bytesBefore.count == count + 3)
        }
        try await sh("head -c \(count) /dev/zero | tr '\\0' a; echo").withTerminal(bufferLimit: 2 << 20) { session in
            let match = try await session.expect(.pattern("(a+)+$"), timeout: limit)
            #expect(match.bytes.count == count)
        }
    }

    @Test("T8: endless output without a line's end before the prompt stays within the buffer")
    func endless() async throws {
        let size = isOptimized ? 100 << 20 : 4 << 20
        try await sh("head -c \(size) /dev/zero | tr '\\0' x; printf 'login: '; read a; echo got $a").withTerminal {
            session in
            let match = try await session.expect("login: ", timeout: .seconds(60))
            #expect(match.bytesBefore.count <= 1 << 20)
            #expect(session.droppedBytes + match.bytesBefore.count == size)
            try await session.send(line: "me")
            try await session.expect("got me", timeout: limit)
        }
    }

    @Test("T9: a line that the terminal would cut is refused; raw it passes")
    func longLines() async throws {
        try await Command("cat").withTerminal { session in
            let line = String(repeating: "x", count: 4095)
            let error = await #expect(throws: TerminalError.self) { try await session.send(line: line + "x") }
            #expect(error?.kind == .lineTooLong)
            try await session.send(line: line)
            try await session.expect(.text(line + "\r\n"), timeout: limit)
            try await session.send(String(repeating: "y", count: 3000))
            let more = await #expect(throws: TerminalError.self) {
                try await session.send(String(repeating: "y", count: 1096))
            }
            #expect(more?.kind == .lineTooLong, "what was typed before belongs to the line")
            try await session.send(String(repeating: "y", count: 1095) + "\r")
            try await session.expect(.pattern("^y{1000}y{1000}y{1000}y{1000}y{95}\r"), timeout: limit)
        }
        try await sh("stty raw; echo ready; head -c 6001 | wc -c").withTerminal { session in
            try await session.expect("ready", timeout: limit)
            try await session.send(String(repeating: "z", count: 6001))
            try await session.expect("6001", timeout: limit)
        }
    }

    @Test("T10: control characters are keys: Ctrl-C interrupts, Ctrl-D ends, NUL and 0xFF pass")
    func keys() async throws {
        try await sh("trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.01; done").withTerminal {
            session in
            try await session.expect("ready", timeout: limit)
            try await session.control("c")
            try await session.expect("caught", timeout: limit)
            #expect(try await session.wait(timeout: limit) == .exited(5))
        }
        try await sh("stty -icanon -icrnl min 1; echo ready; head -c 3 | od -An -tx1").withTerminal { session in
            try await session.expect("ready\r\n", timeout: limit)
            try await session.send([0, 0xFF, 13])
            try await session.expect("00 ff 0d", timeout: limit)
        }
        try await Command("cat").withTerminal { session in
            try await session.sendEnd()
            #expect(try await session.wait(timeout: limit) == .exited(0))
        }
    }

    @Test("T11: a process in the background that keeps the terminal delays nobody, in whatever session it is")
    func keptOpen() async throws {
        let began = ContinuousClock.now
        try await sh("(sleep 1000 &) ; echo started").withTerminal { session in
            let status = try await session.wait(timeout: limit)
            let shown = try await session.expect(.end, timeout: limit).before
            #expect(status == .exited(0) && shown == "started\r\n")
        }
        let script = "setsid sleep 1000 & echo $!; exit 0"
        let number = try await sh(script).withTerminal { session in
            try await session.expect(.end, timeout: limit).before.split(separator: "\r\n").first
        }
        #expect(ContinuousClock.now - began < .seconds(15))
        // It has left the session; it is ours to end all the same.
        if let number, let pid = Int32(number).flatMap({ ProcessID($0) }) { try? pid.send(.kill) }
    }

    @Test("T12: leaving the body hangs up, and kills what is left of the session in all its groups")
    func hungUp() async throws {
        let script = "set -m; sleep 1000 & echo $!; trap 'exit 9' HUP; sleep 1000 & wait; echo no"
        let (number, group) = try await sh(script).withTerminal { session in
            let line = try await session.expect(.pattern(#"(\d+)\r\n"#), timeout: limit).captures[0] ?? ""
            return (ProcessID(try #require(Int32(line))), session.processID)
        }
        #expect(group != nil)
        #expect(ends(try #require(number).rawValue))
    }

    @Test("A program that ignores the hang-up is killed after its grace")
    func ignoresHangUp() async throws {
        let status = try await sh("trap '' HUP; echo ready; while :; do sleep 0.01; done").withTerminal(
            grace: .milliseconds(200)
        ) { session in
            try await session.expect("ready", timeout: limit)
            return session.program
        }?.status
        #expect(status == .signalled(.kill, coreDumped: false))
    }

    @Test func cancellationEndsTheProgram() async throws {
        let task = Task {
            try await sh("echo ready; sleep 1000").withTerminal { session in
                try await session.expect("never")
                return
            }
        }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("A flood both ways does not lock up: what is shown is kept while we type")
    func flood() async throws {
        try await sh("stty raw -echo; echo ready; exec cat").withTerminal(bufferLimit: 8 << 20) { session in
            try await session.expect("ready", timeout: limit)
            let bytes = [UInt8](repeating: 120, count: 1 << 20)
            try await session.send(bytes, timeout: limit)
            try await session.send("END")
            let match = try await session.expect("END", timeout: limit)
            #expect(match.bytesBefore.filter { $0 == 120 }.count == bytes.count)
        }
    }

    @Test("Standard error can be kept apart")
    func errorsApart() async throws {
        let errors = try await sh("echo out; echo err >&2").error(.pipe).withTerminal { session in
            #expect(try await session.expect(.end, timeout: limit).before == "out\r\n")
            return try await session.program?.standardError?.readAll(limit: 100)
        }
        #expect(errors.map { String(decoding: $0, as: UTF8.self) } == "err\n")
    }

    @Test("Swift's regular expressions have typed captures, over split characters and stray bytes")
    func regex() async throws {
        try await sh(#"printf 'x\377 id=4'; printf '2 n\303'; sleep 0.05; printf '\251m\nrest'; sleep 1000"#)
            .withTerminal {
                session in
                let match = try await session.expect(/id=(?<number>\d+) n(.)m\r\n/, timeout: limit)
                #expect(match.output.number == "42" && match.output.2 == "é")
                #expect(match.before == "x\u{FFFD} ")
                #expect(try await session.expect("rest", timeout: limit).before == "")
            }
    }

    @Test("Two tasks that expect at once: the second is refused, nothing is taken from the first")
    func twoAtOnce() async throws {
        try await Command("cat").withTerminal { session in
            async let first = session.expect("word", timeout: limit)
            try await untilSomeoneWaits(on: session.output.descriptor)
            let error = await #expect(throws: SystemError.self) { try await session.expect("nothing") }
            #expect(error?.errno == .resourceBusy)
            try await session.send(line: "word")
            let text = try await first.text
            #expect(text == "word")
        }
    }

    @Test("T16: 200 sessions at once, one of them stuck, and nobody waits for it")
    func many() async throws {
        let count = isOptimized ? 200 : 60
        try await runOnLoop {
            let stuck = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<count {
                    group.addTask {
                        if index == 0 {
                            do {
                                try await Command("sleep", 1000).withTerminal { session in
                                    try await session.expect("never", timeout: .seconds(3))
                                    return
                                }
                            } catch is TimeoutError { return true }
                            return false
                        }
                        try await Command("cat").withTerminal { session in
                            for round in 0..<5 {
                                try await session.send(line: "\(index)-\(round)")
                                try await session.expect(.text("\(index)-\(round)\r\n"), timeout: .seconds(60))
                            }
                        }
                        return false
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(stuck == 1)
        }
    }

    @Test("T14: no descriptors left is a typed error, and nothing stays")
    func noDescriptors() async throws {
        var former = rlimit()
        getrlimit(files, &former)
        var few = rlimit(rlim_cur: 3, rlim_max: former.rlim_max)
        setrlimit(files, &few)
        defer { setrlimit(files, &former) }
        await #expect(throws: SystemError.self) {
            try await Command("cat").withTerminal { _ in }
        }
    }

    @Test("T7: a pattern that is dear to search for ends by its limit, and no other session waits for it")
    func dearPattern() async throws {
        try await runOnLoop {
            let began = ContinuousClock.now
            let slow = Task(executorPreference: EventLoop.current) {
                try await Command("sh", "-c", "head -c 200000 /dev/zero | tr '\\0' a; sleep 1000").withTerminal {
                    session in
                    try await session.expect(.pattern("[^x]{0,1000}y"), timeout: .seconds(1))
                    return
                }
            }
            try await Command("cat").withTerminal { session in
                for number in 0..<20 {
                    try await session.send(line: "\(number)")
                    try await session.expect(.text("\(number)\r\n"), timeout: .seconds(20))
                }
            }
            await #expect(throws: TimeoutError.self) { try await slow.value }
            #expect(ContinuousClock.now - began < .seconds(15))
        }
    }

    @Test("T3: a program whose streams are all elsewhere still has its terminal, whenever it opens it")
    func onlyByName() async throws {
        let script = "sleep 0.2; exec 3<>/dev/tty; printf 'Password: ' >&3; read -r word <&3; echo got $word >&3"
        try await sh(script).input(.discard).output(.discard).error(.discard).withTerminal { session in
            try await session.expect("Password: ", timeout: limit)
            try await session.send(line: "x")
            try await session.expect("got x", timeout: limit)
            #expect(try await session.wait(timeout: limit) == .exited(0))
        }
    }

    @Test("A prompt at the end counts, whatever else could have begun before it")
    func promptsAtTheEnd() async throws {
        try await sh("printf 'error: x user$ '; sleep 1000").withTerminal { session in
            try await session.expect(.pattern(#"error.*fatal|user\$ $"#), timeout: limit)
        }
        try await sh(#"printf 'modifi\351'; sleep 1000"#).withTerminal { session in
            try await session.expect("modifi", timeout: limit)
        }
        try await sh(#"printf '> one\nfoo'; sleep 1000"#).withTerminal { session in
            try await session.expect("> ", timeout: limit)
            _ = try await session.output.readLine(timeout: limit)
            try await session.expect(.pattern("^foo"), timeout: limit)
        }
    }

    @Test("T9: what ends a line is asked of the modes: CR that is no Enter ends none")
    func linesByModes() async throws {
        try await sh("stty -icrnl; echo ready; sleep 1000").withTerminal { session in
            try await session.expect("ready", timeout: limit)
            let error = await #expect(throws: TerminalError.self) {
                try await session.send(
                    String(repeating: "x", count: 3000) + "\r" + String(repeating: "y", count: 3000) + "\n")
            }
            #expect(error?.kind == .lineTooLong)
        }
        var modes = try PseudoTerminal().modes
        let long = [UInt8](repeating: 120, count: 3000)
        #expect(
            TypedLine.count(long + [22, 13] + long, after: 0, modes).longest == 6001, "Ctrl-V takes the Enter's meaning"
        )
        #expect(TypedLine.count(long + [21] + long, after: 0, modes).longest == 3000, "Ctrl-U erases the line")
        modes.sendsSignals = false
        #expect(TypedLine.count(long + [3] + long, after: 0, modes).longest == 6001)
    }

    @Test(
        "What a command keeps of its tree stays, though it was on a terminal",
        arguments: ["exit 0", "exec </dev/null >/dev/null 2>&1; sleep 0.1; exit 0"])
    func keptTree(end: String) async throws {
        let script = "trap '' HUP; sleep 1000 >/dev/null 2>&1 </dev/null & echo $!; \(end)"
        let number = try await sh(script).keepingTree().withTerminal { session in
            let line = try await session.expect(.pattern(#"(\d+)\r\n"#), timeout: limit).captures[0] ?? ""
            try await session.expect(.end, timeout: limit)
            return ProcessID(try #require(Int32(line)))
        }
        #expect(try number.map { try ProcessRecord(of: $0).isZombie } == false)
        try number?.send(.kill)
    }
}
