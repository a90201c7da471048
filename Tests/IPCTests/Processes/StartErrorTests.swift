// A program that cannot be started: the call that starts it says so, of which kind, and leaves nothing behind.
import IPC
import Testing

@Suite(.guarded)
struct StartErrorTests {
    @Test("P1 to P14, P16: each failing start has its own kind and names its subject", arguments: FailingStart.allCases)
    func kind(_ failing: FailingStart) async throws {
        try await withTemporaryFolder { folder in
            let busy = try await Ground.prepare(folder)
            let command = failing.command(in: folder)
            let error = try await #require(throws: StartError.self) { _ = try await command.start() }
            #expect(error.kind == failing.expected.kind)
            #expect(error.errno == failing.expected.errno)
            #expect("\(error)".contains(failing.subject))
            #expect("\(error)".contains("(\(failing.expected.errno.name))"))
            try busy.close()
        }
    }

    @Test("Every form of running throws the same error, wherever it runs", arguments: Place.allCases)
    func everyForm(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let busy = try await Ground.prepare(folder)
            for failing in FailingStart.allCases where failing != .longTotal {
                let command = failing.command(in: folder)
                try await place.run {
                    let forms: [(name: String, body: () async throws -> Void)] = [
                        ("start", { _ = try await command.start() }),
                        ("run", { try await command.run() }),
                        ("run within a limit", { try await command.run(timeout: .seconds(5)) }),
                        ("capture", { _ = try await command.capture() }),
                        ("read", { _ = try await command.read() }),
                        ("lines", { for try await _ in command.lines() {} }),
                        ("withInput", { try await command.withInput { try await $0.write("text") } }),
                    ]
                    for form in forms where form.name != "withInput" || failing != .inputMissing {
                        let error = await failure(of: form.body) as? StartError
                        #expect(error?.kind == failing.expected.kind, "\(form.name) of \(failing)")
                    }
                }
            }
            try busy.close()
        }
    }

    @Test(.guarded(limit: .seconds(60)))
    func twoThousandFailingStartsOfAllKindsAreAllReportedAndLeaveNothing() async throws {
        try await withTemporaryFolder { folder in
            let busy = try await Ground.prepare(folder)
            let commands = FailingStart.allCases.map { ($0, $0.command(in: folder)) }
            try await runOnLoop {
                for number in 0..<2_000 {
                    let (failing, command) = commands[number % commands.count]
                    if failing == .longTotal, number > 200 { continue }  // copies 3 MB each time
                    let error = await failure { _ = try await command.start() } as? StartError
                    guard error?.kind == failing.expected.kind else {
                        Issue.record("start \(number), \(failing): \(String(describing: error))")
                        return
                    }
                }
            }
            try busy.close()
        }
    }

    @Test("A start that failed can be tried again once its reason is gone")
    func again() async throws {
        try await withTemporaryFolder { folder in
            let busy = try await Ground.prepare(folder)
            let command = Command("\(folder)/busy", "echo", "at last")
            #expect(try await #require(throws: StartError.self) { _ = try await command.read() }.kind == .busy)
            try busy.close()
            #expect(try await command.read() == "at last")
        }
    }

    @Test("I2: an error is equal to itself, and tells operation, subject, reason and C name in one line")
    func description() async throws {
        let error = try await #require(throws: StartError.self) { try await Command("/no/such/program").run() }
        #expect(error.description == "execute /no/such/program: no such file or directory (ENOENT)")
        #expect(error == StartError(.notFound, "execute", on: "/no/such/program", .noSuchFileOrDirectory))
        #expect(StartError.Kind.notFound.description == "notFound")
    }
}
