// When a program that is asked does not answer, does not listen, or does not end.
import IPC
import Testing

@Suite(.guarded)
struct TwoWayFailureTests {
    private static let transports = TwoWayTests.transports

    @Test(
        "S-46: a program that keeps its answer in its buffer is an error within the limit, and nothing is left",
        arguments: transports)
    func unflushed(_ transport: TwoWayTransport) async throws {
        let limit = Duration.milliseconds(200)
        let error = try await within(.seconds(2)) {
            try await #require(throws: NoAnswerError.self) {
                try await Command.testChild("unflushed").withPipes(over: transport) { child in
                    try await child.ask("question", timeout: limit)
                }
            }
        }
        #expect(error.kind == .timedOut && error.limit == limit && error.question == "question")
        #expect(
            "\(error)"
                == "ask TestChild: no answer within 200 ms; it probably buffers its output, and would not on a terminal"
        )
        let outer = try await #require(throws: NoAnswerError.self) {
            try await Command.testChild("unflushed").withPipes(over: transport, timeout: limit) { child in
                try await child.ask("question", timeout: nil)
            }
        }
        #expect(outer.kind == .timedOut && outer.limit == limit)
    }

    @Test("S-46: a program that ends instead of answering is an error with its status", arguments: transports)
    func ended(_ transport: TwoWayTransport) async throws {
        let error = try await #require(throws: NoAnswerError.self) {
            try await Command.testChild("read", 2).withPipes(over: transport) { try await $0.ask("x") }
        }
        #expect(error.kind == .ended && error.status == .exited(3))
        #expect("\(error)" == "ask TestChild: no answer: it exited with status 3")
        let killed = try await #require(throws: NoAnswerError.self) {
            try await Command.script("read line; kill -9 $$").withPipes(over: transport) { try await $0.ask("x") }
        }
        #expect(killed.status == .signalled(.kill, coreDumped: false))
        // Its output is closed, and it runs on.
        let closed = try await within(.seconds(3)) {
            try await #require(throws: NoAnswerError.self) {
                try await Command.testChild("close-output-then-sleep", 1_000).withPipes(over: .pipes) {
                    try await $0.ask("x")
                }
            }
        }
        #expect(closed.kind == .ended && closed.status == .signalled(.terminate, coreDumped: false))
    }

    @Test("P19: a program that leaves before it has read everything", arguments: transports)
    func brokenPipe(_ transport: TwoWayTransport) async throws {
        for (command, kind) in [
            (Command("head", "-c", 10), CommandError.Kind.inputNotTaken), (.testChild("read", 10), .failed),
        ] {
            let error = try await within(.seconds(5)) {
                try await #require(throws: CommandError.self) {
                    try await command.withPipes(over: transport) { pipes in
                        while true { try await pipes.standardInput.write([UInt8](repeating: 65, count: 65_536)) }
                    }
                }
            }
            #expect(error.kind == kind)
            #expect(error.status == .exited(kind == .failed ? 3 : 0))
        }
    }

    @Test("P20: a program that closes its input and goes on is heard to its end", arguments: transports)
    func closedInput(_ transport: TwoWayTransport) async throws {
        let error = try await #require(throws: CommandError.self) {
            try await Command.script("exec <&-; echo closed; sleep 0.05; exit 4").withPipes(over: transport) { pipes in
                #expect(try await pipes.standardOutput.readLine() == "closed")
                while true { try await pipes.standardInput.write("nobody reads this") }
            }
        }
        #expect(error.kind == .failed && error.status == .exited(4))
    }

    @Test("P23: more than the buffer may hold is an error, of output as of complaints", arguments: transports)
    func buffers(_ transport: TwoWayTransport) async throws {
        let error = try await within(.seconds(5)) {
            try await #require(throws: ReadError.self) {
                try await Command.testChild("cat").withPipes(over: transport, bufferLimit: 100_000) { cat in
                    try await cat.standardInput.write([UInt8](repeating: 65, count: 10_000_000))
                }
            }
        }
        #expect(error.kind == .limitExceeded)
        let flood = Command.testChild("flood", "err", 10_000_000).error(.pipe)
        let complaint = try await within(.seconds(5)) {
            try await #require(throws: ReadError.self) {
                try await flood.withPipes(over: transport, bufferLimit: 100_000) { pipes in
                    _ = try await pipes.standardOutput.readAll(limit: 10)
                }
            }
        }
        #expect(complaint.kind == .limitExceeded)
        // What is read in time may be as much as it likes.
        let count = try await Command.testChild("flood", "out", 1_000_000).withPipes(
            over: transport, bufferLimit: 100_000
        ) { try await $0.standardOutput.readAll(limit: 2_000_000).count }
        #expect(count == 1_000_000)
    }

    @Test("An error of the body ends the program, deaf or not", arguments: transports, Place.allCases)
    func bodyThrows(_ transport: TwoWayTransport, _ place: Place) async throws {
        let deaf = Command.testChild("ignore", "TERM")
        for command in [Command.testChild("cat"), deaf] {
            _ = await within(.seconds(2)) {
                await #expect(throws: Failed.self) {
                    try await place.run {
                        try await command.withPipes(over: transport, grace: .milliseconds(50)) { pipes in
                            if command.description == deaf.description {
                                #expect(try await pipes.standardOutput.readLine() == "ready")
                            }
                            throw Failed()
                        }
                    }
                }
            }
        }
    }

    @Test("P26: the limit is over body and program together", arguments: transports, Place.allCases)
    func limit(_ transport: TwoWayTransport, _ place: Place) async throws {
        let bodies: [(String, Command, @Sendable (CommandPipes) async throws -> Void)] = [
            ("the body reads", .testChild("sleep", 1_000), { _ = try await $0.standardOutput.readLine() }),
            (
                "the body waits", .testChild("sleep", 1_000),
                { _ in try await AnonymousPipe().reader.waitUntilReadable() }
            ),
            (
                "the body writes", .testChild("sleep", 1_000),
                { try await $0.standardInput.write([UInt8](repeating: 0, count: 1 << 22)) }
            ),
            ("the program runs on", .testChild("sleep", 1_000), { _ in }),
            ("the program is deaf", .testChild("ignore", "TERM"), { _ in }),
        ]
        for (name, command, body) in bodies {
            let limit = Duration.milliseconds(100) * Watchdog.patience
            let error = await within(.seconds(3)) {
                await failure {
                    try await place.run {
                        try await command.withPipes(over: transport, timeout: limit, grace: .milliseconds(50), body)
                    }
                }
            }
            #expect((error as? TimeoutError)?.limit == limit, "\(name): \(String(describing: error))")
            let outcome = try await place.run {
                try await cancelling(
                    { try await command.withPipes(over: transport, grace: .milliseconds(50), body) },
                    when: { await Task.yield() })
            }
            #expect(outcome is CancellationError, "\(name): \(String(describing: outcome))")
        }
    }

    @Test("P20: the limit ends a program that listens no more, and is the error", arguments: transports)
    func limitOfTheDeaf(_ transport: TwoWayTransport) async throws {
        let limit = Duration.milliseconds(300) * Watchdog.patience
        let error = await failure {
            let program = Command.script("exec <&-; echo closed; exec sleep 1000")
            try await program.withPipes(over: transport, timeout: limit) { pipes in
                _ = try await pipes.standardOutput.readLine()
                while true { try await pipes.standardInput.write("nobody reads this") }
            }
        }
        #expect((error as? TimeoutError)?.limit == limit, "\(String(describing: error))")
    }

    @Test("A limit of the body's own is not the program's", arguments: transports)
    func limitOfTheBody(_ transport: TwoWayTransport) async throws {
        let error = try await #require(throws: TimeoutError.self) {
            try await Command.testChild("cat").withPipes(over: transport) { pipes in
                _ = try await pipes.standardOutput.readLine(timeout: .milliseconds(10))
            }
        }
        #expect(error.operation != "run" && error.limit == .milliseconds(10))
        // Handled by the body, it is no error at all.
        let answer = try await Command.testChild("upcase").withPipes(over: transport) { pipes in
            _ = try? await pipes.standardOutput.readLine(timeout: .milliseconds(10))
            return try await pipes.ask("still there")
        }
        #expect(answer == "STILL THERE")
    }

    @Test("H-07: a program that is not there is not started", arguments: transports)
    func notThere(_ transport: TwoWayTransport) async throws {
        let error = try await #require(throws: StartError.self) {
            try await Command("/no/such/program").withPipes(over: transport) { _ in Issue.record("it runs") }
        }
        #expect(error.kind == .notFound)
    }
}
