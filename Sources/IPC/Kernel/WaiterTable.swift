// The tasks that wait on an event loop: what each waits for, how it is woken, and a name that cannot be confused.
import CIPC

/// Why a waiting task goes on.
enum Wake {
    case ready
    case timedOut
    case cancelled
    /// Somebody closed the descriptor.
    case closed
    /// The loop has ended; the wait is to go on on another.
    case moved
    /// The kernel would not watch the descriptor.
    case refused(Int32)
}

/// What a task waits for on a descriptor.
enum Direction: Int {
    case reading = 0
    case writing = 1
}

/// The name of one wait. The slot is used again, the generation is not: it changes with the wake, so that a late
/// cancellation of a wait that is over finds nothing.
struct WaitToken: Sendable, Hashable {
    let slot: Int32
    let generation: UInt32
}

struct Waiter: BitwiseCopyable {
    var generation: UInt32 = 0
    /// Set while the task is suspended.
    var continuation: UnsafeContinuation<Wake, Never>?
    /// Set when the wake came before the suspension.
    var early: Wake?
    /// -1 for a wait that no descriptor ends.
    var descriptor: Int32 = -1
    var direction = Direction.reading
    /// Neighbours in the descriptor's list; `next` also links free slots.
    var next: Int32 = -1
    var previous: Int32 = -1
    /// What a cancellation calls: at an address of its own, which the runtime keeps during the wait.
    let hook: UnsafeMutablePointer<ipc_cancellation_hook>
    /// Where the timer queue holds this waiter's deadline; -1 for nowhere.
    var timer: Int32 = -1
    var isInUse = false
}

struct WaiterTable: ~Copyable {
    private var slots = Table<Waiter>()
    private var firstFree: Int32 = -1

    var count: Int { slots.count }

    @inline(__always)
    subscript(slot: Int32) -> Waiter {
        get { slots[slot] }
        _modify { yield &slots[slot] }
    }

    deinit {
        for slot in 0..<Int32(slots.count) { slots[slot].hook.deallocate() }
    }

    mutating func take(_ makeHook: (Int32) -> ipc_cancellation_hook) -> WaitToken {
        if firstFree < 0 {
            firstFree = Int32(slots.count)
            let hook = UnsafeMutablePointer<ipc_cancellation_hook>.allocate(capacity: 1)
            hook.initialize(to: makeHook(firstFree))
            slots.append(Waiter(hook: hook))
        }
        let slot = firstFree
        firstFree = self[slot].next
        self[slot].isInUse = true
        self[slot].next = -1
        return WaitToken(slot: slot, generation: self[slot].generation)
    }

    mutating func giveBack(_ slot: Int32) {
        self[slot].early = nil
        self[slot].descriptor = -1
        self[slot].isInUse = false
        self[slot].next = firstFree
        firstFree = slot
    }

    func isCurrent(_ token: WaitToken) -> Bool {
        self[token.slot].isInUse && self[token.slot].generation == token.generation
    }
}
