// A body that a signal cancels, and the error that says which.
import CIPC
import Synchronization

/// A body was cancelled by a signal; see ``Signal/cancelling(on:during:)-(Signal...,_)``.
///
/// A tool that has cleaned up ends as its caller expects it by ``Signal/endProcess()``:
///
/// ```swift
/// do { try await Signal.cancelling(on: .interrupt, .terminate) { try await work() } } catch let error as SignalCancellationError {
///     error.event.signal.endProcess()  // a shell sees 130 or 143
/// }
/// ```
public struct SignalCancellationError: Error, CustomStringConvertible {
    /// The signal that came first, and who sent it.
    public let event: SignalEvent

    /// What the body threw when it had been cancelled, unless that was `CancellationError`.
    public let underlying: (any Error)?

    public var description: String {
        "cancelled by \(event)" + (underlying.map { "; then: \($0)" } ?? "")
    }
}

extension Signal {
    /// Runs `body`, and cancels it when one of the signals comes.
    ///
    /// The body's task is cancelled at once, however busy it is; its waits throw, and it cleans up. Signals that follow
    /// change nothing, so that an impatient supervisor does not cut the cleaning up short; but a second `SIGINT`, from a
    /// person who presses Ctrl-C again, ends the process on the spot, as if nobody had caught it.
    ///
    /// The body runs in a task of its own on the caller's executor preference, with its task-local values, cancelled also with
    /// the caller's task.
    ///
    /// - Throws: ``SignalCancellationError`` if a signal came before the body was done, whatever the body did then; what the
    ///   body throws; ``SystemError`` with `EINVAL` for `SIGKILL` and `SIGSTOP`.
    public static func cancelling<Result: Sendable>(
        on signals: Signal..., during body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await run(body, cancelledBy: Set(signals))
    }

    /// Runs `body`, and cancels it when one of a set of signals comes, as ``cancelling(on:during:)-(Signal...,_)`` does.
    public static func cancelling<Result: Sendable>(
        on signals: Set<Signal>, during body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await run(body, cancelledBy: signals)
    }

    private static func run<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result, cancelledBy signals: Set<Signal>
    ) async throws -> Result {
        let canceller = SignalCanceller()
        // Called on the process-wide loop's thread: a body that computes and never waits does not keep it from coming.
        let subscription = try SignalDelivery.shared.subscribe(signals) { canceller.take($0) }
        defer { subscription.end() }
        let task = Task(executorPreference: EventLoop.current) { try await body() }
        canceller.direct(to: { task.cancel() })
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        guard let event = canceller.finish() else { return try result.get() }
        var underlying: (any Error)?
        if case .failure(let error) = result, !(error is CancellationError) { underlying = error }
        throw SignalCancellationError(event: event, underlying: underlying)
    }
}

/// What has come for one body.
private final class SignalCanceller: Sendable {
    private struct State {
        var first: SignalEvent?
        var interrupts = 0
        var cancel: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func take(_ event: SignalEvent) {
        let cancel = state.withLock { state in
            if event.signal == .interrupt {
                state.interrupts += event.count
                // Whatever lies in buffers: writing it may be just what hangs.
                if state.interrupts > 1 { ipc_die_by_signal(Signal.interrupt.number) }
            }
            guard state.first == nil else { return nil as (@Sendable () -> Void)? }
            state.first = event
            return state.cancel
        }
        cancel?()
    }

    func direct(to cancel: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.cancel = cancel
            return state.first != nil
        }
        if isLate { cancel() }
    }

    /// The body is done; the signal that cancelled it, if one did.
    func finish() -> SignalEvent? {
        state.withLock { state in
            state.cancel = nil
            return state.first
        }
    }
}
