// The jobs that are ready to run on an event loop, first in, first out; grows, never shrinks, needs no lock.

/// A job and how it is to be run: on behalf of an actor whose executor is the loop, or of a task that prefers it.
struct QueuedJob {
    let job: UnownedJob
    /// The executor of the actor that it is a job of: its own loop's, also where another loop has inherited the job.
    let actorsExecutor: Unmanaged<ActorExecutor>?
}

struct JobQueue: ~Copyable {
    private var slots: UnsafeMutablePointer<QueuedJob>
    private var mask = 255
    private var head = 0
    private var tail = 0

    init() { slots = .allocate(capacity: 256) }

    deinit { slots.deallocate() }

    var isEmpty: Bool { head == tail }
    var count: Int { tail &- head }

    @inline(__always)
    mutating func append(_ job: QueuedJob) {
        if tail &- head > mask { grow() }
        (slots + (tail & mask)).initialize(to: job)
        tail &+= 1
    }

    @inline(__always)
    mutating func popFirst() -> QueuedJob? {
        guard head != tail else { return nil }
        defer { head &+= 1 }
        return slots[head & mask]
    }

    private mutating func grow() {
        let count = self.count
        let larger = UnsafeMutablePointer<QueuedJob>.allocate(capacity: (mask + 1) * 2)
        for index in 0..<count { (larger + index).initialize(to: slots[(head &+ index) & mask]) }
        slots.deallocate()
        slots = larger
        mask = mask * 2 + 1
        head = 0
        tail = count
    }
}
