// Signals ignored, held or at their default in a scope, and what is restored; in processes of their own.
import CIPC
import Glibc
import IPC
import Synchronization
import Testing

private let handled = Atomic(0)

@Suite struct SignalScopeTests {
    @Test("S-09: what comes while ignored is lost, what comes while held arrives afterwards, once", .guarded)
    func scopes() async throws { try await expectInner("ignoredAndHeld") }

    @Test(.inner) func ignoredAndHeld() async throws {
        signal(SIGINT) { _ in handled.add(1, ordering: .relaxed) }
        let handler = disposition(.interrupt)
        for place in Place.allCases {
            try await place.run {
                handled.store(0, ordering: .relaxed)
                try await Signal.ignoring(.interrupt) {
                    try raiseHere(.interrupt, times: 3)
                    #expect(disposition(.interrupt) == 1)
                }
                #expect(handled.load(ordering: .relaxed) == 0)
                #expect(disposition(.interrupt) == handler)
                try await Signal.holding(.interrupt) {
                    try raiseHere(.interrupt, times: 3)
                    #expect(handled.load(ordering: .relaxed) == 0)
                }
                try await eventually { handled.load(ordering: .relaxed) == 1 }
                #expect(disposition(.interrupt) == handler)
                struct Failure: Error {}
                await #expect(throws: Failure.self) {
                    try await Signal.holding(.interrupt) {
                        try raiseHere(.interrupt)
                        throw Failure()
                    }
                }
                try await eventually { handled.load(ordering: .relaxed) == 2 }
                try raiseHere(.interrupt)
                try await eventually { handled.load(ordering: .relaxed) == 3 }
            }
        }
    }

    /// Waits for what another thread is about to do; that it never does is a hang, which the guard ends.
    private func eventually(_ isSo: () -> Bool) async throws {
        while !isSo() { await Task.yield() }
    }

    @Test("S-09: scopes nest and overlap: the latest counts, and what is left counts again", .guarded)
    func nested() async throws { try await expectInner("scopesNestAndOverlap") }

    @Test(.inner) func scopesNestAndOverlap() async throws {
        let stream = try Signal.stream(.interrupt)
        let ours = disposition(.interrupt)
        try await Signal.holding(.interrupt) {
            try raiseHere(.interrupt)
            try await Signal.ignoring(.interrupt) {
                try raiseHere(.interrupt)
                try await Signal.defaulting(.interrupt) { #expect(disposition(.interrupt) == 0) }
                #expect(disposition(.interrupt) == 1)
            }
            #expect(disposition(.interrupt) == ours)
            try await Signal.holding(.interrupt) { try raiseHere(.interrupt) }
            await #expect(throws: TimeoutError.self) { try await stream.next(timeout: .milliseconds(20)) }
        }
        #expect(try await stream.next(timeout: .seconds(10)).sender == .current)
        await #expect(throws: TimeoutError.self) { try await stream.next(timeout: .milliseconds(20)) }
        try await overlapping(stream)
        try await cancelled(stream)
        stream.end()
        #expect(disposition(.interrupt) == 0)
    }

    private func overlapping(_ stream: SignalStream) async throws {
        let (firstIn, secondIn, firstOut) = (Latch(), Latch(), Latch())
        let first = Task {
            try await Signal.ignoring(.interrupt) {
                firstIn.open()
                await secondIn.wait()
            }
            firstOut.open()
        }
        let second = Task {
            await firstIn.wait()
            try await Signal.holding(.interrupt) {
                secondIn.open()
                await firstOut.wait()
                try raiseHere(.interrupt)
            }
        }
        try await first.value
        try await second.value
        #expect(try await stream.next(timeout: .seconds(10)).signal == .interrupt)
    }

    private func cancelled(_ stream: SignalStream) async throws {
        let inside = Latch()
        let task = Task {
            try await Signal.ignoring(.interrupt) {
                inside.open()
                try await Task.sleep(for: .seconds(1000))
            }
        }
        await inside.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try raiseHere(.interrupt)
        #expect(try await stream.next(timeout: .seconds(10)).signal == .interrupt)
    }

    @Test(
        "S3: held real-time signals arrive all, in order, with values and sender", .guarded,
        .disabled(if: Sanitizer.delaysHandlers))
    func realTime() async throws {
        try await expectInner("heldValues")
    }

    @Test(.inner) func heldValues() async throws {
        let signal = try #require(Signal.realTime(2))
        let stream = try Signal.stream(signal)
        try await Signal.holding(signal) {
            for value in 1...500 { try ProcessID.current.send(signal, value: value) }
        }
        for value in 1...500 {
            let event = try await stream.next(timeout: .seconds(10))
            #expect(event.value == value)
            #expect(event.sender == .current)
        }
    }

    @Test("A signal that was held and is fatal ends the process after the scope", .guarded)
    func fatal() async throws {
        try await expectInner("heldTermination", status: 128 + SIGTERM, saying: ["the scope was left whole"])
    }

    @Test(.inner) func heldTermination() async throws {
        try await Signal.holding(.terminate) {
            try raiseHere(.terminate)
            say("the scope was left whole")
        }
        try await Task.sleep(for: .seconds(10))
    }

    @Test("A default scope inside a handler's: the signal ends the process", .guarded)
    func defaulting() async throws { try await expectInner("defaultInsideStream", status: 128 + SIGHUP) }

    @Test(.inner) func defaultInsideStream() async throws {
        let stream = try Signal.stream(.hangup)
        try await Signal.defaulting(.hangup) {
            try ProcessID.current.send(.hangup)
            try await Task.sleep(for: .seconds(10))
        }
        stream.end()
    }

    @Test(
        "SIGURG ignored in a scope still ends the library's blocking calls: it is caught, and nobody gets it", .guarded)
    func urgent() async throws { try await expectInner("urgentIsSwallowed") }

    @Test(.inner) func urgentIsSwallowed() async throws {
        let stream = try Signal.stream(.urgent)
        try await Signal.ignoring(.urgent) {
            #expect(disposition(.urgent) > 1)
            try raiseHere(.urgent)
        }
        try raiseHere(.urgent)
        #expect(try await stream.next(timeout: .seconds(10)).signal == .urgent)
        await #expect(throws: TimeoutError.self) { try await stream.next(timeout: .milliseconds(20)) }
    }
}
