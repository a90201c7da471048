// Waits that the kernel offers only as a blocking call: one thread makes the call, and the task waits like any other.
import CIPC
import Synchronization
import SystemPackage

/// One blocking system call, made on a thread of its own while the task that wants it waits on an event loop.
///
/// A finished call keeps its result, a cancelled one took nothing: when the deadline passes or the task is cancelled, the
/// thread is signalled until it says how the call ended. If the kernel had granted it by then, the caller gets what was
/// granted and not the error, so that nothing can be taken and forgotten. What the caller cannot use it must give back.
final class BlockingCall: Sendable {
    private struct State {
        /// The thread, as long as it is inside the call.
        var thread: Int32?
        var isGivenUp = false
        /// The call is over, and what comes after it is not interrupted.
        var isPast = false
        var result: Int?
        var place: (loop: EventLoop, token: WaitToken)?
    }

    private let call: @Sendable () -> Int
    private let sequel: (@Sendable (Int) -> Void)?
    private let state = Mutex(State())

    private init(_ call: @escaping @Sendable () -> Int, _ sequel: (@Sendable (Int) -> Void)?) {
        (self.call, self.sequel) = (call, sequel)
    }

    /// Makes a call that may block for as long as it likes, and gives its result.
    ///
    /// - Parameters:
    ///   - call: makes one system call by a function of CIPC: its result, or the error number negated. Called again if a
    ///     signal interrupted it that was not ours. What it uses stays as it is until this returns.
    ///   - refused: the error of what the call was refused, where it is more than the number; a ``SystemError`` unless said.
    ///   - sequel: what is done with the result on the same thread if the call succeeds, and not interrupted: for a lock
    ///     that belongs to a thread.
    /// - Throws: the call's error; ``SystemError`` with `EAGAIN` where ``CallThread/most`` calls are under way or
    ///   the system gives no more threads; ``TimeoutError``; `CancellationError`.
    static func perform(
        _ operation: String, on subject: String, deadline: Deadline?, _ call: @escaping @Sendable () -> Int,
        refused: ((Errno) -> any Error)? = nil, then sequel: (@Sendable (Int) -> Void)? = nil
    ) async throws -> Int {
        let limit = Deadline.earliest(deadline, Deadline.ambient)
        if ipc_task_is_cancelled() != 0 { throw CancellationError() }
        if let limit, limit.hasPassed { throw limit.passed(operation, on: subject) }
        let job = BlockingCall(call, sequel)
        let status = CallThread.start(job)
        guard status == 0 else { throw SystemError(operation, on: subject, Errno(rawValue: -status)) }
        var failure: any Error = CancellationError()
        do {
            if try await job.isFinished(by: limit) == .timedOut, let limit {
                failure = limit.passed(operation, on: subject)
            }
        } catch { failure = error }
        let result = await job.end()
        if result >= 0 { return result }
        // Only a call that was given up ends so.
        if result == -Int(Errno.interrupted.rawValue) { throw failure }
        let errno = Errno(rawValue: Int32(-result))
        throw refused?(errno) ?? SystemError(operation, on: subject, errno)
    }

    // MARK: The task's side

    private enum Wait { case finished, timedOut, cancelled }

    /// Waits for the end of the call, or of the patience with it.
    private func isFinished(by limit: Deadline?) async throws(SystemError) -> Wait {
        while true {
            let reason = try await EventLoop.waitToBeWoken(deadline: limit) { loop, token in
                self.state.withLock { state in
                    state.place = (loop, token)
                    return state.result == nil
                }
            }
            if state.withLock({ $0.result != nil }) { return .finished }
            switch reason {
            // A wake says to look: a call is given up only for a reason that is there.
            case .timedOut where limit?.hasPassed ?? false: return .timedOut
            case .cancelled where ipc_task_is_cancelled() != 0: return .cancelled
            default: continue  // a loop that ends wakes its waits, which go on elsewhere
            }
        }
    }

    /// The call's result; one that is still under way is interrupted.
    private func end() async -> Int {
        if let result = state.withLock({ $0.result }) { return result }
        // In a task of its own, since every wait of a cancelled one would end at once. A detached one, since the
        // deadline that has passed does not count here.
        return await Task.detached(executorPreference: EventLoop.current) { await self.interrupt() }.value
    }

    /// Signals the thread each millisecond until it has left the call: a signal just before it enters is lost.
    private func interrupt() async -> Int {
        while true {
            let (result, isPast) = state.withLock { state in
                state.isGivenUp = true
                // Under the lock the thread cannot leave, and its number become another's.
                if let thread = state.thread { _ = ipc_thread_signal(thread, IPC_SIGURG) }
                return (state.result, state.isPast)
            }
            if let result { return result }
            let pause = isPast ? nil : Deadline(in: .milliseconds(1))
            do { _ = try await isFinished(by: pause) } catch {
                // No descriptor is free for the loop that would wake us. Nor is one for the runtime's sleep, which ends the
                // process then.
                ipc_pause_thread(1_000_000)
            }
        }
    }

    // MARK: The thread's side

    /// Makes the call; its result, to be reported by ``finish(_:)``.
    func make() -> Int {
        let thread = ipc_thread_id()
        while true {
            let mayCall = state.withLock { state in
                state.thread = thread
                return !state.isGivenUp
            }
            guard mayCall else { return -Int(Errno.interrupted.rawValue) }
            let result = call()
            if result != -Int(Errno.interrupted.rawValue) { return result }
        }
    }

    /// The thread is done with the call, and is not signalled any more; it makes use of what the call has given.
    func leave(_ result: Int) {
        state.withLock { ($0.thread, $0.isPast) = (nil, true) }
        if result >= 0 { sequel?(result) }
    }

    /// Tells the task.
    func finish(_ result: Int) {
        let place = state.withLock { state in
            state.result = result
            return state.place
        }
        if let place { place.loop.send(.wake(place.token, .ready)) }
    }
}
