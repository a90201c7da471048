// One at a time, in order, and with nobody forgotten however a wait for the turn ends.
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct TurnstileTests {
    @Test(arguments: Place.allCases)
    func letsOneInAndTheOthersInTheOrderOfTheirComing(_ place: Place) async throws {
        let order = try await place.run {
            let (turnstile, order) = (Turnstile(), Log<Int>())
            #expect(turnstile.enterAtOnce())
            #expect(!turnstile.enterAtOnce())
            return try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    let isInLine = Latch()
                    group.addTask {
                        async let entered = enter(turnstile)
                        while turnstile.numberInLine <= number { await Task.yield() }
                        isInLine.open()
                        let wake = try await entered
                        #expect(wake.isReady)
                        order.add(number)
                        turnstile.leave()
                    }
                    await isInLine.wait()
                }
                turnstile.leave()
                try await group.waitForAll()
                #expect(turnstile.enterAtOnce(), "it is free again")
                return order.entries
            }
        }
        #expect(order == Array(0..<20))
    }

    @Test(arguments: Place.allCases)
    func whoIsCancelledOrTooLateLeavesTheLine(_ place: Place) async throws {
        try await place.run {
            let turnstile = Turnstile()
            #expect(turnstile.enterAtOnce())
            for limit in [Duration.milliseconds(2), .zero] {
                let wake = try await enter(turnstile, within: limit)
                #expect(wake.isTimedOut)
            }
            let task = Task { try await enter(turnstile).isCancelled }
            while turnstile.numberInLine == 0 { await Task.yield() }
            task.cancel()
            let isCancelled = try await task.value
            #expect(isCancelled)
            #expect(turnstile.numberInLine == 0)
            turnstile.leave()
            #expect(turnstile.enterAtOnce())
        }
    }

    @Test(arguments: Place.allCases)
    func theTurnHandedToWhoIsBeingCancelledGoesOnToTheNext(_ place: Place) async throws {
        // The turn is given up and its next holder cancelled by two threads at once; whoever of them comes first, the
        // third in line gets its turn.
        try await place.run {
            var (handedOver, cancelled) = (0, 0)
            for round in 0..<3_000 {
                let turnstile = Turnstile()
                #expect(turnstile.enterAtOnce())
                let second = Task(executorPreference: EventLoop.current) {
                    let wake = try await enter(turnstile)
                    if wake.isReady { turnstile.leave() }
                    return wake.isReady
                }
                while turnstile.numberInLine == 0 { await Task.yield() }
                let third = Task(executorPreference: EventLoop.current) {
                    let wake = try await enter(turnstile)
                    turnstile.leave()
                    return wake.isReady
                }
                while turnstile.numberInLine == 1 { await Task.yield() }
                let race = Task.detached {
                    for _ in 0..<round % 50 { sched_yield() }
                    second.cancel()
                }
                turnstile.leave()
                if try await second.value { handedOver += 1 } else { cancelled += 1 }
                let isThird = try await third.value
                check(isThird, "the third has its turn")
                await race.value
                check(turnstile.enterAtOnce(), "it is free again")
            }
            #expect(handedOver + cancelled == 3_000)
        }
    }

    @Test(arguments: Place.allCases)
    func neverTwoAreInsideWhateverEndsTheWaits(_ place: Place) async throws {
        let outcome = try await place.run {
            let (turnstile, inside, entered, crowds) = (Turnstile(), Counter(), Counter(), Counter())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        var chance = Chance(seed: UInt64(number))
                        for _ in 0..<500 {
                            let limit = Int.random(in: 0..<4, using: &chance) == 0 ? Duration.microseconds(20) : nil
                            let visit = Task(executorPreference: EventLoop.current) {
                                guard try await enter(turnstile, within: limit).isReady else { return }
                                if inside.add() > 1 { crowds.add() }
                                await Task.yield()
                                inside.add(-1)
                                entered.add()
                                turnstile.leave()
                            }
                            if Int.random(in: 0..<4, using: &chance) == 0 { visit.cancel() }
                            try await visit.value
                        }
                    }
                }
                try await group.waitForAll()
            }
            let isFree = turnstile.enterAtOnce()
            return (entered.value, crowds.value, isFree)
        }
        #expect(outcome.0 > 1_000)
        #expect(outcome.1 == 0, "one at a time")
        #expect(outcome.2, "it is free again")
    }

    @Test func whoCannotWaitForWantOfDescriptorsDoesNotStayInLine() async throws {
        let (status, output) = try await InnerRun.of("inProcessWithoutDescriptorsForTheSharedLoop")
        #expect(status == 0, "\(output)")
    }
}

/// Not guarded, since the guard would start the shared loop.
struct TurnstileInnerTests {
    @Test(.inner, .timeLimit(.minutes(1))) func inProcessWithoutDescriptorsForTheSharedLoop() async throws {
        // The shared loop is not started yet, and cannot be.
        let free = dup(0)
        close(free)
        var former = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &former) == 0)
        var limit = rlimit(rlim_cur: rlim_t(free), rlim_max: former.rlim_max)
        #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        let turnstile = Turnstile()
        #expect(turnstile.enterAtOnce())
        let error = await failure { _ = try await enter(turnstile) } as? SystemError
        let runs = await failure { _ = try await OwnThread.shared.run { try EventLoop.run { 1 } } } as? SystemError
        #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &former) == 0)
        #expect(error?.errno == .tooManyOpenFiles)
        #expect(runs?.errno == .tooManyOpenFiles)
        turnstile.leave()
        #expect(turnstile.enterAtOnce(), "nobody is in line who will never come")
        turnstile.leave()
        let wake = try await enter(turnstile)
        #expect(wake.isReady, "and now the shared loop can be had")
    }
}

private func enter(_ turnstile: Turnstile, within limit: Duration? = nil) async throws -> Wake {
    try await turnstile.enter(deadline: Deadline.after(limit))
}
