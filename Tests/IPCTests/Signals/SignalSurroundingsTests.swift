// Signals whatever is around: masks of all threads, busy tasks, forks, other libraries' handlers and threads.
import CIPC
import Glibc
import IPC
import Synchronization
import Testing

private let calls = Atomic(0)

@Suite struct SignalSurroundingsTests {
    @Test("Signals arrive where the whole process was started with all of them blocked", .guarded)
    func blocked() async throws {
        let perl =
            #"exec perl -MPOSIX -e 'my $s = POSIX::SigSet->new; $s->fillset; sigprocmask(SIG_BLOCK, $s); exec @ARGV' "$@""#
        try await expectInner("signalsArriveThoughBlocked", script: perl)
    }

    @Test(.inner) func signalsArriveThoughBlocked() async throws {
        for place in Place.allCases {
            try await place.run {
                let stream = try Signal.stream(.terminate, .user1)
                try ProcessID.current.send(.terminate)
                #expect(try await stream.next(timeout: .seconds(10)).signal == .terminate)
                try ProcessID.current.send(.user1)
                #expect(try await stream.next(timeout: .seconds(10)).signal == .user1)
                stream.end()
                // S11: programs get no mask and no ignored signals of ours.
                let seen = try await Signal.ignoring(.hangup) {
                    try await Signal.holding(.quit) { try await Command.testChild("status").read() }
                }
                for line in seen.split(separator: "\n") where !line.hasPrefix("SigCgt") {
                    #expect(line.hasSuffix("\t0000000000000000"), "\(line)")
                }
            }
        }
    }

    @Test("P-01: a handler is called, and a loop's stream served, while all tasks of the pool compute", .guarded)
    func busy() async throws { try await expectInner("thePoolIsBusy") }

    @Test(.inner) func thePoolIsBusy() async throws {
        let over = Latch()
        let (ready, called, served) = (Latch(), Latch(), Latch())
        let handler = try Signal.handle(.user1) { _ in called.open() }
        let reader = OwnThread(named: "test-reader")
        let serving = Task {
            try await reader.run {
                try EventLoop.run {
                    let stream = try Signal.stream(.user2)
                    ready.open()
                    _ = try await stream.next()
                    served.open()
                }
            }
        }
        await ready.wait()
        let busy = (0..<64).map { _ in
            Task.detached { while !over.isOpen {} }
        }
        // On a thread of its own, since the pool's are all taken.
        let waited = try await OwnThread.other.run {
            try ProcessID.current.send(.user1)
            try ProcessID.current.send(.user2)
            let limit = ContinuousClock.now + .seconds(10)
            while !(called.isOpen && served.isOpen), .now < limit { usleep(1000) }
            defer { over.open() }
            return called.isOpen && served.isOpen
        }
        #expect(waited)
        for task in busy { await task.value }
        try await serving.value
        reader.stop()
        handler.end()
    }

    @Test(
        "S17: a child made by a bare fork does not write to our pipes, and dies of what its parent catches", .guarded,
        .disabled(if: Sanitizer.delaysHandlers))
    func fork() async throws { try await expectInner("aForkedChildIsItsOwn") }

    @Test(.inner) func aForkedChildIsItsOwn() async throws {
        let stream = try Signal.stream(.terminate, .user1)
        typealias Fork = @convention(c) () -> pid_t
        let fork = unsafeBitCast(try #require(dlsym(nil, "fork")), to: Fork.self)
        let child = fork()
        if child == 0 {
            var none = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, nil)
            kill(getpid(), SIGTERM)
            _exit(3)
        }
        var status: Int32 = 0
        #expect(waitpid(child, &status, 0) == child)
        #expect(status & 0x7f == SIGTERM)
        await #expect(throws: TimeoutError.self) { try await stream.next(timeout: .milliseconds(20)) }
        try raiseHere(.user1)
        #expect(try await stream.next(timeout: .seconds(10)).signal == .user1)
    }

    @Test(
        "S7: a library's handler over ours stays; one that was there before comes back, or is called as well", .guarded)
    func libraries() async throws { try await expectInner("librariesHaveHandlersToo") }

    @Test(.inner) func librariesHaveHandlersToo() async throws {
        signal(SIGCHLD) { _ in calls.add(1, ordering: .relaxed) }
        signal(SIGUSR1) { _ in calls.add(100, ordering: .relaxed) }
        let (ofChild, ofUser) = (disposition(.childChanged), disposition(.user1))
        let stream = try Signal.stream(.childChanged, .user1)
        try raiseHere(.childChanged)
        #expect(try await stream.next(timeout: .seconds(10)).signal == .childChanged)
        while calls.load(ordering: .relaxed) < 1 { sched_yield() }
        try raiseHere(.user1)
        #expect(try await stream.next(timeout: .seconds(10)).signal == .user1)
        #expect(calls.load(ordering: .relaxed) == 1, "a handler that is replaced is not called")
        // Another puts its own over ours, and that is not ours to take away.
        signal(SIGUSR1) { _ in calls.add(10_000, ordering: .relaxed) }
        let over = disposition(.user1)
        stream.end()
        #expect(disposition(.user1) == over && over != ofUser)
        #expect(disposition(.childChanged) == ofChild)
        let again = try Signal.stream(.user1)
        again.end()
        #expect(disposition(.user1) == over)
        // The children of this library do not depend on it.
        #expect(try await Command.testChild("exit", 7).unchecked().run().status == .exited(7))
    }

    @Test("S19: a signal on a thread that knows nothing of Swift; S-14: what SIGCHLD is about", .guarded)
    func threads() async throws { try await expectInner("aForeignThreadTakesASignal") }

    @Test(.inner) func aForeignThreadTakesASignal() async throws {
        let stream = try Signal.stream(.user1, .childChanged)
        startThread(named: "foreign", nil) { _ in
            var none = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, nil)  // of a thread that the runtime has started it would have the mask
            _ = ipc_thread_signal(ipc_thread_id(), SIGUSR1)
            poll(nil, 0, 0)  // where a sanitizer lets handlers run
        }
        let event = try await stream.next(timeout: .seconds(10))
        #expect(event.signal == .user1 && event.sender == .current && event.cause == .process)
        let child = try ForeignProcess(testChild: "exit", "0")
        let end = try await stream.next(timeout: .seconds(10))
        #expect(end.cause == .child && end.sender?.rawValue == child.pid && end.value == nil)
        #expect("\(end)" == "SIGCHLD about child \(child.pid)")
        try await child.wait()
    }
}
