// Blocking system calls: given up in time, retried when somebody else's signal interrupts them, never taking what nobody gets.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct BlockingCallTests {
    @Test("S1: the result comes, and an error is the kernel's", arguments: Place.allCases)
    func results(_ place: Place) async throws {
        try await place.run {
            let pipe = try BlockingPipe()
            async let count = pipe.read()
            try pipe.write("a")
            #expect(try await count == 1)
            let error = await failure { _ = try await BlockingCall.perform("lock", on: "x", deadline: nil) { -9 } }
            #expect(error as? SystemError == SystemError("lock", on: "x", .badFileDescriptor))
        }
    }

    @Test("S-16: a limit and a cancellation end the call itself, which takes nothing later", arguments: Place.allCases)
    func givenUp(_ place: Place) async throws {
        try await place.run {
            let pipe = try BlockingPipe()
            let late = await failure { _ = try await pipe.read(deadline: Deadline(in: .milliseconds(5))) }
            #expect((late as? TimeoutError)?.description == "read pipe: not done within 5 ms")
            let passed = await failure { _ = try await pipe.read(deadline: Deadline(in: .zero)) }
            #expect(passed is TimeoutError)
            // Those whose limit had passed before they came to their thread are not made at all.
            let begun = pipe.begun.value
            let task = Task { try await pipe.read() }
            try await pipe.untilCalled(begun + 1)
            task.cancel()
            let cancelled = await failure { _ = try await task.value }
            #expect(cancelled is CancellationError)
            try pipe.write("ab")
            #expect(try pipe.bytesLeft == 2)
            let before = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                _ = try await pipe.read()
            }
            #expect(await failure { try await before.value } is CancellationError)
            #expect(try pipe.bytesLeft == 2)
        }
    }

    @Test("S-16: of nested limits the earlier counts", arguments: Place.allCases)
    func nested(_ place: Place) async throws {
        try await place.run {
            let pipe = try BlockingPipe()
            for (outer, inner) in [(5, 60_000), (60_000, 5)] {
                let error = await failure {
                    try await Deadline(in: .milliseconds(outer)).run {
                        _ = try await pipe.read(deadline: Deadline(in: .milliseconds(inner)))
                    }
                }
                #expect((error as? TimeoutError)?.limit == .milliseconds(5))
            }
        }
    }

    @Test("S1: a signal that comes just before the call is not the last", arguments: Place.allCases)
    func lostSignal(_ place: Place) async throws {
        try await place.run {
            let pipe = try BlockingPipe()
            let entered = Latch()
            let task = Task {
                try await BlockingCall.perform("read", on: "pipe", deadline: nil) {
                    entered.open()
                    usleep(60_000_000)  // ends with the first signal, so that the call below is entered after it
                    return pipe.call()
                }
            }
            await entered.wait()
            task.cancel()
            #expect(await failure { _ = try await task.value } is CancellationError)
            #expect(pipe.calls.value == 1)
        }
    }

    @Test("S1: signals that are not ours interrupt the call and do not end it", arguments: Place.allCases)
    func interrupted(_ place: Place) async throws {
        try await place.run {
            let pipe = try BlockingPipe()
            async let count = pipe.read(deadline: Deadline(in: .seconds(50)))
            for _ in 0..<50 {
                try await pipe.untilCalled(1)
                let former = pipe.calls.value
                while pipe.calls.value == former {
                    _ = ipc_thread_signal(Int32(pipe.thread.value), IPC_SIGURG)
                    sched_yield()
                }
            }
            try pipe.write("a")
            #expect(try await count == 1)
            #expect(pipe.calls.value >= 50)
        }
    }

    @Test("S-16: what the kernel has granted when the task is cancelled is not lost", arguments: Place.allCases)
    func granted(_ place: Place) async throws {
        try await place.run {
            var (taken, cancelled) = (0, 0)
            for round in 0..<400 {
                let pipe = try BlockingPipe()
                let task = Task { try await pipe.read() }
                try await pipe.untilCalled(1)
                let race = Task.detached {
                    for _ in 0..<round % 40 { sched_yield() }
                    task.cancel()
                }
                try pipe.write("a")
                let outcome = await task.result
                await race.value
                switch outcome {
                case .success(let count):
                    taken += 1
                    check(try count + pipe.bytesLeft == 1, "taken and told")
                case .failure(let error):
                    cancelled += 1
                    check(try error is CancellationError && pipe.bytesLeft == 1, "neither")
                }
            }
            #expect(taken + cancelled == 400)
            #expect(taken > 0)
        }
    }

    @Test("S-16: a hundred at once, half of them given up", arguments: Place.allCases)
    func many(_ place: Place) async throws {
        try await place.run {
            let pipe = try BlockingPipe()
            let tasks = (0..<100).map { _ in Task(executorPreference: EventLoop.current) { try await pipe.read() } }
            try await pipe.untilCalled(100)
            for task in tasks[..<50] { task.cancel() }
            for task in tasks[..<50] { #expect(await failure { _ = try await task.value } is CancellationError) }
            try pipe.write(String(repeating: "a", count: 60))
            for task in tasks[50...] { #expect(try await task.value == 1) }
            #expect(try pipe.bytesLeft == 10)
        }
    }
}

/// A pipe whose reading blocks the thread, one byte at a time.
final class BlockingPipe: Sendable {
    private let reader: Descriptor
    private let writer: Descriptor
    /// The reads that have come to their thread, and the system calls that were made for them.
    let begun = Counter()
    let calls = Counter()
    /// The thread of the last call.
    let thread = Counter()

    init() throws {
        var ends = try PipeEnds()
        reader = try ends.takeReader()
        writer = try ends.takeWriter()
    }

    func read(deadline: Deadline? = nil) async throws -> Int {
        let first = Counter()
        return try await BlockingCall.perform("read", on: "pipe", deadline: deadline) {
            // A signal that was sent to end the thread's last call can interrupt this one, which is then made again.
            if first.add() == 1 { self.begun.add() }
            return self.call()
        }
    }

    /// One system call, on whatever thread.
    func call() -> Int {
        thread.add(Int(ipc_thread_id()) - thread.value)
        calls.add()
        var byte: UInt8 = 0
        return ipc_read(reader.number, &byte, 1)
    }

    func write(_ text: String) throws {
        try SystemCall.perform("write", on: "pipe") { text.withCString { ipc_write(writer.number, $0, strlen($0)) } }
    }

    var bytesLeft: Int {
        get throws { Int(try SystemCall.perform("count", on: "pipe") { ipc_bytes_readable(reader.number) }) }
    }

    /// Returns when so many reads have come to their thread.
    func untilCalled(_ count: Int) async throws {
        while begun.value < count { await Task.yield() }
    }
}
