// Signals that interrupt system calls, sent to every thread of the process without end.
import CIPC
import Glibc
import Synchronization

private let handled = Atomic(0)

/// A handler without `SA_RESTART` for a signal that nobody else uses, and a thread that sends it.
final class SignalNoise: Sendable {
    let stop = Latch()
    private let signal = SIGUSR2
    private let former: Mutex<sigaction>

    init() throws {
        handled.store(0, ordering: .relaxed)
        var (action, former) = (sigaction(), sigaction())
        action.__sigaction_handler.sa_handler = { _ in handled.add(1, ordering: .relaxed) }
        sigaction(signal, &action, &former)
        self.former = Mutex(former)
    }

    /// How often a signal arrived.
    var count: Int { handled.load(ordering: .relaxed) }

    /// Sends the signal to every thread that takes it, over and over; blocks the thread until ``stop`` is opened.
    func make() {
        let own = ipc_thread_id()
        while !stop.isOpen {
            for name in Folder.names(in: "/proc/self/task") {
                if let thread = Int32(name), thread != own { _ = ipc_thread_signal(thread, signal) }
            }
            sched_yield()
        }
    }

    /// Restores the signal's former disposition.
    func end() {
        // Ignoring it takes away those that are still on their way.
        var ignoring = sigaction()
        ignoring.__sigaction_handler.sa_handler = SIG_IGN
        sigaction(signal, &ignoring, nil)
        former.withLock { action in _ = sigaction(signal, &action, nil) }
    }
}
