// epoll and the eventfd that wakes it, and nothing else.
import CIPC
import SystemPackage

/// The loop's view of the kernel. Descriptors are watched level-triggered: as long as one is ready and somebody waits for
/// it, every wait says so, and no readiness can be missed whatever was left unread.
final class Poller: Sendable {
    private let epoll: Descriptor
    private let wakeup: Descriptor
    static let capacity = 256

    init() throws(SystemError) {
        let epoll = try SystemCall.perform("epoll_create1", on: "event loop") { ipc_epoll_create() }
        self.epoll = try Descriptor(fresh: epoll, "epoll_create1", on: "event loop")
        let wakeup = try SystemCall.perform("eventfd", on: "event loop") { ipc_eventfd() }
        self.wakeup = try Descriptor(fresh: wakeup, "eventfd", on: "event loop")
        let (set, source) = (self.epoll.number, self.wakeup.number)
        try SystemCall.perform("epoll_ctl", on: "event loop") {
            ipc_epoll_control(set, IPC_EPOLL_ADD, source, IPC_EPOLLIN, 0)
        }
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

    /// Waits for at most so many nanoseconds, without limit for a negative number, and gives each event to `body`.
    @inline(__always)
    func wait(nanoseconds: Int64, _ body: (ipc_event) -> Void) {
        withUnsafeTemporaryAllocation(of: ipc_event.self, capacity: Poller.capacity) { events in
            guard let base = events.baseAddress else { return }
            let count = ipc_epoll_wait(epoll.number, base, Int32(Poller.capacity), nanoseconds)
            guard count > 0 else { return }  // interrupted: the loop comes round again with the deadline as it was
            for index in 0..<Int(count) {
                if base[index].fd == wakeup.number { emptyWakeup() } else { body(base[index]) }
            }
        }
    }

    private func emptyWakeup() {
        var sum: UInt64 = 0
        _ = ipc_read(wakeup.number, &sum, 8)
    }
}
