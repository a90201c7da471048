// What a body leaves behind when EventLoop.run returns: it goes on on the process-wide loop, and troubles no later one.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct EventLoopLeftBehindTests {
    @Test func anActorOnALoopThatHasEndedGoesOnOnTheSharedLoopAsItself() async throws {
        actor Resident {
            let loop: EventLoop
            private var steps = 0
            nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

            init(on loop: EventLoop) { self.loop = loop }

            func read(from reader: ByteReader) async throws -> [UInt8] {
                let bytes = try await reader.read(upTo: 1)
                assertIsolated()
                steps += 1
                return bytes
            }

            func taken() -> Int {
                assertIsolated()
                return steps
            }
        }
        let pipe = try AnonymousPipe()
        let (resident, byte) = try await runOnLoop {
            let resident = Resident(on: try #require(EventLoop.current))
            let byte = Task(executorPreference: EventLoop.current) { try await resident.read(from: pipe.reader) }
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            return (resident, byte)
        }
        try await pipe.writer.write("x")
        #expect(try await byte.value == Array("x".utf8))
        #expect(await resident.taken() == 1)
    }

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
