// Workers that do not end by themselves: limits, cancellation, a parent that lets go or dies.
import CIPC
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct WorkerEndingTests {
    @Test("S-34: a worker that hangs ends at the limit, and nothing of it is left", arguments: Place.allCases)
    func hang(_ place: Place) async throws {
        for way in [Misbehave.Way.hang, .blockThread] {
            let error = try await #require(throws: TimeoutError.self) {
                try await place.run {
                    try await within(.seconds(4)) { _ = try await Misbehave.perform(way, timeout: .milliseconds(300)) }
                }
            }
            #expect(error.operation == "run")
            #expect(error.subject == "worker Misbehave")
            #expect(error.limit == .milliseconds(300))
        }
        await #expect(throws: TimeoutError.self) {
            try await Deadline(in: .milliseconds(100)).run { _ = try await Misbehave.perform(.hang) }
        }
        await #expect(throws: TimeoutError.self) {
            try await Misbehave.perform(.hang, deadline: Deadline(in: .milliseconds(100)))
        }
    }

    @Test("P25: what a worker has started ends with it, after a limit and after a cancellation")
    func grandchildren() async throws {
        let worker = try await Misbehave.start(.hangWithGrandchild) { $0.output(.pipe) }
        let line = try await worker.child.standardOutput?.readLine(timeout: .seconds(20))
        let grandchild = try #require(Int32(line ?? ""))
        await #expect(throws: TimeoutError.self) { try await worker.reply(timeout: .zero) }
        #expect(ends(grandchild))
        // The outcome stays.
        await #expect(throws: TimeoutError.self) { try await worker.reply() }

        let other = try await Misbehave.start(.hangWithGrandchild) { $0.output(.pipe) }
        let second = try #require(Int32(try await other.child.standardOutput?.readLine(timeout: .seconds(20)) ?? ""))
        let outcome = try await cancelling(
            { _ = try await other.reply() }, when: { try await Task.sleep(for: .milliseconds(1)) })
        #expect(outcome is CancellationError)
        #expect(ends(second))
    }

    @Test("P37: a cancelled call ends its worker", arguments: Place.allCases)
    func cancelled(_ place: Place) async throws {
        try await place.run {
            let sign = try Sign()
            let outcome = try await cancelling(
                { _ = try await Misbehave.perform(.printAndHang("here\n")) { $0.output(sign.output) } },
                when: { try await sign.wait() })
            #expect(outcome is CancellationError)
        }
        // Before the start nothing is started; during a request that nobody reads it ends as well.
        let outcome = try await cancelling({ _ = try await Echo.perform(floodedBytes(8_000_000)) }, when: {})
        #expect(outcome is CancellationError)
    }

    @Test("S-34: a handle that is dropped ends its worker")
    func dropped() async throws {
        var worker: RunningWorker<Misbehave>? = try await Misbehave.start(.printAndHang("here\n")) { $0.output(.pipe) }
        _ = try await worker?.child.standardOutput?.readLine(timeout: .seconds(20))
        let process = try #require(worker?.child.processID.rawValue)
        worker = nil
        #expect(ends(process))
    }

    @Test("S-34: one task waits for a reply, and any number get it afterwards")
    func twice() async throws {
        let worker = try await Misbehave.start(.printAndHang("here\n")) { $0.output(.pipe) }
        _ = try await worker.child.standardOutput?.readLine(timeout: .seconds(20))
        async let first = failureOf { _ = try await worker.reply(timeout: .milliseconds(300)) }
        try await Task.sleep(for: .milliseconds(100))
        let error = await failureOf { _ = try await worker.reply() }
        #expect((error as? SystemError)?.errno == .resourceBusy || error is TimeoutError)
        #expect(await first is TimeoutError)

        let done = try await Echo.start([1, 2])
        #expect(try await done.reply() == [1, 2])
        #expect(try await done.reply() == [1, 2])
        #expect(done.child.status == .exited(0))
    }

    @Test("S-34: a worker whose parent is killed ends, with what it has started")
    func parentDies() async throws {
        let (status, output) = try await InnerRun.of("parentOfWorkerIsKilled")
        #expect(status == 128 + SIGKILL, "\(output)")
        let numbers = output.split(separator: "\n").compactMap { line in
            line.hasPrefix("pids ") ? line.dropFirst(5).split(separator: " ").compactMap { Int32($0) } : nil
        }.flatMap { $0 }
        #expect(numbers.count == 2, "\(output)")
        for process in numbers { #expect(ends(process)) }
    }

    @Test(.inner) func parentOfWorkerIsKilled() async throws {
        let worker = try await Misbehave.start(.hangWithGrandchild) { $0.output(.pipe).error(.discard) }
        let line = try await worker.child.standardOutput?.readLine(timeout: .seconds(20)) ?? ""
        let text = "pids \(worker.child.processID) \(line)\n"
        _ = text.withCString { write(1, $0, strlen($0)) }
        kill(getpid(), SIGKILL)
    }

    private func failureOf(_ body: @Sendable () async throws -> Void) async -> (any Error)? {
        do { try await body() } catch { return error }
        return nil
    }
}
