import Testing

// A task that never has to wait does not keep others from running, and can itself be stopped.
@testable import IPC

@Suite(.guarded)
struct EventLoopFairnessTests {
    /// Reads without end, and without ever waiting, until told to stop: how many times.
    private static func readWithoutPause(until stop: Latch) async throws -> Int {
        let endless = try ByteReader(Descriptor.open("/dev/zero", for: .read))
        var (calls, bytes) = (0, [UInt8](repeating: 0, count: 64))
        while !stop.isOpen { calls += try await endless.read(into: &bytes) / 64 }
        return calls
    }

    @Test(arguments: Place.allCases)
    func whoReadsWithoutPauseLetsAnotherTaskAndATimerThrough(_ place: Place) async throws {
        let idle = try AnonymousPipe()
        let calls = try await place.run {
            let stop = Latch()
            async let timer: Void = {
                let error = await failure { _ = try await idle.reader.read(upTo: 1, timeout: .milliseconds(5)) }
                #expect(error is TimeoutError)
                stop.open()
            }()
            async let calls = Self.readWithoutPause(until: stop)
            await timer
            return try await calls
        }
        #expect(calls > 64)
    }

    @Test func whoReadsWithoutPauseLetsDescriptorsThrough() async throws {
        let pipe = try AnonymousPipe()
        let rounds = try await runOnLoop {
            let stop = Latch()
            async let calls = Self.readWithoutPause(until: stop)
            async let echo = {
                var rounds = 0
                while try await pipe.reader.read(upTo: 1).first == 1 { rounds += 1 }
                stop.open()
                return rounds
            }()
            for _ in 0..<100 {
                try await untilSomeoneWaits(on: pipe.reader.descriptor)
                try await pipe.writer.write([1])
            }
            try await pipe.writer.write([0])
            _ = try await calls
            return try await echo
        }
        #expect(rounds == 100)
    }

    @Test(arguments: Place.allCases)
    func whoWritesAndReadsLinesWithoutPauseLetsOthersThrough(_ place: Place) async throws {
        try await place.run {
            let (stop, pipe) = (Latch(), try AnonymousPipe())
            async let other: Void = {
                for _ in 0..<50 { await Task.yield() }
                stop.open()
            }()
            while !stop.isOpen {
                try await pipe.writer.write("a line\n")
                #expect(try await pipe.reader.readLine() == "a line")
            }
            await other
        }
    }

    @Test(arguments: Place.allCases)
    func aDeadlineEndsWhoReadsWithoutPause(_ place: Place) async throws {
        let error = try await place.run {
            await failure {
                try await Deadline(in: .milliseconds(5)).run { _ = try await Self.readWithoutPause(until: Latch()) }
            }
        }
        #expect((error as? TimeoutError)?.limit == .milliseconds(5))
    }

    @Test(arguments: Place.allCases)
    func cancellationEndsWhoReadsWithoutPause(_ place: Place) async throws {
        let error = try await place.run {
            let task = Task(executorPreference: EventLoop.current) {
                await failure { _ = try await Self.readWithoutPause(until: Latch()) }
            }
            await Task.yield()
            task.cancel()
            return await task.value
        }
        #expect(error is CancellationError)
    }

    @Test(arguments: Place.allCases)
    func aTimeoutEndsReadingEverythingFromAnEndlessSource(_ place: Place) async throws {
        let error = try await place.run {
            let endless = try ByteReader(Descriptor.open("/dev/zero", for: .read))
            return await failure { _ = try await endless.readAll(limit: .max, timeout: .milliseconds(20)) }
        }
        #expect(error is TimeoutError)
    }

    @Test(arguments: Place.allCases)
    func cancellationEndsReadingEverythingFromAnEndlessSource(_ place: Place) async throws {
        let error = try await place.run {
            let task = Task(executorPreference: EventLoop.current) {
                let endless = try ByteReader(Descriptor.open("/dev/zero", for: .read))
                return await failure { _ = try await endless.readAll(limit: .max) }
            }
            for _ in 0..<3 { await Task.yield() }
            task.cancel()
            return try await task.value
        }
        #expect(error is CancellationError)
    }
}
