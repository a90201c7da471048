// The event loop: one thread that waits for descriptors and deadlines and runs the tasks that wait for them.
//
// Contract of the layer. A task that waits is resumed inline by the thread that learned of its event: no second thread,
// no eventfd, no futex between a byte's arrival and the code that reads it. Everything below `inbox` belongs to the
// loop's thread; other threads put jobs and messages into the inbox and wake the loop if it sleeps.
import CIPC
import Synchronization
import SystemPackage

/// A thread's loop that waits for descriptors and deadlines and runs the tasks that wait for them.
///
/// Most programs need only ``run(_:)``, the way from synchronous code into the library. Calls work from any other
/// executor too: what is ready at once happens in place, a wait goes through the process-wide loop and comes back to where
/// the caller was. A task that shall live on a loop altogether is started with
/// `Task(executorPreference: loop)`; an actor lives on it by returning the loop's serial executor as its
/// `unownedExecutor`.
///
/// The loop stands on `epoll(7)`.
public final class EventLoop: TaskExecutor, SerialExecutor, @unchecked Sendable {
    // Safe to share by this rule: the members in the first group are constants or locks of their own, those in the second
    // are touched by the loop's thread only.

    let poller: Poller
    let actorSide: ActorExecutor
    let address = Address()
    private let inbox = Mutex(Inbox())
    private let hasMail = Atomic(false)
    private let isAsleep = Atomic(false)

    // Exclusivity is not checked at run time, since only one thread is there and no access spans a call into user code.
    @exclusivity(unchecked) var ready = JobQueue()
    @exclusivity(unchecked) var yielded: [UnsafeContinuation<Void, Never>] = []
    @exclusivity(unchecked) var registrations = Table<Registration>()
    @exclusivity(unchecked) var waiters = WaiterTable()
    @exclusivity(unchecked) var timers = TimerQueue()
    /// When the poller's timer goes off; it may be earlier than need be.
    @exclusivity(unchecked) private var armed = UInt64.max
    /// The task whose job runs, where a job is a task's.
    @exclusivity(unchecked) private var runningTask: UnsafeRawPointer?
    /// The task of ``run(_:)``, and its wait if it has one.
    @exclusivity(unchecked) private var rootTask: UnsafeRawPointer?
    @exclusivity(unchecked) var rootWait: WaitToken?
    @exclusivity(unchecked) private var isStopping = false
    /// How many jobs run before the loop looks at its descriptors again.
    @exclusivity(unchecked) private var jobsLeft = 64

    init() throws(SystemError) {
        poller = try Poller.spareOrNew()
        actorSide = ActorExecutor()
        actorSide.loop = self
    }

    /// Where a loop can be reached as long as it runs, without holding it.
    final class Address: Sendable {
        private let current = Mutex<EventLoop?>(nil)

        /// `nil` once the loop has ended.
        fileprivate(set) var loop: EventLoop? {
            get { current.withLock { $0 } }
            set { current.withLock { $0 = newValue } }
        }
    }

    /// The loop that runs on this thread, if one does.
    public static var current: EventLoop? {
        guard let pointer = ipc_thread_state().pointee.loop else { return nil }
        return Unmanaged<EventLoop>.fromOpaque(pointer).takeUnretainedValue()
    }

    @inline(__always)
    var isCurrent: Bool { ipc_thread_state().pointee.loop == Unmanaged.passUnretained(self).toOpaque() }

    // MARK: Executor

    /// Takes a job to run on the loop's thread. Called by the concurrency runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        accept(QueuedJob(job: UnownedJob(job), actorsExecutor: nil))
    }

    /// The executor for an actor that lives on this loop; the actor must keep the loop alive.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: actorSide)
    }

    func accept(_ job: QueuedJob) {
        if isCurrent { return ready.append(job) }
        let isRetired = inbox.withLock { inbox in
            if inbox.isRetired { return true }
            inbox.jobs.append(job)
            hasMail.store(true, ordering: .sequentiallyConsistent)
            return false
        }
        if isRetired { pass(on: job) } else { wake() }
    }

    // MARK: Messages from other threads

    private struct Inbox {
        var jobs: [QueuedJob] = []
        var messages: [Message] = []
        var isRetired = false
    }

    enum Message {
        case wake(WaitToken, Wake)
        case forget(descriptor: Int32, owner: UInt64)
        case lookAgain(descriptor: Int32, owner: UInt64)
        case giveBack(slot: Int32)
        case cancelRoot
        case stop
    }

    /// Hands a message to the loop: at once on its own thread, through the inbox from others.
    ///
    /// A loop that has ended takes no messages: its waits went on elsewhere.
    func send(_ message: Message) {
        if isCurrent { return obey(message) }
        inbox.withLock { inbox in
            guard !inbox.isRetired else { return }
            inbox.messages.append(message)
            hasMail.store(true, ordering: .sequentiallyConsistent)
        }
        wake()
    }

    private func wake() {
        // The loop says that it sleeps before it looks at its mail for the last time, so one of the two sees the other.
        if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { poller.wake() }
    }

    private func obey(_ message: Message) {
        switch message {
        case .wake(let token, let reason): if waiters.isCurrent(token) { wake(token.slot, reason) }
        case .forget(let descriptor, let owner): forget(descriptor, owner: owner)
        case .lookAgain(let descriptor, let owner): wakeAll(on: descriptor, owner: owner)
        case .giveBack(let slot): waiters.giveBack(slot)
        case .cancelRoot: if let rootWait, waiters.isCurrent(rootWait) { wake(rootWait.slot, .cancelled) }
        case .stop: isStopping = true
        }
    }

    private func collectMail() {
        hasMail.store(false, ordering: .sequentiallyConsistent)
        let (jobs, messages) = inbox.withLock { inbox in
            defer {
                inbox.jobs.removeAll(keepingCapacity: true)
                inbox.messages.removeAll(keepingCapacity: true)
            }
            return (inbox.jobs, inbox.messages)
        }
        for job in jobs { ready.append(job) }
        for message in messages { obey(message) }
    }

    // MARK: The loop itself

    /// Runs on the calling thread until a `stop` message comes.
    func runUntilStopped() {
        let state = ipc_thread_state()
        let former = state.pointee.loop
        state.pointee.loop = Unmanaged.passUnretained(self).toOpaque()
        address.loop = self
        while true {
            runReadyJobs(state)
            if isStopping { break }
            poll()
        }
        retire()
        state.pointee.loop = former
    }

    /// Runs the jobs that the last poll made ready, wherever that was, and up to 64 in all, before the next.
    ///
    /// All of those: what is ready and not yet read would be found ready again, with nobody waiting for it.
    private func runReadyJobs(_ state: UnsafeMutablePointer<ipc_thread_state>) {
        let preference = asUnownedTaskExecutor()
        while jobsLeft > 0, !isStopping, let next = ready.popFirst() {
            jobsLeft -= 1
            state.pointee.calls_left = EventLoop.callsInARow
            // A task's job is the task itself, to the runtime; only compared, never followed.
            runningTask = unsafeBitCast(next.job, to: UnsafeRawPointer.self)
            if let executor = next.actorsExecutor {
                let isolation = UnownedSerialExecutor(ordinary: executor.takeUnretainedValue())
                next.job.runSynchronously(isolatedTo: isolation, taskExecutor: preference)
            } else {
                next.job.runSynchronously(on: preference)
            }
        }
        guard !yielded.isEmpty else { return }
        let continuations = yielded
        yielded.removeAll(keepingCapacity: true)
        for continuation in continuations { continuation.resume() }
    }

    private func poll() {
        if let earliest = timers.earliest, earliest < armed {
            poller.arm(at: earliest)
            armed = earliest
        }
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        let mayWait = ready.isEmpty && !hasMail.load(ordering: .sequentiallyConsistent)
        for event in poller.wait(mayWait: mayWait) { dispatch(event) }
        isAsleep.store(false, ordering: .relaxed)
        if hasMail.load(ordering: .acquiring) { collectMail() }
        jobsLeft = max(64, ready.count)
    }

    /// Wakes those whose deadline has passed. The timer has gone off, perhaps for a wait that is long over.
    func expireTimers() {
        armed = .max
        let now = ipc_monotonic_now()
        while let entry = timers.heap.first, entry.instant <= now { wake(entry.slot, .timedOut) }
    }

    // MARK: Waiting in place

    /// Goes round the loop from inside a task that waits, as long as there is nothing else to run: the thread would do just
    /// that, after suspending the task and before resuming it. What it learns for others ends this, and they run next.
    ///
    /// Only a task that holds no actor may wait so, and only in its own job, not in one that another task runs at once.
    @inline(__always)
    func goRound(until isOver: () -> Bool) {
        guard ipc_task_is_free(runningTask) != 0 else { return }
        while !isOver(), ready.isEmpty, yielded.isEmpty, !isStopping { poll() }
        if ready.isEmpty { ipc_thread_state().pointee.calls_left = EventLoop.callsInARow }
    }

    /// Makes the current task the one that ``cancelRoot`` is about.
    func adoptRoot() { rootTask = ipc_task_current().map { UnsafeRawPointer($0) } }

    @inline(__always)
    var isInRoot: Bool { rootTask != nil && ipc_task_current().map { UnsafeRawPointer($0) } == rootTask }

    /// Ends the loop. Tasks that still wait on it are woken, find themselves on the process-wide loop and wait there.
    private func retire() {
        // While the loop can still be told of closes: a number that is closed could not be taken out any more.
        stopWatching()
        address.loop = nil
        collectMail()
        for slot in 0..<Int32(waiters.count) where waiters[slot].continuation != nil {
            wake(slot, waiters[slot].descriptor < 0 ? .ready : .moved)
        }
        for continuation in yielded { continuation.resume() }
        inbox.withLock { inbox in
            inbox.isRetired = true
            for job in inbox.jobs { ready.append(job) }
            inbox.jobs = []
            inbox.messages = []
        }
        while let job = ready.popFirst() { pass(on: job) }
        poller.becomeSpare()
    }

    // MARK: Fairness

    /// So many calls may succeed in a row before other tasks and descriptors get their turn.
    static let callsInARow: UInt32 = 64

    /// Counts a call of this thread; `true` once it is time to let others run.
    @inline(__always)
    static func hasUsedItsTurn() -> Bool {
        let state = ipc_thread_state()
        if state.pointee.calls_left == 0 { return true }
        state.pointee.calls_left -= 1
        return false
    }

    /// Puts the calling task at the end of the queue, and has the loop look at its descriptors meanwhile.
    static func letOthersRun() async {
        ipc_thread_state().pointee.calls_left = callsInARow
        guard let loop = EventLoop.current else { return await Task.yield() }
        await withUnsafeContinuation { loop.yielded.append($0) }
    }
}

/// What the loop is to the actors that live on it: jobs that come this way run as theirs.
final class ActorExecutor: SerialExecutor, @unchecked Sendable {
    // Safe because it is set once, before the loop is shared; weak is not needed, since the loop owns this object and an
    // actor that lives on the loop owns the loop.
    fileprivate(set) unowned(unsafe) var loop: EventLoop?

    func enqueue(_ job: consuming ExecutorJob) {
        loop?.accept(QueuedJob(job: UnownedJob(job), actorsExecutor: Unmanaged.passUnretained(self)))
    }

    func isIsolatingCurrentContext() -> Bool? { loop?.isCurrent }
    func checkIsolated() { precondition(loop?.isCurrent == true, "expected to run on its event loop's thread") }
}
