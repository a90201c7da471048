// Pipelines that are cut short: one limit over all, and nothing of any stage is left.
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct PipelineEndingTests {
    /// Three stages, each with a grandchild, all of them deaf to SIGTERM; their numbers are written to a file.
    private static func stubborn(_ list: FilePath, _ error: Command.Output) -> Pipeline? {
        let script = #"trap "" TERM; sleep 1000 & echo $$ $! >> "$1"; echo ready >&2; wait; sleep 1000"#
        return Pipeline((0..<3).map { _ in Command.script(script, list).error(error) })
    }

    private func numbers(in list: FilePath) -> [Int32] {
        (Folder.text(of: list.string) ?? "").split { !$0.isNumber }.compactMap { Int32($0) }
    }

    @Test("P26, P44: a limit ends all stages and what they have started, deaf or not", arguments: Place.allCases)
    func limit(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let list = folder.appending("pids")
            let pipeline = try #require(Self.stubborn(list, .discard))
            let forms: [@Sendable (Duration) async throws -> Void] = [
                { try await pipeline.run(timeout: $0, grace: .milliseconds(50)) },
                { _ = try await pipeline.capture(deadline: Deadline(in: $0), grace: .milliseconds(50)) },
                { _ = try await pipeline.read(timeout: $0, grace: .milliseconds(50)) },
                { try await pipeline.withInput(timeout: $0, grace: .milliseconds(50)) { _ in } },
                { limit in
                    _ = try await Deadline(in: limit).run { try await pipeline.capture(grace: .milliseconds(50)) }
                },
            ]
            let limit = Duration.milliseconds(300) * Watchdog.patience
            for (index, form) in forms.enumerated() {
                let error = await within(.seconds(5)) {
                    await failure { try await place.run { try await form(limit) } }
                }
                let timeout = error as? TimeoutError
                #expect(timeout?.operation == "run", "\(index): \(String(describing: error))")
                #expect(timeout?.subject == pipeline.description)
                #expect(timeout?.limit == limit)
            }
            for pid in numbers(in: list) { #expect(ends(pid)) }
        }
    }

    @Test func theErrorOfALimitHasWhatTheLastStageWrote() async throws {
        let last = Command.script("cat; echo err >&2; sleep 1000")
        let pipeline = Command("echo", "out").piped(to: last)
        let error = try await #require(throws: TimeoutError.self) {
            try await pipeline.capture(timeout: .milliseconds(500) * Watchdog.patience)
        }
        #expect(error.output == Array("out\n".utf8) && error.error == Array("err\n".utf8))
    }

    @Test("P37: a pipeline that is cancelled ends as a whole", arguments: Place.allCases)
    func cancelled(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let list = folder.appending("pids")
            let sign = try Sign()
            let pipeline = try #require(Self.stubborn(list, sign.output))
            let outcome = try await place.run {
                try await cancelling(
                    { _ = try await pipeline.capture(grace: .milliseconds(50)) },
                    when: { for _ in 0..<3 { try await sign.wait() } })
            }
            #expect(outcome is CancellationError, "\(String(describing: outcome))")
            let pids = numbers(in: list)
            #expect(pids.count == 6)
            for pid in pids { #expect(ends(pid)) }
        }
        let nothing = try await cancelling(
            {
                withUnsafeCurrentTask { $0?.cancel() }
                _ = try await Command("echo").piped(to: Command("/no/such/program")).capture()
            }, when: {})
        #expect(nothing is CancellationError, "\(String(describing: nothing))")
    }

    @Test("P26: stages that comply have their grace, and the time is not used up")
    func grace() async throws {
        let polite = Command.script(#"trap "exit 0" TERM; echo ready >&2; while :; do sleep 0.01; done"#)
        let sign = try Sign()
        let pipeline = polite.error(sign.output).piped(to: polite.error(sign.output))
        let outcome = try await cancelling(
            { try await pipeline.run(grace: .seconds(30)) }, when: { for _ in 0..<2 { try await sign.wait() } })
        #expect(outcome is CancellationError)
    }

    @Test("P24: what a stage leaves behind keeps no later stage waiting", arguments: Place.allCases)
    func grandchild(_ place: Place) async throws {
        try await place.run {
            let first = Command.script("sleep 1000 & echo $! >&2; echo hi")
            let result = try await within(.seconds(2)) { try await first.piped(to: Command("cat")).capture() }
            #expect(result.output.text == "hi\n")
            let pids = result.stages[0].error.text.split(separator: "\n").compactMap { Int32($0) }
            #expect(pids.count == 1)
            for pid in pids { #expect(ends(pid)) }
            let last = try await within(.seconds(2)) { try await Command("echo", "hi").piped(to: first).capture() }
            #expect(last.output.text == "hi\n")
        }
    }

    @Test("P40: a process that has left its stage's tree delays no function that reads, and lives")
    func stranger() async throws {
        let seen = Box<[UInt8]>()
        let pipeline = Command.testChild("grandchild-session", 1_000).piped { input, _ in
            seen.set(try await input.readAll(limit: 1_000))
        }
        _ = try await within(.seconds(3)) { try await pipeline.capture() }
        let pid = try #require(Int32(String(decoding: seen.value ?? [], as: UTF8.self).dropLast()))
        #expect(runs(pid))
        dispatch(pid)
    }

    @Test("A pipeline runs to its end however early its stages' neighbours have ended")
    func earlyEnds() async throws {
        for _ in 0..<20 {
            let pipeline = Command("true").piped(to: Command("true")).piped(to: .script("cat; echo end"))
            #expect(try await pipeline.read() == "end")
        }
        let deaf = Command.testChild("sleep", "0.2").piped(to: Command("true"))
        let result = try await deaf.capture()
        #expect(result.stages.map(\.status) == [.exited(0), .exited(0)])
        #expect(result.duration >= .milliseconds(200))
    }

    @Test("P27: stages that are stopped are ended all the same")
    func stopped() async throws {
        let pipeline = Command.testChild("stop").piped(to: .testChild("stop"))
        let error = await within(.seconds(3)) {
            await failure { _ = try await pipeline.capture(timeout: .milliseconds(200), grace: .seconds(20)) }
        }
        #expect(error is TimeoutError, "\(String(describing: error))")
    }
}

@Suite struct PipelineSignalTests {
    @Test("Signals that are passed on reach every stage", .guarded)
    func passedOn() async throws {
        let (status, output) = try await InnerRun.of("signalsReachEveryStage")
        #expect(status == 0, "\(output)")
        #expect(output.contains("1 test"))
    }

    /// In a process of its own, which then has what signals need as long as it lives.
    @Test(.inner) func signalsReachEveryStage() async throws {
        let sign = try Sign()
        let stage = Command.script(#"trap "exit 5" USR1; echo ready >&2; while :; do sleep 0.01; done"#)
        let pipeline = stage.error(sign.output).piped(to: stage.error(sign.output).output(.discard)).unchecked()
        async let result = pipeline.run(passingOn: [.user1])
        for _ in 0..<2 { try await sign.wait() }
        kill(getpid(), SIGUSR1)
        let statuses = try await result.stages.map(\.status)
        #expect(statuses == [.exited(5), .exited(5)])
    }
}
