// The threads that make blocking calls: one for each call under way, kept a moment for the next.
import CIPC
import Synchronization
import SystemPackage

/// A thread that makes one blocking call at a time, and waits half a second for another before it ends.
///
/// All signals are blocked on it but those of its own faults and SIGURG, which interrupts its call.
final class CallThread: Sendable {
    /// So many calls may be under way in a process; one more is refused with `EAGAIN`.
    static let most = 1_024

    private static let patience = Duration.milliseconds(500)

    private struct Pool {
        var idle: [CallThread] = []
        var count = 0
        var handlesSignal = false
    }

    private static let pool = Mutex(Pool())

    /// What to do next; set by others under the lock of the pool, while the thread is idle or not started yet.
    private let job: Mutex<BlockingCall?>
    /// 1 when there is something to do: the word that an idle thread sleeps on. Safe because only atomic operations reach it.
    nonisolated(unsafe) private let bell: UnsafeMutablePointer<Atomic<UInt32>>

    private init(_ job: BlockingCall) {
        self.job = Mutex(job)
        bell = .allocate(capacity: 1)
        bell.initialize(to: Atomic(0))
    }

    deinit {
        bell.deinitialize(count: 1)
        bell.deallocate()
    }

    /// How many threads there are.
    static var count: Int { pool.withLock { $0.count } }

    /// Has an idle thread, or else a new one, make the call; 0, or the error number negated.
    static func start(_ call: BlockingCall) -> Int32 {
        pool.withLock { pool in
            if let thread = pool.idle.popLast() {
                thread.job.withLock { $0 = call }
                thread.bell.pointee.store(1, ordering: .releasing)
                _ = ipc_futex_wake(thread.word)
                return 0
            }
            guard pool.count < most else { return -Errno.resourceTemporarilyUnavailable.rawValue }
            if !pool.handlesSignal {
                let status = ipc_signal_use_urgent()
                guard status == 0 else { return status }
                pool.handlesSignal = true
            }
            let argument = Unmanaged.passRetained(CallThread(call))
            let status = ipc_call_thread_start(
                { pointer in
                    guard let pointer else { return }
                    Unmanaged<CallThread>.fromOpaque(pointer).takeRetainedValue().serve()
                }, argument.toOpaque())
            if status == 0 { pool.count += 1 } else { argument.release() }
            return status
        }
    }

    private var word: UnsafePointer<UInt32> {
        // The atomic has the representation of its value, and nothing else lies there.
        UnsafePointer(UnsafeMutableRawPointer(bell).assumingMemoryBound(to: UInt32.self))
    }

    private func serve() {
        while let call = takeJob() {
            let result = call.make()
            call.leave(result)
            // Idle before the task knows: its next call then finds this thread.
            CallThread.pool.withLock { pool in
                bell.pointee.store(0, ordering: .relaxed)
                pool.idle.append(self)
            }
            call.finish(result)
        }
    }

    /// The next call; `nil` if none comes for a while, and this thread is no longer one of the pool then.
    private func takeJob() -> BlockingCall? {
        let end = Deadline(in: CallThread.patience)
        while true {
            if let next = job.withLock({ $0.take() }) { return next }
            let left = Int64(clamping: end.remaining.nanosecondsRoundedUp)
            if left > 0 {
                _ = ipc_futex_wait(word, 0, left)
                continue
            }
            let isOver = CallThread.pool.withLock { pool in
                guard let index = pool.idle.firstIndex(where: { $0 === self }) else { return false }
                pool.idle.remove(at: index)
                pool.count -= 1
                return true
            }
            if isOver { return nil }
        }
    }
}
