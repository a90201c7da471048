// Waits on a loop: how each ends, and that nothing of it stays.
import CIPC
import Synchronization
import Testing

@testable import IPC

@Suite(.guarded)
struct EventLoopWaitingTests {
    // MARK: Deadlines

    @Test(arguments: Place.allCases)
    func aWaitEndsAtItsDeadlineAndNotBefore(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        let (error, time) = try await place.run {
            let begin = ipc_monotonic_now()
            let error = await failure { _ = try await pipe.reader.read(upTo: 1, timeout: .milliseconds(15)) }
            return (error as? TimeoutError, ipc_monotonic_now() - begin)
        }
        #expect(error == TimeoutError("read", on: "pipe", limit: .milliseconds(15)))
        #expect(time >= 15_000_000)
    }

    @Test(arguments: Place.allCases)
    func aThousandWaitsWithDeadlinesEndInTheirOrder(_ place: Place) async throws {
        let order = try await place.run {
            var chance = Chance(seed: 1)
            let begin = Deadline(in: .zero).instant
            let limits = (0..<1_000).map { _ in Int.random(in: 0...50_000, using: &chance) }
            return try await withThrowingTaskGroup(of: (limit: Int, end: UInt64).self) { group in
                for limit in limits {
                    group.addTask {
                        let deadline = Deadline(in: .microseconds(limit))
                        let wake = try await EventLoop.waitToBeWoken(deadline: deadline) { _, _ in true }
                        let end = ipc_monotonic_now()
                        guard case .timedOut = wake else { throw SystemError("wait", on: "\(wake)", .canceled) }
                        #expect(end >= deadline.instant)
                        return (limit, end - begin)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(order.count == 1_000)
        #expect(order.allSatisfy { $0.end >= UInt64($0.limit) * 1_000 })
    }

    @Test func waitsWithDeadlinesOnOneLoopAreWokenTheEarliestFirst() async throws {
        // They have an order if all wait before the first passes: on a busy machine that may need a later start.
        for attempt in 0..<8 {
            let (order, isMeaningful) = try await runOnLoop {
                let begin = Deadline(in: .milliseconds(60 * (Watchdog.patience << attempt)))
                let late = Counter()
                let deadlines = (0..<500).map { Deadline(in: begin.remaining + .microseconds($0 * 389 % 500 * 10)) }
                let order: [UInt64] = await withTaskGroup(of: UInt64.self) { group in
                    for deadline in deadlines {
                        group.addTask {
                            _ = try? await EventLoop.waitToBeWoken(deadline: deadline) { _, _ in
                                if begin.hasPassed { late.add(1) }
                                return true
                            }
                            return deadline.instant
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                return (order, late.value == 0)
            }
            guard isMeaningful else { continue }
            // A task that waits in place and learns of several goes on before those: it is one in a poll.
            #expect(lengthOfLongestRise(order) >= 490)
            return
        }
        Issue.record("some waited too late each time")
    }

    @Test(arguments: Place.allCases)
    func whatIsReadyIsReadThoughTheDeadlineHasPassed(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            try await pipe.writer.write("ab")
            #expect(try await pipe.reader.read(upTo: 1, timeout: .zero) == [UInt8(ascii: "a")])
            #expect(try await pipe.reader.read(upTo: 1, timeout: .seconds(-1)) == [UInt8(ascii: "b")])
            let error = await failure { _ = try await pipe.reader.read(upTo: 1, timeout: .zero) }
            #expect(error is TimeoutError)
        }
    }

    @Test func aWaitThatIsOverLeavesNeitherTimerNorPlaceNorListEntry() async throws {
        let pipes = try (0..<100).map { _ in try AnonymousPipe() }
        let pending = try await runOnLoop {
            await withTaskGroup(of: Void.self) { group in
                for (number, pipe) in pipes.enumerated() {
                    group.addTask {
                        _ = await failure { _ = try await pipe.reader.read(upTo: 1, timeout: .milliseconds(number)) }
                    }
                    group.addTask { try? await pipe.writer.write("x") }
                    if number % 3 == 0 { group.addTask { pipe.reader.close() } }
                }
                for _ in 0..<10 { await Task.yield() }
                group.cancelAll()
            }
            return try #require(EventLoop.current).pending
        }
        #expect(pending == (0, 0, 0))
    }

    // MARK: Cancellation

    @Test(arguments: Place.allCases)
    func aTaskCancelledBeforeItsReadTakesNothing(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            try await pipe.writer.write("abc")
            let task = Task(executorPreference: EventLoop.current) { () -> (any Error)? in
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { _ = try await pipe.reader.read(upTo: 3) }
            }
            #expect(await task.value is CancellationError)
            #expect(try await pipe.reader.read(upTo: 9) == Array("abc".utf8))
        }
    }

    @Test(arguments: Place.allCases)
    func aTaskCancelledInItsWaitGoesOnAtOnceAndTheStreamStaysGood(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            let task = Task(executorPreference: EventLoop.current) {
                await failure { _ = try await pipe.reader.read(upTo: 3, timeout: .seconds(1_000)) }
            }
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            task.cancel()
            #expect(await task.value is CancellationError)
            try await pipe.writer.write("abc")
            #expect(try await pipe.reader.read(upTo: 9) == Array("abc".utf8))
        }
    }

    @Test(arguments: Place.allCases)
    func aTaskCancelledFromAnotherThreadGoesOnAtOnce(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            let task = Task(executorPreference: EventLoop.current) {
                await failure { _ = try await pipe.reader.read(upTo: 3) }
            }
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            try await OwnThread.other.run { task.cancel() }
            #expect(await task.value is CancellationError)
        }
    }

    @Test func aCancellationThatComesBetweenRegistrationAndSuspensionIsSeen() async throws {
        // `handOver` runs after the place was taken and before the task is suspended.
        for place in Place.allCases {
            let wake = try await place.run {
                try await Task(executorPreference: EventLoop.current) {
                    try await EventLoop.waitToBeWoken(deadline: nil) { _, _ in
                        withUnsafeCurrentTask { $0?.cancel() }
                        return true
                    }
                }.value
            }
            #expect(wake.isCancelled)
        }
    }

    @Test func aWakeThatComesBeforeTheSuspensionIsNotLost() async throws {
        for place in Place.allCases {
            let wake = try await place.run {
                try await EventLoop.waitToBeWoken(deadline: Deadline(in: .seconds(20))) { loop, token in
                    loop.send(.wake(token, .ready))
                    return true
                }
            }
            #expect(wake.isReady)
        }
    }

    @Test func aWakeForAWaitThatIsOverFindsNobody() async throws {
        try await runOnLoop {
            let former = Mutex<WaitToken?>(nil)
            let loop = try #require(EventLoop.current)
            _ = try await EventLoop.waitToBeWoken(deadline: Deadline(in: .zero)) { _, token in
                former.withLock { $0 = token }
                return true
            }
            let wake = try await EventLoop.waitToBeWoken(deadline: Deadline(in: .milliseconds(2))) { _, token in
                // The same place in the table, but not the same wait.
                former.withLock { former in
                    #expect(former?.slot == token.slot)
                    if let former { loop.send(.wake(former, .ready)) }
                }
                return true
            }
            #expect(wake.isTimedOut)
        }
    }

    @Test(.guarded(limit: .seconds(120)), arguments: Place.allCases)
    func cancellationRacingWithReadinessLosesNoByte(_ place: Place) async throws {
        // Ten thousand rounds: another thread writes a byte and cancels, in both orders. Whatever the reader gets, the
        // byte is either in its hands or still in the pipe.
        let pipe = try AnonymousPipe()
        let counts = try await place.run {
            var (read, cancelled) = (0, 0)
            for round in 0..<10_000 {
                let task = Task(executorPreference: EventLoop.current) { try await pipe.reader.read(upTo: 1) }
                if round % 4 < 2 { await Task.yield() }
                let race = Task.detached {
                    if round % 2 == 0 { task.cancel() }
                    try await pipe.writer.write([UInt8(truncatingIfNeeded: round)])
                    task.cancel()
                }
                var byte: [UInt8] = []
                do {
                    byte = try await task.value
                    read += 1
                } catch is CancellationError {
                    try await race.value
                    byte = try await pipe.reader.read(upTo: 2)
                    cancelled += 1
                }
                guard byte == [UInt8(truncatingIfNeeded: round)] else {
                    Issue.record("round \(round) got \(byte)")
                    break
                }
                try await race.value
            }
            return (read, cancelled)
        }
        #expect(counts.0 + counts.1 == 10_000)
        #expect(counts.1 > 0)
    }

    @Test(arguments: Place.allCases)
    func cancellationRacingWithTheDeadlineEndsEachWaitOnce(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            var chance = Chance(seed: 2)
            for _ in 0..<1_000 {
                let limit = Duration.microseconds(Int.random(in: 0...200, using: &chance))
                let task = Task(executorPreference: EventLoop.current) {
                    await failure { _ = try await pipe.reader.read(upTo: 1, timeout: limit) }
                }
                let race = Task.detached { task.cancel() }
                let error = await task.value
                #expect(error is CancellationError || error is TimeoutError)
                await race.value
            }
        }
    }
}

extension Wake {
    var isReady: Bool { if case .ready = self { true } else { false } }
    var isCancelled: Bool { if case .cancelled = self { true } else { false } }
    var isTimedOut: Bool { if case .timedOut = self { true } else { false } }
    var isClosed: Bool { if case .closed = self { true } else { false } }
}

/// How many of the numbers are in order, leaving out as few as possible.
private func lengthOfLongestRise(_ numbers: [UInt64]) -> Int {
    var ends: [UInt64] = []  // of the rises of each length, the least last number
    for number in numbers {
        let place = ends.firstIndex { $0 > number } ?? ends.count
        if place == ends.count { ends.append(number) } else { ends[place] = number }
    }
    return ends.count
}
