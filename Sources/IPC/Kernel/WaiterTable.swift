// The tasks that wait on an event loop: what each waits for, how it is woken, and a name that cannot be confused.

/// Why a waiting task goes on.
enum Wake {
    case ready
    case timedOut
    case cancelled
    /// Somebody closed the descriptor.
    case closed
    /// The kernel would not watch the descriptor.
    case refused(Int32)
}

/// What a task waits for on a descriptor.
enum Direction: Int {
    case reading = 0
    case writing = 1
}

/// The name of one wait. The slot is used again, the generation is not: a late cancellation of a wait that is over
/// finds nothing.
struct WaitToken: Sendable, Hashable {
    let slot: Int32
    let generation: UInt32
}

struct Waiter {
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
    /// Where the timer queue holds this waiter's deadline; -1 for nowhere.
    var timer: Int32 = -1
    var isInUse = false
}

struct WaiterTable {
    private(set) var slots: [Waiter] = []
    private var firstFree: Int32 = -1

    subscript(slot: Int32) -> Waiter {
        @inline(__always) get { slots[Int(slot)] }
        @inline(__always) _modify { yield &slots[Int(slot)] }
    }

    mutating func take() -> WaitToken {
        if firstFree < 0 {
            slots.append(Waiter())
            firstFree = Int32(slots.count - 1)
        }
        let slot = firstFree
        firstFree = self[slot].next
        self[slot].isInUse = true
        self[slot].next = -1
        return WaitToken(slot: slot, generation: self[slot].generation)
    }

    mutating func giveBack(_ slot: Int32) {
        self[slot].generation &+= 1
        self[slot].continuation = nil
        self[slot].early = nil
        self[slot].descriptor = -1
        self[slot].isInUse = false
        self[slot].next = firstFree
        firstFree = slot
    }

    func isCurrent(_ token: WaitToken) -> Bool {
        Int(token.slot) < slots.count && self[token.slot].isInUse && self[token.slot].generation == token.generation
    }
}
