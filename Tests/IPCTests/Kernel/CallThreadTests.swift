// The threads behind blocking calls: how many, for how long, and what signals do to them.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct CallThreadTests {
    @Test func oneThreadServesCallsThatFollowEachOther() async throws {
        try await runOnLoop {
            let threads = Log<Int32>()
            for _ in 0..<50 {
                _ = try await BlockingCall.perform("call", on: "test", deadline: nil) {
                    threads.add(ipc_thread_id())
                    return 0
                }
            }
            #expect(Set(threads.entries).count == 1)
            let (name, path) = (Folder.text(of: "/proc/self/task/\(threads.entries[0])/comm"), threads.entries[0])
            #expect(name == "ipc-call\n", "thread \(path) waits for more")
        }
        // That it then ends is what the guard looks at.
    }

    @Test("S-16: one call more than the ceiling is refused, and those under it end when they are given up")
    func ceiling() async throws {
        let pipe = try BlockingPipe()
        let tasks = (0..<CallThread.most).map { _ in Task { try await pipe.read() } }
        try await pipe.untilCalled(CallThread.most)
        Watchdog.shared.note("\(pipe.begun.value) reads, \(pipe.calls.value) calls, \(CallThread.count) threads")
        let error = await failure { _ = try await pipe.read() }
        #expect(error as? SystemError == SystemError("read", on: "pipe", .resourceTemporarilyUnavailable))
        Watchdog.shared.note("the cancellation")
        for task in tasks { task.cancel() }
        for task in tasks { #expect(await failure { _ = try await task.value } is CancellationError) }
        try pipe.write("a")
        #expect(try await pipe.read() == 1)
    }

    @Test("S11: no signal but SIGURG and the thread's own faults reaches it")
    func mask() async throws {
        let status = Log<String>()
        _ = try await BlockingCall.perform("call", on: "test", deadline: nil) {
            status.add(Folder.text(of: "/proc/thread-self/status") ?? "")
            return 0
        }
        let line = try #require(status.entries[0].split(separator: "\n").first { $0.hasPrefix("SigBlk:") })
        let blocked = try #require(UInt64(line.dropFirst(8), radix: 16))
        let open = (1...31).filter { blocked & 1 << UInt64($0 - 1) == 0 }
        let faults = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS]
        #expect(Set(open.map { Int32($0) }) == Set(faults + [SIGKILL, SIGSTOP, SIGURG]))
    }

    @Test("S-16: somebody else's SIGURG goes to who subscribed to it, whichever thread it comes to")
    func foreign() async throws {
        let (status, output) = try await InnerRun.of("inProcessThatSubscribesToSIGURG")
        #expect(status == 0, "\(output)")
    }

    @Test("S-16: a handler that was there before still gets its SIGURGs", .disabled(if: Sanitizer.delaysHandlers))
    func former() async throws {
        let (status, output) = try await InnerRun.of("inProcessThatHandlesSIGURG")
        #expect(status == 0, "\(output)")
    }

    @Test("S-16: without a descriptor for the loop that would wake it, a call is given up at once")
    func noDescriptors() async throws {
        let (status, output) = try await InnerRun.of("inProcessWithoutDescriptorsForCalls")
        #expect(status == 0, "\(output)")
    }
}

/// Sends SIGURG to a thread that takes it, which those of the pool do not, and waits until its handler has run.
private func interruptAnotherThread() {
    blockingOnAnotherThread {
        var urgent = sigset_t()
        sigemptyset(&urgent)
        sigaddset(&urgent, SIGURG)
        pthread_sigmask(SIG_UNBLOCK, &urgent, nil)
        _ = ipc_thread_signal(ipc_thread_id(), IPC_SIGURG)
    }
}

private let handled = Counter()

/// Not guarded, since the guard would start what these look at.
struct CallThreadInnerTests {
    @Test(.inner, .timeLimit(.minutes(1))) func inProcessThatHandlesSIGURG() async throws {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in handled.add() }
        sigaction(SIGURG, &action, nil)
        let pipe = try BlockingPipe()
        let late = await failure { _ = try await pipe.read(deadline: Deadline(in: .milliseconds(5))) }
        #expect(late is TimeoutError)
        #expect(handled.value == 0, "what ends our calls is not for others")
        interruptAnotherThread()
        #expect(handled.value == 1)
        let subscription = try SignalDelivery.shared.subscribe([.urgent]) { _ in }
        interruptAnotherThread()
        #expect(handled.value == 2, "by default the signal does nothing, so whoever had it before still has it")
        subscription.end()
        interruptAnotherThread()
        #expect(handled.value == 3)
    }

    @Test(.inner, .timeLimit(.minutes(1))) func inProcessThatSubscribesToSIGURG() async throws {
        let pipe = try BlockingPipe()
        async let count = pipe.read()
        try await pipe.untilCalled(1)
        let (arrivals, second) = (Counter(), Latch(count: 3))
        let subscription = try SignalDelivery.shared.subscribe([.urgent]) { _ in
            arrivals.add()
            second.open()
        }
        // To the process, to a thread of the program, and to the one that makes the call, from another process.
        try ProcessID.current.send(.urgent)
        while arrivals.value < 1 { await Task.yield() }
        interruptAnotherThread()
        while arrivals.value < 2 { await Task.yield() }
        _ = ipc_thread_signal(Int32(pipe.thread.value), IPC_SIGURG)  // ours: it says nothing to anybody
        let script = "import ctypes,sys; ctypes.CDLL(None).syscall(234, int(sys.argv[1]), int(sys.argv[2]), 23)"
        #if arch(x86_64)
        let words = ["-c", script, "\(getpid())", "\(pipe.thread.value)"]
        #expect(try await ForeignProcess("python3", words).wait() == 0)
        #else
        try ProcessID.current.send(.urgent)
        #endif
        await second.wait()
        subscription.end()
        try ProcessID.current.send(.urgent)
        try pipe.write("a")
        #expect(try await count == 1)
        #expect(arrivals.value == 3)
        // The end of the subscription is not the end of what ends calls.
        let late = await failure { _ = try await pipe.read(deadline: Deadline(in: .milliseconds(5))) }
        #expect(late is TimeoutError)
    }

    @Test(.inner, .timeLimit(.minutes(1))) func inProcessWithoutDescriptorsForCalls() async throws {
        let pipe = try BlockingPipe()
        let free = dup(0)
        close(free)
        var former = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &former) == 0)
        var limit = rlimit(rlim_cur: rlim_t(free), rlim_max: former.rlim_max)
        #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        let error = await failure { _ = try await pipe.read() } as? SystemError
        #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &former) == 0)
        #expect(error?.errno == .tooManyOpenFiles)
        try pipe.write("a")
        #expect(try pipe.bytesLeft == 1)
        #expect(try await pipe.read() == 1)
    }
}
