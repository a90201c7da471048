// epoll and the eventfd that wakes it, and nothing else.
import CIPC
import SystemPackage

/// The loop's view of the kernel. Descriptors are watched level-triggered: as long as one is ready and somebody waits for
/// it, every wait says so, and no readiness can be missed whatever was left unread.
final class Poller: @unchecked Sendable {
    // Safe because the descriptors are constants, and only the loop's thread touches the events.
    private let epoll: Descriptor
    private let wakeup: Descriptor
    private let events = UnsafeMutablePointer<ipc_event>.allocate(capacity: Poller.capacity)
    private static let capacity = 256

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

    /// Waits for at most so many nanoseconds, without limit for a negative number; the events are valid until the next
    /// wait.
    @inline(__always)
    func wait(nanoseconds: Int64) -> UnsafeBufferPointer<ipc_event> {
        // Interrupted counts as nothing: the loop comes round again with its deadlines as they were.
        let count = ipc_epoll_wait(epoll.number, events, Int32(Poller.capacity), nanoseconds)
        return UnsafeBufferPointer(start: events, count: max(0, Int(count)))
    }

    /// Takes note of the event that ``wake()`` causes, if it is one.
    func acknowledge(_ event: ipc_event) {
        guard event.fd == wakeup.number else { return }
        var sum: UInt64 = 0
        _ = ipc_read(wakeup.number, &sum, 8)
    }

    deinit { events.deallocate() }
}
