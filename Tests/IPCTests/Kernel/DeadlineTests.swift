// One limit for several waits: rounding, comparison, and how it reaches the waits inside a body.
import CIPC
import Testing

@testable import IPC

struct DeadlineTests {
    @Test(
        arguments: [
            (.zero, 0), (.nanoseconds(1), 1), (.microseconds(3), 3_000), (.seconds(-1), 0),
            (.milliseconds(-1), 0), (Duration(secondsComponent: 0, attosecondsComponent: 1), 1),
            (Duration(secondsComponent: 1, attosecondsComponent: 999_999_999), 1_000_000_001),
            (Duration(secondsComponent: 1, attosecondsComponent: 1_000_000_000), 1_000_000_001),
            (Duration(secondsComponent: 1, attosecondsComponent: 1_000_000_001), 1_000_000_002),
            (Duration(secondsComponent: .max, attosecondsComponent: 0), .max),
            (Duration(secondsComponent: 18_446_744_073, attosecondsComponent: 709_551_615_000_000_000), .max),
            (Duration(secondsComponent: 18_446_744_073, attosecondsComponent: 999_999_999_999_999_999), .max),
        ] as [(Duration, UInt64)])
    func durationsAreRoundedUpToNanosecondsAndNeverOverflow(_ duration: Duration, _ nanoseconds: UInt64) {
        #expect(duration.nanosecondsRoundedUp == nanoseconds)
    }

    @Test func passesWhenItsTimeHasComeAndNotBefore() {
        let before = ipc_monotonic_now()
        let deadline = Deadline(in: .seconds(100))
        #expect(deadline.instant >= before + 100_000_000_000)
        #expect(!deadline.hasPassed)
        #expect(deadline.remaining > .seconds(90) && deadline.remaining <= .seconds(100))
        for limit in [Duration.zero, .seconds(-1), .nanoseconds(-1)] {
            #expect(Deadline(in: limit).hasPassed)
            #expect(Deadline(in: limit).remaining == .zero)
        }
    }

    @Test func oneBeyondAllTimeNeverPasses() {
        let deadline = Deadline(in: Duration(secondsComponent: .max, attosecondsComponent: 0))
        #expect(deadline.instant == .max)
        #expect(!deadline.hasPassed)
        #expect(deadline.remaining > .seconds(1_000_000_000))
    }

    @Test func ofSeveralTheEarliestCounts() {
        let (early, late) = (Deadline(in: .seconds(1)), Deadline(in: .seconds(2)))
        #expect(early < late)
        #expect(Deadline.earliest(early, late) == early)
        #expect(Deadline.earliest(late, early) == early)
        #expect(Deadline.earliest(nil, late) == late)
        #expect(Deadline.earliest(late, nil) == late)
        #expect(Deadline.earliest(nil, nil) == nil)
    }
}

@Suite(.guarded)
struct DeadlineRunTests {
    @Test(arguments: Place.allCases)
    func everyWaitInTheBodyHasTheLimit(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        let (error, time) = try await place.run {
            let begin = ipc_monotonic_now()
            let error = await failure {
                try await Deadline(in: .milliseconds(20)).run {
                    while true {
                        do { _ = try await pipe.reader.read(upTo: 1, timeout: .milliseconds(3)) } catch {
                            if (error as? TimeoutError)?.limit == .milliseconds(20) { throw error }
                        }
                    }
                }
            }
            return (error as? TimeoutError, ipc_monotonic_now() - begin)
        }
        #expect(error == TimeoutError("read", on: "pipe", limit: .milliseconds(20)))
        #expect(time >= 20_000_000)
    }

    @Test(arguments: Place.allCases)
    func ofNestedOnesTheEarliestCountsWhicheverIsInside(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            let wait = { () async throws in _ = try await pipe.reader.read(upTo: 1) }
            let inner = await failure {
                try await Deadline(in: .seconds(1_000)).run { try await Deadline(in: .milliseconds(1)).run(wait) }
            }
            #expect((inner as? TimeoutError)?.limit == .milliseconds(1))
            let outer = await failure {
                try await Deadline(in: .milliseconds(2)).run { try await Deadline(in: .seconds(1_000)).run(wait) }
            }
            #expect((outer as? TimeoutError)?.limit == .milliseconds(2))
            let parameter = await failure {
                try await Deadline(in: .milliseconds(3)).run {
                    _ = try await pipe.reader.read(upTo: 1, deadline: Deadline(in: .seconds(1_000)))
                }
            }
            #expect((parameter as? TimeoutError)?.limit == .milliseconds(3))
        }
    }

    @Test(arguments: Place.allCases)
    func childTasksHaveItUnstructuredOnesInheritItDetachedOnesDoNot(_ place: Place) async throws {
        let limits = try await place.run {
            try await Deadline(in: .seconds(7)).run {
                async let child = Deadline.ambient?.limit
                let task = Task { Deadline.ambient?.limit }
                let detached = Task.detached { Deadline.ambient?.limit }
                return [await child, await task.value, await detached.value]
            }
        }
        #expect(limits == [.seconds(7), .seconds(7), nil])
    }

    @Test(arguments: Place.allCases)
    func afterTheBodyThereIsNone(_ place: Place) async throws {
        try await place.run {
            _ = await failure { try await Deadline(in: .zero).run { throw CancellationError() } }
            #expect(Deadline.ambient == nil)
            let value = try await Deadline(in: .zero).run { 5 }
            #expect(value == 5, "code that does not wait is not interrupted")
        }
    }

    @Test(arguments: Place.allCases)
    func anExpiredOneEndsWaitsForWritingAndForTheTurnToo(_ place: Place) async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        try await place.run {
            try await pipe.writer.write([UInt8](repeating: 0, count: 4096))
            async let first = failure { try await pipe.writer.write("x", timeout: .milliseconds(30)) }
            try await untilSomeoneWaits(on: pipe.writer.descriptor, for: .writing)
            let second = await failure { try await Deadline(in: .zero).run { try await pipe.writer.write("y") } }
            #expect(second as? TimeoutError == TimeoutError("write", on: "pipe", limit: .zero))
            #expect(await first as? TimeoutError == TimeoutError("write", on: "pipe", limit: .milliseconds(30)))
        }
    }
}
