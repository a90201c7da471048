// epoll, the eventfd that wakes it and the timer that ends its wait, and nothing else.
import CIPC
import Synchronization
import SystemPackage

/// The loop's view of the kernel. Descriptors are watched level-triggered: as long as one is ready and somebody waits for
/// it, every wait says so, and no readiness can be missed whatever was left unread.
final class Poller: @unchecked Sendable {
    // Safe because the descriptors are constants, and only the loop's thread touches the events.
    private let epoll: Descriptor
    private let wakeup: Descriptor
    private let timer: Descriptor
    private let events: UnsafeMutablePointer<ipc_event>
    private static let capacity = 256

    init() throws(SystemError) {
        let epoll = try SystemCall.perform("epoll_create1", on: "event loop") { ipc_epoll_create() }
        self.epoll = try Descriptor(fresh: epoll, "epoll_create1", on: "event loop")
        let wakeup = try SystemCall.perform("eventfd", on: "event loop") { ipc_eventfd() }
        self.wakeup = try Descriptor(fresh: wakeup, "eventfd", on: "event loop")
        let timer = try SystemCall.perform("timerfd_create", on: "event loop") { ipc_timerfd() }
        self.timer = try Descriptor(fresh: timer, "timerfd_create", on: "event loop")
        let set = self.epoll.number
        for source in [self.wakeup.number, self.timer.number] {
            try SystemCall.perform("epoll_ctl", on: "event loop") {
                ipc_epoll_control(set, IPC_EPOLL_ADD, source, IPC_EPOLLIN, 0)
            }
        }
        events = .allocate(capacity: Poller.capacity)  // last: where the initializer throws, nobody deallocates
    }

    /// The poller of a loop that has ended, for the next one: a program that enters and leaves loops for single calls makes
    /// its descriptors once. One is kept, not one for each thread.
    private static let spare = Mutex<Poller?>(nil)

    /// The spare poller, or a new one.
    static func spareOrNew() throws(SystemError) -> Poller {
        let spare = Poller.spare.withLock { spare in
            defer { spare = nil }
            return spare
        }
        if let spare { return spare }
        return try Poller()
    }

    /// Leaves the poller to the next loop. Its set must be empty. Of two the older stays, so that what a program has open
    /// is the same after two loops as after one.
    func becomeSpare() {
        let other = Poller.spare.withLock { spare in
            let former = spare
            if former.map({ $0.epoll.number > epoll.number }) ?? true { spare = self }
            return former
        }
        _ = other  // closed here, outside the lock, if it was the younger
    }

    /// Makes a wait of another thread return.
    func wake() {
        var one: UInt64 = 1
        let number = wakeup.number
        _ = SystemCall.retrying { ipc_write(number, &one, 8) }
    }

    /// 0, or the error number negated: `EPERM` for files that are always ready, `ENOSPC` and `ENOMEM` at limits.
    func control(_ operation: Int32, _ descriptor: Int32, events: UInt32, generation: UInt32) -> Int32 {
        ipc_epoll_control(epoll.number, operation, descriptor, events, generation)
    }

    /// Makes the wait return at a time of the monotonic clock.
    ///
    /// A timer of its own, not the wait's limit: that would be set up and torn down in the kernel for every wait, while
    /// most deadlines never pass, and later ones need nothing done.
    func arm(at instant: UInt64) { _ = ipc_timerfd_set(timer.number, instant) }

    /// Waits for events if it may, else only looks; they are valid until the next wait.
    @inline(__always)
    func wait(mayWait: Bool) -> UnsafeBufferPointer<ipc_event> {
        // Interrupted counts as nothing: the loop comes round again.
        let count = ipc_epoll_wait(epoll.number, events, Int32(Poller.capacity), mayWait ? 1 : 0)
        return UnsafeBufferPointer(start: events, count: max(0, Int(count)))
    }

    /// Takes note of an event of the poller's own, if it is one; whether it is that of the timer.
    func acknowledge(_ event: ipc_event) -> Bool {
        guard event.fd == wakeup.number || event.fd == timer.number else { return false }
        var sum: UInt64 = 0
        _ = ipc_read(event.fd, &sum, 8)
        return event.fd == timer.number
    }

    deinit { events.deallocate() }
}
