// Actors and loops: those that live on a loop, and those that do not and are busy elsewhere when a wait ends.
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct EventLoopActorTests {
    /// An actor whose executor is a loop.
    private actor Resident {
        let loop: EventLoop
        private var bytes: [UInt8] = []
        nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

        init(on loop: EventLoop) { self.loop = loop }

        func thread() -> Int32 {
            assertIsolated()
            return threadNumber()
        }

        func collect(from reader: ByteReader) async throws -> [UInt8] {
            while let byte = try await reader.read(upTo: 1).first {
                assertIsolated()
                #expect(EventLoop.current === loop)
                bytes.append(byte)
            }
            return bytes
        }
    }

    @Test func anActorLivesOnTheLoopThatItsTasksRunOn() async throws {
        try await runOnLoop {
            let loop = try #require(EventLoop.current)
            #expect(await Resident(on: loop).thread() == threadNumber())
        }
    }

    @Test func anActorOnTheSharedLoopIsReachedFromEverywhere() async throws {
        let resident = Resident(on: try EventLoop.shared)
        let threads = try await Place.allCases.asyncMap { try await $0.run { await resident.thread() } }
        #expect(Set(threads).count == 1)
        #expect(Folder.text(of: "/proc/self/task/\(threads[0])/comm") == "ipc-loop\n")
    }

    @Test(arguments: Place.allCases)
    func aReadInAnActorThatLivesOnALoopComesBackToIt(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        let bytes = try await place.run {
            let loop = try EventLoop.current ?? EventLoop.shared
            async let bytes = Resident(on: loop).collect(from: pipe.reader)
            for byte: UInt8 in 1...20 {
                try await untilSomeoneWaits(on: pipe.reader.descriptor)
                try await pipe.writer.write([byte])
            }
            try pipe.writer.close()
            return try await bytes
        }
        #expect(bytes == Array(1...20))
    }

    /// An actor on a thread of its own.
    private actor Settled {
        nonisolated let executor: SettledExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        init(on thread: OwnThread) { executor = SettledExecutor(thread) }

        func threads(reading reader: ByteReader) async throws -> [Int32] {
            var threads: [Int32] = []
            while try await !reader.read(upTo: 1).isEmpty { threads.append(threadNumber()) }
            return threads
        }
    }

    private final class SettledExecutor: SerialExecutor {
        let thread: OwnThread
        init(_ thread: OwnThread) { self.thread = thread }
        func enqueue(_ job: consuming ExecutorJob) { thread.enqueue(UnownedJob(job), as: asUnownedSerialExecutor()) }
    }

    private func feed(_ pipe: AnonymousPipe) async throws {
        for byte: UInt8 in 0..<20 {
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            try await pipe.writer.write([byte])
        }
        try await untilSomeoneWaits(on: pipe.reader.descriptor)
        try pipe.writer.close()
    }

    @Test func aWaitFromElsewhereComesBackToWhereItsCallerWasAndNotToTheLoopsThread() async throws {
        // What a caller does next, and be it to block its thread, is no business of the loop that serves everybody.
        let loopsThread = try await onLoop(EventLoop.shared) { threadNumber() }
        for reading in [0, 1, 2] {
            let (pipe, actor) = (try AnonymousPipe(), Everywhere())
            async let fed: Void = feed(pipe)
            switch reading {
            case 0:
                while try await actor.read(from: pipe.reader) != nil {}
                #expect(await !actor.threads.contains(loopsThread), "an actor of the pool")
            case 1:
                while try await !pipe.reader.read(upTo: 1).isEmpty {
                    #expect(threadNumber() != loopsThread, "the pool")
                }
            default:
                let threads = try await Settled(on: .shared).threads(reading: pipe.reader)
                #expect(Set(threads).count == 1, "an actor with a thread of its own")
                #expect(!threads.contains(loopsThread))
            }
            try await fed
        }
    }

    /// An actor like most: it runs wherever there is room.
    private actor Everywhere {
        private(set) var threads: Set<Int32> = []

        func read(from reader: ByteReader) async throws -> UInt8? {
            let byte = try await reader.read(upTo: 1).first
            threads.insert(threadNumber())
            return byte
        }

        func write(_ byte: UInt8, to writer: ByteWriter) async throws { try await writer.write([byte]) }

        func occupy(_ isEntered: Latch, _ mayLeave: @Sendable () -> Bool) {
            isEntered.open()
            while !mayLeave() { sched_yield() }
        }
    }

    @Test func aReadInAnActorThatIsBusyOnThePoolWhenTheByteComesLeavesTheLoopInOrder() async throws {
        // The task waits on the loop's thread, but the actor that it waits for is let go by a thread of the pool, which
        // then goes on with the task.
        for round in 0..<200 {
            let (pipe, actor) = (try AnonymousPipe(), Everywhere())
            let (isEntered, hasWritten, isWoken) = (Latch(), Latch(), Latch())
            async let occupied: Void = {
                await isEntered.wait()
                await actor.occupy(hasWritten) { isWoken.isOpen }
            }()
            let (byte, pending) = try await runOnLoop {
                let loop = try #require(EventLoop.current)
                async let byte = actor.read(from: pipe.reader)
                try await untilSomeoneWaits(on: pipe.reader.descriptor)
                isEntered.open()
                await hasWritten.wait()
                try await pipe.writer.write([UInt8(truncatingIfNeeded: round)])
                while loop.isWaitedFor(pipe.reader.descriptor, .reading) { await EventLoop.letOthersRun() }
                isWoken.open()
                let value = try await byte
                await EventLoop.letOthersRun()
                return (value, loop.pending)
            }
            await occupied
            #expect(byte == UInt8(truncatingIfNeeded: round))
            #expect(pending.waits == 0, "the place in the loop's table is free again")
            #expect(pending.timers == 0)
        }
    }

    @Test func actorsSharedByALoopAndThePoolPassAHundredThousandBytes() async throws {
        // Two actors, each used by tasks of the loop and tasks of the pool at once, in both roles.
        let (there, back) = (try AnonymousPipe(), try AnonymousPipe())
        let (one, other) = (Everywhere(), Everywhere())
        async let echo: Void = {
            for _ in 0..<20_000 {
                guard let byte = try await other.read(from: there.reader) else { return }
                try await one.write(byte &+ 1, to: back.writer)
            }
        }()
        async let noise: Void = {
            for _ in 0..<20_000 {
                _ = await one.threads
                _ = await other.threads
            }
        }()
        let pending = try await runOnLoop {
            for round in 0..<20_000 {
                let byte = UInt8(truncatingIfNeeded: round)
                try await other.write(byte, to: there.writer)
                guard try await one.read(from: back.reader) == byte &+ 1 else { return (-1, -1, -1) }
            }
            await EventLoop.letOthersRun()
            return try #require(EventLoop.current).pending
        }
        try await echo
        await noise
        #expect(pending == (0, 0, 0))
    }
}

extension Array {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
