// Cancellation in every phase of a run: prompt, and nothing of the program is left.
import CIPC
import IPC
import Testing

@Suite(.guarded)
struct CancellationTests {
    private typealias Form = (name: String, body: @Sendable (Command) async throws -> Void)

    private static let forms: [Form] = [
        ("run", { try await $0.run() }),
        ("run within a limit", { try await $0.run(timeout: .seconds(100)) }),
        ("capture", { _ = try await $0.capture() }),
        ("capture with input", { _ = try await $0.input([UInt8](repeating: 0, count: 1 << 20)).capture() }),
        ("read", { _ = try await $0.read() }),
        ("lines", { for try await _ in $0.lines() {} }),
        ("withInput, the program runs", { try await $0.withInput { _ in } }),
        (
            "withInput, the body writes",
            { try await $0.withInput { try await $0.write([UInt8](repeating: 0, count: 1 << 20)) } }
        ),
        (
            "withInput, the body waits",
            { try await $0.withInput { _ in try await AnonymousPipe().reader.waitUntilReadable() } }
        ),
        (
            "wait of a handle",
            { command in
                let child = try await command.start()
                do { _ = try await child.wait() } catch {
                    await child.end()
                    throw error
                }
            }
        ),
        (
            "read of a handle",
            { command in
                let child = try await command.output(.pipe).start()
                do { _ = try await child.standardOutput?.readAll(limit: 1) } catch {
                    await child.end()
                    throw error
                }
            }
        ),
    ]

    @Test("P37: a run that is cancelled ends at once, in every form and wherever it runs", arguments: Place.allCases)
    func whileRunning(_ place: Place) async throws {
        for form in CancellationTests.forms {
            try await place.run {
                let sign = try Sign()
                let program = Command.script("echo ready >&2; exec sleep 1000").error(sign.output)
                let outcome = try await cancelling({ try await form.body(program) }, when: { try await sign.wait() })
                #expect(outcome is CancellationError, "\(form.name): \(String(describing: outcome))")
            }
        }
    }

    @Test("P37: nothing is started for a task that is cancelled already", arguments: Place.allCases)
    func beforeTheStart(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            for (number, form) in CancellationTests.forms.enumerated() {
                let file = folder.appending("file-\(number)")
                try await place.run {
                    let outcome = try await withThrowingTaskGroup(of: (any Error)?.self) { group in
                        group.cancelAll()
                        group.addTask { await failure { try await form.body(Command("touch", file)) } }
                        return try await group.next() ?? nil
                    }
                    #expect(outcome is CancellationError, "\(form.name): \(String(describing: outcome))")
                }
            }
            #expect(Folder.names(in: folder.string) == [])
        }
    }

    @Test("P26, P37: a program that ignores SIGTERM is killed after the grace", arguments: Place.allCases)
    func stubborn(_ place: Place) async throws {
        try await place.run {
            for isCaptured in [true, false] {
                let sign = try Sign()
                let script = #"trap "" TERM; echo ready >&2; while :; do sleep 0.01; done"#
                let program = Command.script(script).error(sign.output)
                let outcome = try await cancelling(
                    {
                        if isCaptured {
                            _ = try await program.capture(grace: .milliseconds(50))
                        } else {
                            try await program.run(grace: .milliseconds(50))
                        }
                    }, when: { try await sign.wait() })
                #expect(outcome is CancellationError)
            }
        }
    }

    @Test(
        "P38: output is complete or the cancellation is an error, at whatever moment it comes",
        arguments: Place.allCases)
    func whileDraining(_ place: Place) async throws {
        let expected = floodedBytes(200_000)
        let whole = try await place.run {
            var chance = Chance(seed: 11)
            var whole = 0
            // From the first moment to well after the last, however slow the machine is just now.
            let usual = try await ContinuousClock().measure {
                _ = try await Command.testChild("flood", "out", 200_000).capture()
            }
            for _ in 0..<150 {
                let pause = usual * Double.random(in: 0...2.5, using: &chance)
                let result = Box<CommandResult>()
                let outcome = try await cancelling(
                    { result.set(try await Command.testChild("flood", "out", 200_000).capture()) },
                    when: { try await Task.sleep(for: pause) })
                if let result = result.value {
                    #expect(outcome == nil)
                    expectSame(result.output.bytes, expected, "Cancelled after \(pause).")
                    whole += 1
                } else {
                    #expect(outcome is CancellationError)
                }
            }
            return whole
        }
        #expect(whole > 0)
    }

    @Test("P37: cancelled while the limit ends it, a run is ended once and says why")
    func duringTheGrace() async throws {
        let sign = try Sign()
        let script = #"trap "echo asked >&2" TERM; while :; do sleep 0.01; done"#
        let program = Command.script(script).error(sign.output)
        let outcome = try await cancelling(
            { _ = try await program.capture(timeout: .milliseconds(300), grace: .milliseconds(200)) },
            when: { try await sign.wait() })
        #expect(outcome is TimeoutError)
    }
}

/// What a body ends with when it is cancelled at a moment; `nil` if it is done by then.
func cancelling(
    _ body: @escaping @Sendable () async throws -> Void, when moment: @Sendable () async throws -> Void
) async throws -> (any Error)? {
    try await withThrowingTaskGroup(of: (any Error)?.self) { group in
        group.addTask { await failure(of: body) }
        try await moment()
        group.cancelAll()
        return try await within(.seconds(3)) { try await group.next() ?? nil }
    }
}

/// A pipe by which a program says that it has come so far.
struct Sign: Sendable {
    let output: Command.Output
    private let reader: ByteReader

    init() throws {
        var (first, second): (Int32, Int32) = (-1, -1)
        try #require(ipc_pipe(&first, &second) == 0)
        reader = try ByteReader(Descriptor(adopting: first))
        output = .descriptor(try Descriptor(adopting: second))
    }

    /// Waits for a line.
    func wait() async throws { _ = try await reader.readLine(timeout: .seconds(20) * Watchdog.patience) }
}
