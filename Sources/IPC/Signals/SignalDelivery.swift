// Signals for the library's own parts: one pipe for all of them, and a call on the process-wide loop.
import CIPC
import Synchronization

/// Calls the library's parts, on the process-wide loop's thread, when signals that they want arrive. However many want some,
/// one pipe serves them all.
final class SignalDelivery: Sendable {
    static let shared = SignalDelivery()

    private struct State {
        var channel: SignalChannel?
        var lastSubscription: UInt64 = 0
        var subscribers: [UInt64: (signals: Set<Signal>, body: @Sendable (SignalEvent) -> Void)] = [:]
    }

    private let state = Mutex(State())

    /// Calls `body` on the process-wide loop's thread for each arrival of the signals, until the subscription ends.
    func subscribe(
        _ signals: Set<Signal>, _ body: @escaping @Sendable (SignalEvent) -> Void
    ) throws -> SignalSubscription {
        let channel = try startedOnce()
        let number = state.withLock { state in
            state.lastSubscription += 1
            state.subscribers[state.lastSubscription] = (signals, body)
            return state.lastSubscription
        }
        do {
            let claim = try SignalRegistry.shared.add(.receive(channel), for: signals)
            return SignalSubscription(delivery: self, number: number, claim: claim)
        } catch {
            end(number)
            throw error
        }
    }

    fileprivate func end(_ number: UInt64) {
        let former = state.withLock { $0.subscribers.removeValue(forKey: number) }
        _ = former  // goes here, outside the lock, with whatever it holds
    }

    private func startedOnce() throws -> SignalChannel {
        try state.withLock { state in
            if let channel = state.channel { return channel }
            let loop = try EventLoop.shared
            let channel = try SignalChannel(for: [])
            state.channel = channel  // for as long as the process lives
            Task.detached(executorPreference: loop) {
                while let event = try? await channel.next(nil) { self.deliver(event) }
            }
            return channel
        }
    }

    private func deliver(_ event: SignalEvent) {
        let bodies = state.withLock { state in
            state.subscribers.values.filter { $0.signals.contains(event.signal) }.map(\.body)
        }
        for body in bodies { body(event) }
    }
}

/// A subscription, which ends with ``end()`` or with its owner.
final class SignalSubscription: Sendable {
    private let delivery: SignalDelivery
    private let number: UInt64
    private let claim: SignalRegistry.Claim

    init(delivery: SignalDelivery, number: UInt64, claim: SignalRegistry.Claim) {
        self.delivery = delivery
        self.number = number
        self.claim = claim
    }

    func end() {
        SignalRegistry.shared.remove(claim)
        delivery.end(number)
    }

    deinit { end() }
}
