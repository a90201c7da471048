// The two ways a loop comes to a thread: a body that runs on the caller's, and the process-wide loop on one of its own.
import CIPC
import Synchronization
import SystemPackage

extension EventLoop {
    /// Runs an asynchronous body on the calling thread, and returns when it has returned.
    ///
    /// The way from synchronous code into the library, for the main function of a tool as for one call in a script:
    ///
    /// ```swift
    /// let date = try EventLoop.run { try await Command("date", "-u").read() }
    /// ```
    ///
    /// The body and its child tasks stay on this thread; no other is started for them. The body is not isolated to the
    /// main actor: the thread is busy here until the body returns, so a body that waits for the main actor would wait for
    /// itself. The compiler says "main actor-isolated ... can not be referenced from a nonisolated context" where it
    /// would; make such values constants inside the body, or pass them as arguments.
    ///
    /// Unstructured tasks that the body leaves behind go on on the process-wide loop.
    ///
    /// - Throws: what the body throws; ``SystemError`` with `EDEADLK` on a thread that runs a loop already, with `EMFILE` if
    ///   no descriptor is free.
    @available(*, noasync, message: "await the body itself")
    public static func run<Success: Sendable>(
        _ body: @escaping @Sendable () async throws -> Success
    ) throws -> Success {
        guard EventLoop.current == nil else { throw SystemError("run", on: "event loop inside another", .deadlock) }
        let loop = try EventLoop()
        let outcome = Outcome<Success>()
        Task(executorPreference: loop) {
            loop.adoptRoot()
            do {
                let value = try await withTaskCancellationHandler {
                    try await body()
                } onCancel: {
                    loop.send(.cancelRoot)
                }
                outcome.set(.success(value))
            } catch { outcome.set(.failure(error)) }
            loop.send(.stop)
        }
        loop.runUntilStopped()
        return try outcome.get()
    }

    /// The process-wide loop, on a thread of its own that is started on first need and never ends.
    ///
    /// - Throws: ``SystemError`` if the loop could not be started now (`EMFILE`, `EAGAIN`); the next use tries again.
    public static var shared: EventLoop {
        get throws { try startedOnce() }
    }

    private static let processWide = Mutex<EventLoop?>(nil)

    private static func startedOnce() throws(SystemError) -> EventLoop {
        try processWide.withLock { existing throws(SystemError) in
            if let existing { return existing }
            let loop = try EventLoop()
            let argument = Unmanaged.passRetained(loop)
            let status = ipc_thread_start(
                "ipc-loop",
                { pointer in
                    guard let pointer else { return }
                    Unmanaged<EventLoop>.fromOpaque(pointer).takeUnretainedValue().runUntilStopped()
                }, argument.toOpaque())
            guard status == 0 else {
                argument.release()
                throw SystemError("start", on: "thread of the event loop", Errno(rawValue: -status))
            }
            existing = loop
            return loop
        }
    }

    /// Hands a job that came after this loop's end to the process-wide loop.
    func pass(on job: QueuedJob) {
        if let loop = try? EventLoop.startedOnce() { return loop.accept(job) }
        // Without a descriptor to be had for that loop the job still must run: then here and now.
        job.job.runSynchronously(on: asUnownedTaskExecutor())
    }

    /// Waits as ``wait(_:on:deadline:)`` does, from a thread that runs no loop.
    ///
    /// Concurrent, so that an actor is left before and entered again after the stay on the loop: entered there, it would go
    /// on on the loop's thread, with whatever it does next.
    @concurrent
    static func waitFromElsewhere(
        _ direction: Direction, on owner: SharedDescriptor, deadline: Deadline?
    ) async throws(SystemError) -> Wake {
        let loop = try startedOnce()
        return await withTaskExecutorPreference(loop) {
            await loop.waitOnOwnThread(direction, on: owner, deadline: deadline)
        }
    }

    /// Suspends until somebody sends a `wake` message with the token that `handOver` was given, from any executor.
    ///
    /// `handOver` says `false` if there is nothing to wait for. A loop that ends wakes its waits as ready, so the caller
    /// looks whether what it waited for has come.
    static func waitToBeWoken(
        deadline: Deadline?, _ handOver: @Sendable (EventLoop, WaitToken) -> Bool
    ) async throws(SystemError) -> Wake {
        let limit = Deadline.earliest(deadline, Deadline.ambient)
        if let loop = EventLoop.current { return await loop.wait(deadline: limit) { handOver(loop, $0) } }
        return try await waitToBeWokenFromElsewhere(deadline: limit, handOver)
    }

    /// Waits for a point in time, whatever the task's deadline is.
    ///
    /// Not by the runtime's sleep: Dispatch, which serves that, would take descriptors of its own, and number 1 in a program
    /// that was started without it.
    static func sleep(until deadline: Deadline) async throws {
        try await Deadline.$ambient.withValue(nil) {
            while !deadline.hasPassed {
                if case .cancelled = try await waitToBeWoken(deadline: deadline, { _, _ in true }) {
                    throw CancellationError()
                }
            }
        }
    }

    @concurrent
    private static func waitToBeWokenFromElsewhere(
        deadline: Deadline?, _ handOver: @Sendable (EventLoop, WaitToken) -> Bool
    ) async throws(SystemError) -> Wake {
        let loop = try startedOnce()
        return await withTaskExecutorPreference(loop) { await loop.waitOnOwnThread(deadline: deadline, handOver) }
    }

    @concurrent
    private func waitOnOwnThread(
        _ direction: Direction, on owner: SharedDescriptor, deadline: Deadline?
    ) async -> Wake {
        await wait(direction, on: owner, deadline: deadline)
    }

    @concurrent
    private func waitOnOwnThread(
        deadline: Deadline?, _ handOver: @Sendable (EventLoop, WaitToken) -> Bool
    ) async -> Wake {
        await wait(deadline: deadline) { handOver(self, $0) }
    }
}

/// Where the body's task leaves its result for the thread that runs the loop.
private final class Outcome<Success: Sendable>: Sendable {
    private let result = Mutex<Result<Success, any Error>?>(nil)

    func set(_ value: Result<Success, any Error>) { result.withLock { $0 = value } }

    func get() throws -> Success {
        // The loop stops only after the task has set a result.
        try result.withLock { $0 ?? .failure(CancellationError()) }.get()
    }
}
