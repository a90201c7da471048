// Signals to this process that are a program's for the time of its run.
import Synchronization

/// Sends signals that come to this process to a child's tree. Those that come before the child has been started reach it
/// then, so that there is no moment in which they end this process and leave the child.
struct SignalRelay {
    private let target = Target()
    private let subscription: SignalSubscription?

    /// Begins to catch the signals.
    ///
    /// - Throws: ``SystemError`` with `EINVAL` for a signal that cannot be caught.
    init(_ signals: Set<Signal>) throws {
        let target = target
        subscription = signals.isEmpty ? nil : try SignalDelivery.shared.subscribe(signals) { target.take($0.signal) }
    }

    /// The children are there: they get what came until now, and what comes from now on.
    func direct(to children: [Child]) { target.direct(to: children) }

    /// The signals mean again what they meant before.
    func end() { subscription?.end() }

    private final class Target: Sendable {
        private let state = Mutex<(early: [Signal], children: [Child])>(([], []))

        func take(_ signal: Signal) {
            let children = state.withLock { state in
                if state.children.isEmpty { state.early.append(signal) }
                return state.children
            }
            for child in children { try? child.sendToTree(signal) }
        }

        func direct(to children: [Child]) {
            let early = state.withLock { state in
                state.children = children
                return state.early
            }
            for signal in early { for child in children { try? child.sendToTree(signal) } }
        }
    }
}
