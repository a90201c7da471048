// Signals as a sequence of events, for as long as somebody wants them.

/// The arrivals of some signals, from the moment it is made until it is ended.
///
/// Made by ``Signal/stream(_:)-(Signal...)``. Whoever lets go of it ends it; the last one to leave gives the signal back
/// to whatever was there before.
public final class SignalStream: AsyncSequence, Sendable {
    /// Each arrival is an event.
    public typealias Element = SignalEvent
    /// A loop over the events throws nothing.
    public typealias Failure = Never

    /// The signals that it is about.
    public let signals: Set<Signal>

    private let channel: SignalChannel
    private let claim: SignalRegistry.Claim

    init(_ signals: Set<Signal>) throws {
        guard !signals.isEmpty else { throw SystemError("wait for", on: "no signal", .invalidArgument) }
        // Where waits go through the process-wide loop it has to be there: a loop over events cannot throw.
        if EventLoop.current == nil { _ = try EventLoop.shared }
        let channel = try SignalChannel(for: signals)
        do { claim = try SignalRegistry.shared.add(.receive(channel), for: signals) } catch {
            channel.close()
            throw error
        }
        self.channel = channel
        self.signals = signals
    }

    deinit { end() }

    /// The next arrival, waiting for it.
    ///
    /// Several tasks may wait; each event goes to one of them.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`, ``SystemError`` with `ECANCELED` if the stream was ended. Nothing is
    ///   taken then.
    public func next(timeout: Duration? = nil) async throws -> SignalEvent {
        try await channel.next(Deadline.after(timeout))
    }

    /// The next arrival, as ``next(timeout:)`` gives it, until a deadline.
    public func next(deadline: Deadline) async throws -> SignalEvent { try await channel.next(deadline) }

    /// Ends the stream: loops over it end, and the signals go to other subscribers or mean what they meant before. Ending it
    /// again does nothing.
    public func end() {
        SignalRegistry.shared.remove(claim)
        channel.close()
    }

    /// Goes through the events.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let stream: SignalStream

        /// The next event; `nil` when the stream was ended, the task is cancelled or a deadline of ``Deadline/run(_:)`` has
        /// passed, of which the next wait tells.
        public mutating func next() async -> SignalEvent? { try? await stream.channel.next(nil) }

        /// The next event, as ``next()`` gives it, for a loop in an actor's code.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> SignalEvent? {
            try? await stream.channel.next(nil)
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
