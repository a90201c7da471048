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
        subscription = signals.isEmpty ? nil : try SignalDelivery.shared.subscribe(signals) { target.take($0) }
    }

    /// The child is there: it gets what came until now, and what comes from now on.
    func direct(to child: Child) { target.direct(to: child) }

    /// The signals mean again what they meant before.
    func end() { subscription?.end() }

    private final class Target: Sendable {
        private let state = Mutex<(early: [Signal], child: Child?)>(([], nil))

        func take(_ signal: Signal) {
            let child = state.withLock { state in
                if state.child == nil { state.early.append(signal) }
                return state.child
            }
            try? child?.sendToTree(signal)
        }

        func direct(to child: Child) {
            let early = state.withLock { state in
                state.child = child
                return state.early
            }
            for signal in early { try? child.sendToTree(signal) }
        }
    }
}
