// The terminal that a program was given, seen from inside: on a pseudo-terminal of the test's making.
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct TerminalTests {
    /// Both sides: the master, and the terminal as a program on it has it.
    private func open() throws -> (PseudoTerminal, Terminal) {
        let screen = try PseudoTerminal()
        return (screen, try Terminal(screen.openOtherSide()))
    }

    @Test("A stream knows whether it is a terminal's; a pipe's, a file's and a closed one are not")
    func streamsOfTerminals() throws {
        let (screen, terminal) = try open()
        defer { screen.close() }
        let pipe = try AnonymousPipe()
        #expect(terminal.input.isTerminal && terminal.output.isTerminal)
        #expect(!pipe.reader.isTerminal && !pipe.writer.isTerminal)
        let file = try ByteReader(Descriptor.open("/dev/null", for: .read))
        #expect(!file.isTerminal)
        terminal.input.close()
        #expect(!terminal.input.isTerminal)
    }

    @Test(arguments: Place.allCases)
    func modesAreChangedForABodyHoweverItEnds(_ place: Place) async throws {
        let (screen, terminal) = try open()
        defer { screen.close() }
        try await place.run {
            let before = try terminal.modes
            #expect(before.echoes && before.readsLines)
            try await terminal.withModes(terminal.modes.raw) {
                #expect(try !terminal.modes.echoes)
                try await terminal.withModes(terminal.modes.changed { $0.echoes = true }) {
                    let inner = try terminal.modes
                    #expect(inner.echoes && !inner.readsLines)
                }
                #expect(try !terminal.modes.echoes)
            }
            #expect(try terminal.modes == before)
            await #expect(throws: CancellationError.self) {
                try await terminal.withModes(terminal.modes.changed { $0.echoes = false }) { throw CancellationError() }
            }
            #expect(try terminal.modes == before)
        }
    }

    @Test("More scopes than any program has are an error, and leave everything as it was")
    func manyScopes() async throws {
        let (screen, terminal) = try open()
        defer { screen.close() }
        let before = try terminal.modes
        func deeper(_ depth: Int) async throws {
            try await terminal.withModes(terminal.modes.changed { $0.echoes.toggle() }) {
                if depth > 0 { try await deeper(depth - 1) }
            }
        }
        try await deeper(15)
        let error = await #expect(throws: SystemError.self) { try await deeper(16) }
        #expect(error?.errno == .resourceBusy)
        #expect(try terminal.modes == before)
    }

    @Test("The guard's handlers are there only while modes are changed, and only where nobody else's are")
    func handlers() async throws {
        let (screen, terminal) = try open()
        defer { screen.close() }
        func action(_ signal: Int32) -> UInt {
            var action = sigaction()
            sigaction(signal, nil, &action)
            return unsafeBitCast(action.__sigaction_handler, to: UInt.self)
        }
        let signals = [SIGTERM, SIGTSTP, SIGCONT, SIGSEGV, SIGUSR1]
        let before = signals.map(action)
        let stream = try Signal.stream(.user1)
        let others = action(SIGUSR1)
        try await terminal.withModes(terminal.modes.changed { $0.echoes = false }) {
            #expect(action(SIGTERM) != before[0] && action(SIGTSTP) != before[1] && action(SIGSEGV) != before[3])
            #expect(action(SIGUSR1) == others)
        }
        stream.end()
        #expect(signals.map(action) == before)
    }

    @Test("A secret is asked for without being shown")
    func secret() async throws {
        let (screen, terminal) = try open()
        defer { screen.close() }
        async let answer = terminal.readSecret(prompt: "Password: ", timeout: .seconds(20))
        var shown = ""
        while !shown.contains(": ") {
            shown += String(decoding: try await screen.output.read(upTo: 100, timeout: .seconds(20)), as: UTF8.self)
        }
        try await screen.input.write("very secret\r")
        #expect(try await answer?.bytes == Array("very secret".utf8))
        shown += String(decoding: try await screen.output.read(upTo: 100, timeout: .seconds(20)), as: UTF8.self)
        #expect(shown == "Password: \r\n")
        #expect(try terminal.modes.echoes)
    }

    @Test("A question that is not answered in time leaves nothing of the answer to who reads next")
    func unfinishedSecret() async throws {
        let (screen, terminal) = try open()
        defer { screen.close() }
        let answer = Task { try await terminal.readSecret(prompt: "?", timeout: .milliseconds(300)) }
        _ = try await screen.output.read(upTo: 1, timeout: .seconds(20))
        try await screen.input.write("half-passw")
        await #expect(throws: TimeoutError.self) { try await answer.value }
        try await screen.input.write("next\r")
        #expect(try await terminal.input.readLine(timeout: .seconds(20)) == "next")
    }

    @Test func whatIsNoTerminalIsRefused() throws {
        let error = #expect(throws: TerminalError.self) { try Terminal(Descriptor.open("/dev/null", for: .readWrite)) }
        #expect(error?.kind == .notATerminal)
    }

    @Test("Signals reach the foreground, and sizes are what they were set to")
    func pseudoTerminal() async throws {
        let terminal = try PseudoTerminal(size: TerminalSize(rows: 5, columns: 6, width: 70, height: 80))
        defer { terminal.close() }
        #expect(try terminal.size == TerminalSize(rows: 5, columns: 6, width: 70, height: 80))
        let child = try await Command("sh", "-c", "trap 'exit 7' QUIT; echo ready; while :; do sleep 0.01; done")
            .onTerminal(
                terminal
            ).start()
        #expect(try await terminal.output.readLine(timeout: .seconds(20)) == "ready")
        #expect(try terminal.foregroundGroup?.rawValue == child.processID.rawValue)
        try terminal.send(.quit)
        #expect(try await child.wait(timeout: .seconds(20)) == .exited(7))
        _ = try await terminal.output.readAll(limit: 1000, timeout: .seconds(20))
        terminal.close()
        #expect(throws: SystemError.self) { try terminal.size }
    }

    @Test("T12: closing our side hangs the program up")
    func hangUp() async throws {
        let terminal = try PseudoTerminal()
        let child = try await Command("sleep", "1000").onTerminal(terminal).start()
        terminal.close()
        #expect(try await child.wait(timeout: .seconds(20)) == .signalled(.hangup, coreDumped: false))
    }
}

extension TerminalModes {
    fileprivate func changed(_ change: (inout TerminalModes) -> Void) -> TerminalModes {
        var modes = self
        change(&modes)
        return modes
    }
}
