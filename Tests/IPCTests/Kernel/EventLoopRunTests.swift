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

    // MARK: Left behind

    @Test func aTaskLeftBehindInAReadGoesOnOnTheSharedLoop() async throws {
        let pipe = try AnonymousPipe()
        let task = try await runOnLoop {
            let task = Task(executorPreference: EventLoop.current) {
                let line = try await pipe.reader.readLine()
                return (line, EventLoop.current === (try EventLoop.shared))
            }
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            return task
        }
        try await pipe.writer.write("late\n")
        let (line, isOnShared) = try await task.value
        #expect(line == "late")
        #expect(isOnShared)
    }

    @Test func aTaskLeftBehindKeepsItsDeadlineAndCanBeCancelled() async throws {
        let (first, second) = (try AnonymousPipe(), try AnonymousPipe())
        let (timed, cancelled) = try await runOnLoop {
            let timed = Task(executorPreference: EventLoop.current) {
                await failure { _ = try await first.reader.read(upTo: 1, timeout: .milliseconds(20)) }
            }
            let cancelled = Task(executorPreference: EventLoop.current) {
                await failure { _ = try await second.reader.read(upTo: 1) }
            }
            try await untilSomeoneWaits(on: first.reader.descriptor)
            try await untilSomeoneWaits(on: second.reader.descriptor)
            return (timed, cancelled)
        }
        cancelled.cancel()
        #expect(await timed.value is TimeoutError)
        #expect(await cancelled.value is CancellationError)
    }

    @Test func whoWaitsUntilReadableAndIsLeftBehindIsNotToldSoTooEarly() async throws {
        let pipe = try AnonymousPipe()
        let task = try await runOnLoop {
            let task = Task(executorPreference: EventLoop.current) {
                try await pipe.reader.waitUntilReadable()
                return try pipe.bytesInside
            }
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            return task
        }
        // The shared loop has taken the task over when it knows of its wait.
        try await untilSomeoneWaits(on: pipe.reader.descriptor)
        try await pipe.writer.write("abc")
        #expect(try await task.value == 3)
    }

    @Test func streamsThatAreClosedWhileTheLoopEndsDoNotTroubleTheNextOne() async throws {
        // Each file lives on in a duplicate, with bytes that nobody reads: a registration that stayed would report them
        // to the thread's next loop for ever.
        let pipes = try (0..<200).map { _ in try AnonymousPipe() }
        let duplicates = pipes.map { ipc_duplicate($0.reader.descriptor.number, 3) }
        defer { for number in duplicates { close(number) } }
        let readers = try await runOnLoop {
            let readers = pipes.map { pipe in
                Task(executorPreference: EventLoop.current) {
                    async let error = failure { try await pipe.reader.waitUntilReadable() }
                    while EventLoop.current !== (try EventLoop.shared) { await Task.yield() }
                    pipe.reader.close()
                    return await error as? SystemError
                }
            }
            for pipe in pipes { try await untilSomeoneWaits(on: pipe.reader.descriptor) }
            return readers
        }
        for reader in readers { #expect(try await reader.value?.errno == .canceled) }
        for pipe in pipes { try await pipe.writer.write("for nobody") }
        let cost = try await runOnLoop {
            let (idle, begin) = (try AnonymousPipe(), processorTime())
            _ = await failure { _ = try await idle.reader.read(upTo: 1, timeout: .milliseconds(80)) }
            return processorTime() - begin
        }
        #expect(cost < .milliseconds(30))
    }

    @Test func aTaskLeftBehindBeforeItBeganAndOneThatSleepsAreBothDone() async throws {
        let (begun, slept) = try await runOnLoop {
            let slept = Task(executorPreference: EventLoop.current) {
                try await Task.sleep(for: .milliseconds(20))
                return EventLoop.current === (try EventLoop.shared)
            }
            await Task.yield()
            return (Task(executorPreference: EventLoop.current) { 5 }, slept)
        }
        #expect(await begun.value == 5)
        #expect(try await slept.value)
    }

    @Test func writersLeftBehindInTheirQueueAllWrite() async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        let tasks = try await runOnLoop {
            let tasks = (0..<10).map { number in
                Task(executorPreference: EventLoop.current) {
                    try await pipe.writer.write([UInt8](repeating: UInt8(number), count: 10_000))
                }
            }
            try await untilSomeoneWaits(on: pipe.writer.descriptor, for: .writing)
            return tasks
        }
        var seen: [UInt8] = []
        while seen.count < 100_000 { seen += try await pipe.reader.read(upTo: 65_536) }
        for task in tasks { try await task.value }
        #expect(seen.count == 100_000)
        for start in stride(from: 0, to: 100_000, by: 10_000) {
            #expect(seen[start..<start + 10_000].allSatisfy { $0 == seen[start] }, "each write is whole")
        }
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
