// Receiving: what an event says, several subscribers, what is restored, waits that end; in processes of their own.
import CIPC
import Glibc
import IPC
import Synchronization
import Testing

@Suite struct SignalStreamTests {
    @Test("S-02: Perl sends each signal that can be caught, and the receiver names it and its sender", .guarded)
    func named() async throws { try await expectInner("eachSignalHasItsNameAndSender") }

    @Test(.inner) func eachSignalHasItsNameAndSender() async throws {
        for place in Place.allCases {
            try await place.run {
                let perl = try await PerlSender()
                // A fault that somebody sent, while the thread waits in the kernel, is too much for the thread sanitizer.
                let refused = Sanitizer.delaysHandlers ? Signal.faults : []
                let wanted = Signal.all.filter { $0.canBeCaught && !refused.contains($0) }
                // The runtime may have handlers of its own for faults.
                let before = Dictionary(uniqueKeysWithValues: wanted.map { ($0, disposition($0)) })
                let stream = try Signal.stream(Set(wanted))
                for signal in wanted {
                    try await perl.send(signal)
                    var event = try await stream.next(timeout: .seconds(10))
                    // That the last round's Perl has ended may have been pending until now.
                    if event.cause == .child { event = try await stream.next(timeout: .seconds(10)) }
                    #expect(event.signal == signal)
                    #expect(event.sender == perl.processID)
                    #expect(event.user == getuid())
                    #expect(event.cause == .process)
                    #expect(event.code == Int32(SI_USER))
                    #expect(event.value == nil)
                    #expect(event.count == 1 && !event.isCoalesced)
                    #expect("\(event)" == "\(signal) from process \(perl.processID) of user \(getuid())")
                }
                stream.end()
                for signal in wanted { #expect(disposition(signal) == before[signal], "\(signal)") }
                try await perl.end()
            }
        }
    }

    @Test(
        "S3, S-17: five queued real-time values arrive in order, all five; a standard signal arrives at least once",
        .guarded)
    func queued() async throws { try await expectInner("queuedValuesArriveInOrder") }

    @Test(.inner) func queuedValuesArriveInOrder() async throws {
        let signal = try #require(Signal.realTime(3))
        for place in Place.allCases {
            try await place.run {
                let stream = try Signal.stream(signal)
                // Before anybody awaits: nothing is lost.
                for value in [7, -1, 0, .max, .min] { try ProcessID.current.send(signal, value: value) }
                for value in [7, -1, 0, .max, .min] {
                    let event = try await stream.next(timeout: .seconds(10))
                    #expect(event.signal == signal)
                    #expect(event.value == value)
                    #expect(event.cause == .queued)
                    #expect(event.sender == .current)
                }
                let merged = try Signal.stream(.user1)
                for _ in 0..<100 { try ProcessID.current.send(.user1) }
                #expect(try await merged.next(timeout: .seconds(10)).signal == .user1)
                while isPending(.user1) { sched_yield() }
            }
        }
    }

    @Test("S-04: every subscriber gets each event, and the last to leave restores the former disposition", .guarded)
    func several() async throws { try await expectInner("subscribersComeAndGo") }

    @Test(.inner) func subscribersComeAndGo() async throws {
        signal(SIGUSR1, SIG_IGN)
        signal(SIGUSR2) { _ in }
        let handler = disposition(.user2)
        for place in Place.allCases {
            try await place.run {
                let first = try Signal.stream(.user1, .user2, .hangup)
                let second = try Signal.stream(.user1)
                #expect(disposition(.user1) > 1)
                #expect(disposition(.user2) != handler)
                try raiseHere(.user1)
                #expect(try await first.next(timeout: .seconds(10)).signal == .user1)
                #expect(try await second.next(timeout: .seconds(10)).signal == .user1)
                first.end()
                #expect(disposition(.user1) > 1)
                #expect(disposition(.user2) == handler)
                #expect(disposition(.hangup) == 0)
                try raiseHere(.user1)
                #expect(try await second.next(timeout: .seconds(10)).signal == .user1)
                await #expect(throws: SystemError.self) { try await first.next() }
                second.end()
                second.end()
                #expect(disposition(.user1) == 1)
                // A loop that is left, and a stream that is dropped.
                try raiseHere(.user1)
                try await leaveALoop()
                #expect(disposition(.user1) == 1)
            }
        }
        #expect(Leftovers.descriptors().filter { $0.description.contains("pipe") }.count <= 4)
    }

    private func leaveALoop() async throws {
        let stream = try Signal.stream(.user1)
        try raiseHere(.user1, times: 3)
        var count = 0
        for await event in stream {
            #expect(event.signal == .user1)
            count += 1
            if count == 3 { break }
        }
    }

    @Test("S14: KILL and STOP cannot be caught, and the attempt changes nothing", .guarded)
    func refused() async throws {
        for signal in [Signal.kill, .stop] {
            let before = disposition(.user1)
            let error = #expect(throws: SystemError.self) { try Signal.stream(.user1, signal) }
            #expect(error?.errno == .invalidArgument)
            #expect(error.map { "\($0)" } == "catch \(signal), which no process can: invalid argument (EINVAL)")
            #expect(throws: SystemError.self) { try Signal.handle(signal) { _ in } }
            await #expect(throws: SystemError.self) { try await Signal.wait(for: signal) }
            for scope in [
                { try await Signal.ignoring(.user1, signal) {} }, { try await Signal.holding(.user1, signal) {} },
                { try await Signal.defaulting(.user1, signal) {} },
                { try await Signal.cancelling(on: .user1, signal) {} },
            ] { await #expect(throws: SystemError.self) { try await scope() } }
            #expect(disposition(.user1) == before)
        }
        #expect(throws: SystemError.self) { try Signal.stream([]) }
    }

    @Test(
        "Waits end at their limit, at a deadline around them, and when their task is cancelled", .guarded,
        arguments: Place.allCases)
    func ends(_ place: Place) async throws {
        let before = disposition(.user1)
        try await place.run {
            let error = await #expect(throws: TimeoutError.self) {
                try await Signal.wait(for: .user1, .user2, timeout: .milliseconds(20))
            }
            #expect(error.map { "\($0)" } == "wait for SIGUSR1, SIGUSR2: not done within 20 ms")
            await #expect(throws: TimeoutError.self) {
                try await Signal.wait(for: .user1, deadline: Deadline(in: .milliseconds(20)))
            }
            let stream = try Signal.stream(.user1)
            await #expect(throws: TimeoutError.self) { try await stream.next(timeout: .milliseconds(20)) }
            try await Deadline(in: .milliseconds(20)).run {
                for await _ in stream { Issue.record("nothing was sent") }
            }
            let waiting = Task {
                var count = 0
                for await _ in stream { count += 1 }
                return count
            }
            try raiseHere(.user1)
            waiting.cancel()
            #expect(await waiting.value <= 1)
            let other = Task { for await _ in stream {} }
            stream.end()
            await other.value
        }
        #expect(disposition(.user1) == before)
    }

    @Test("S6, S18: a handler that ends itself, and one that is replaced", .guarded)
    func handlers() async throws { try await expectInner("handlersAreCalledAndEnd") }

    @Test(.inner) func handlersAreCalledAndEnd() async throws {
        for place in Place.allCases {
            try await place.run {
                let log = Log<String>()
                let (first, done) = (Box<SignalHandler>(), Latch())
                first.set(
                    try Signal.handle(.user1) { event in
                        #expect(EventLoop.current === (try? EventLoop.shared))
                        log.add("first \(event.signal)")
                        first.value?.end()
                        done.open()
                    })
                try raiseHere(.user1)
                await done.wait()
                #expect(disposition(.user1) == 0)
                let again = Latch(count: 2)
                let second = try Signal.handle(.user1) { _ in
                    log.add("second")
                    again.open()
                }
                try raiseHere(.user1, times: 2)
                await again.wait()
                #expect(log.entries == ["first SIGUSR1", "second", "second"])
                second.end()
                #expect(disposition(.user1) == 0)
            }
        }
    }
}
