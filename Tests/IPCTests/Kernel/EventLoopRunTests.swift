// EventLoop.run: what it returns, where its tasks run, and what becomes of those that it leaves behind.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct EventLoopRunTests {
    private struct Refusal: Error, Equatable { let number: Int }

    @Test func returnsWhatTheBodyReturns() async throws {
        #expect(try await runOnLoop { 42 } == 42)
        #expect(try await runOnLoop { () async throws -> String in try await nextTurn("late") } == "late")
    }

    @Test func throwsWhatTheBodyThrows() async {
        await #expect(throws: Refusal(number: 7)) {
            try await runOnLoop { () async throws in throw Refusal(number: try await nextTurn(7)) }
        }
    }

    @Test func insideAnotherLoopItThrowsEDEADLK() async throws {
        let error = try await runOnLoop { refusal { try EventLoop.run { 1 } } }
        #expect(error == SystemError("run", on: "event loop inside another", .deadlock))
        let onShared = try await onLoop(EventLoop.shared) { refusal { try EventLoop.run { 1 } } }
        #expect(onShared?.errno == .deadlock)
    }

    @Test func itsThreadHasALoopOnlyMeanwhile() async throws {
        try await OwnThread.shared.run {
            #expect(EventLoop.current == nil)
            let thread = threadNumber()
            let isSame = try EventLoop.run { EventLoop.current != nil && threadNumber() == thread }
            #expect(isSame)
            #expect(EventLoop.current == nil)
        }
    }

    @Test func childTasksGroupsAndSleepersStayOnItsThread() async throws {
        let threads = try await runOnLoop {
            async let child = threadNumber()
            async let hopping = onPurposeElsewhere()
            let members = await withTaskGroup(of: Int32.self) { group in
                for _ in 0..<20 { group.addTask { threadNumber() } }
                return await group.reduce(into: Set()) { $0.insert($1) }
            }
            let unstructured = Task(executorPreference: EventLoop.current) { threadNumber() }
            try await Task.sleep(for: .milliseconds(1))
            await Task.yield()
            return members.union([await child, await hopping, await unstructured.value, threadNumber()])
        }
        #expect(threads.count == 1)
    }

    @Test func jobsThatOtherThreadsSendAreAllRun() async throws {
        let count = try await runOnLoop {
            let count = Counter()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        // Each time the end of a task elsewhere makes this one ready, from a thread of the pool.
                        for _ in 0..<100 {
                            await Task.detached { await Task.yield() }.value
                            count.add(EventLoop.current == nil ? 0 : 1)
                        }
                    }
                }
            }
            return count.value
        }
        #expect(count == 5_000)
    }

    @Test func taskLocalValuesAndTheCallersDeadlineReachTheBody() async throws {
        let limit = try await Deadline(in: .seconds(50)).run { try await runOnLoop { Deadline.ambient?.limit } }
        #expect(limit == .seconds(50))
    }

    @Test func aThousandRunsLeaveNothing() async throws {
        let sum = try await OwnThread.shared.run {
            try (1...1_000).reduce(0) { sum, number in try EventLoop.run { try await nextTurn(sum + number) } }
        }
        #expect(sum == 500_500)
    }

    @Test func aStreamThatOutlivesManyLoopsHoldsNoneOfThem() async throws {
        let pipe = try AnonymousPipe()
        let before = Leftovers.descriptors().count
        for _ in 0..<20 {
            let byte = try await runOnLoop {
                async let byte = pipe.reader.read(upTo: 1)
                try await untilSomeoneWaits(on: pipe.reader.descriptor)
                try await pipe.writer.write("x")
                return try await byte
            }
            #expect(byte == [UInt8(ascii: "x")])
        }
        #expect(Leftovers.descriptors().count == before)
    }

    // MARK: The body's own task

    @Test func theBodysTaskCanBeCancelledBeforeAWaitAndInsideOne() async throws {
        let pipe = try AnonymousPipe()
        try await runOnLoop {
            let task = BodysTask()
            async let cancelled: Void = {
                try await untilSomeoneWaits(on: pipe.reader.descriptor)
                task.cancel()
            }()
            let inside = await failure { _ = try await pipe.reader.read(upTo: 1, timeout: .seconds(1_000)) }
            #expect(inside is CancellationError)
            try? await cancelled
            let before = await failure { _ = try await pipe.reader.waitUntilReadable() }
            #expect(before is CancellationError)
            let loop = try #require(EventLoop.current)
            #expect(loop.pending == (0, 0, 0))
        }
        #expect(
            try await runOnLoop { await failure { _ = try await pipe.reader.read(upTo: 1, timeout: .zero) } }
                is TimeoutError)
    }

    @Test func theBodysTaskIsCancelledFromAnotherThreadWhileItWaitsAlone() async throws {
        // It waits in place then, with nothing else to run: only a message from outside can end it.
        let pipe = try AnonymousPipe()
        for round in 0..<300 {
            let hasCancelled = Latch()
            let error = try await runOnLoop {
                let task = BodysTask()
                Task(executorPreference: OwnThread.other) {
                    for _ in 0..<round { sched_yield() }
                    task.cancel()
                    hasCancelled.open()
                }
                let error = await failure { _ = try await pipe.reader.read(upTo: 1) }
                await hasCancelled.wait()
                return error
            }
            check(error is CancellationError, "round \(round)")
        }
    }

    /// A hold on the task that makes it, as long as that runs.
    private struct BodysTask: @unchecked Sendable {
        // Safe by the rule that nobody uses it after the body has ended.
        private let task = withUnsafeCurrentTask { $0 }
        func cancel() { task?.cancel() }
    }
}

/// A value that comes after the task has been suspended once.
private func nextTurn<Value: Sendable>(_ value: Value) async throws -> Value {
    await Task.yield()
    try await Task.sleep(for: .nanoseconds(1))
    return value
}

@concurrent
private func onPurposeElsewhere() async -> Int32 { threadNumber() }

private func refusal(_ body: () throws -> Int) -> SystemError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? SystemError
    }
}
