// The ways to receive signals: a stream, one wait, a handler.
import Synchronization

extension Signal {
    /// The arrivals of signals from now on.
    ///
    /// ```swift
    /// for await event in try Signal.stream(.hangup, .user1) {
    ///     print("\(event.signal) from \(event.sender, default: "the kernel")")
    /// }
    /// ```
    ///
    /// The body runs as what it is, a part of an ordinary task, free to allocate, print and throw. Nothing that comes after
    /// this call is lost, and leaving the loop gives the signals back to whatever was there before. Several streams for one
    /// signal all get it.
    ///
    /// Up to 2,700 events wait for a slow loop, 43,000 for real-time signals; what comes beyond is counted, see
    /// ``SignalEvent/isCoalesced``. As long as the loop's task is not given a thread, events wait; on an ``EventLoop`` of
    /// its own, or in ``handle(_:with:)-(Signal...,_)``, it does not depend on what other tasks do.
    ///
    /// Of a signal whose default is to do nothing, such as `SIGCHLD` or `SIGWINCH`, a handler that somebody else had
    /// installed is called as well; of others it is not, as long as the stream is there.
    ///
    /// - Throws: ``SystemError`` with `EINVAL` for `SIGKILL` and `SIGSTOP`, with `EMFILE` if no descriptor is free. The C
    ///   function is `sigaction`.
    public static func stream(_ signals: Signal...) throws -> SignalStream { try SignalStream(Set(signals)) }

    /// The arrivals of a set of signals from now on, as ``stream(_:)-(Signal...)`` gives them.
    public static func stream(_ signals: Set<Signal>) throws -> SignalStream { try SignalStream(signals) }

    /// Waits for the first of some signals. When this has returned they mean again what they meant before: for more than
    /// one there is ``stream(_:)-(Signal...)``.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`, ``SystemError`` as for a stream. The C function is `sigwaitinfo`.
    public static func wait(for signals: Signal..., timeout: Duration? = nil) async throws -> SignalEvent {
        try await first(of: Set(signals), Deadline.after(timeout))
    }

    /// Waits for the first of some signals, as ``wait(for:timeout:)-(Signal...,_)`` does, until a deadline.
    public static func wait(for signals: Signal..., deadline: Deadline) async throws -> SignalEvent {
        try await first(of: Set(signals), deadline)
    }

    /// Waits for the first of a set of signals.
    ///
    /// - Throws: as for signals one by one.
    public static func wait(for signals: Set<Signal>, timeout: Duration? = nil) async throws -> SignalEvent {
        try await first(of: signals, Deadline.after(timeout))
    }

    private static func first(of signals: Set<Signal>, _ deadline: Deadline?) async throws -> SignalEvent {
        let stream = try SignalStream(signals)
        defer { stream.end() }
        if let deadline { return try await stream.next(deadline: deadline) }
        return try await stream.next()
    }

    /// Calls `body` for each arrival of signals, one after the other, as long as the handler is kept.
    ///
    /// The body runs in a task on the library's own thread, which waits for nothing but events: it is called however busy
    /// all other tasks are. It is no signal handler in C's sense and may do everything; what takes long it should hand
    /// on, since dropped children and other handlers wait for that thread.
    ///
    /// - Throws: ``SystemError`` as ``stream(_:)-(Signal...)`` does.
    /// - Returns: what ends it, by ``SignalHandler/end()`` or by being dropped.
    public static func handle(
        _ signals: Signal..., with body: @escaping @Sendable (SignalEvent) async -> Void
    ) throws -> SignalHandler {
        try SignalHandler(Set(signals), body)
    }

    /// Calls `body` for each arrival of a set of signals, as ``handle(_:with:)-(Signal...,_)`` does.
    public static func handle(
        _ signals: Set<Signal>, with body: @escaping @Sendable (SignalEvent) async -> Void
    ) throws -> SignalHandler {
        try SignalHandler(signals, body)
    }
}

/// A closure that is called for signals, until this is ended or dropped.
public final class SignalHandler: Sendable {
    private let stream: SignalStream

    init(_ signals: Set<Signal>, _ body: @escaping @Sendable (SignalEvent) async -> Void) throws {
        let loop = try EventLoop.shared
        let stream = try SignalStream(signals)
        self.stream = stream
        Task.detached(executorPreference: loop) {
            for await event in stream { await body(event) }
        }
    }

    deinit { end() }

    /// Ends it: the signals mean what they meant before. A call that is under way, perhaps the one that this is called in,
    /// goes on to its end.
    public func end() { stream.end() }
}
