// A descriptor that several tasks use at once: it closes when it is told to and nobody is inside a call any more.
import CIPC
import Synchronization
import SystemPackage

/// What ``ByteReader``, ``ByteWriter`` and ``Child`` stand on: an owned descriptor, the way bytes move over it, and its
/// waits.
///
/// A close while another thread is inside a call cannot hand the number to somebody else's file under that call: the
/// number is given back by whoever leaves last.
final class SharedDescriptor: Sendable {
    let number: Int32
    /// Never used twice in a process.
    let identity: UInt64
    let transfer: Transfer
    /// For errors: what the descriptor is, to a person.
    let subject: String
    private let isOwned: Bool

    /// The number of users, the owner among them, and two bits: it was closed, and its number was given back.
    private let state = Atomic<UInt32>(1)
    private static let closedBit: UInt32 = 1 << 31
    private static let goneBit: UInt32 = 1 << 30
    /// What is read into memory while somebody waits here, so that a program which is both read and written cannot wait for
    /// us while we wait for it. Safe because it is set before the descriptor is shared, and never again.
    nonisolated(unsafe) var relief: ByteReader?
    /// Whether closing ends the stream for the other side even if a duplicate stays open: the writing half of a socket.
    /// Safe by the rule of ``relief``.
    nonisolated(unsafe) var isWritingHalf = false
    /// Whether a reset is just the end: the other side of a socket is a program that left input unread.
    /// Safe by the rule of ``relief``.
    nonisolated(unsafe) var endsWhenReset = false
    /// So long a wait here may take, whatever else is said: for those at the other side of whom nothing is known.
    /// Safe by the rule of ``relief``.
    nonisolated(unsafe) var idleLimit: Duration?
    /// So many nanoseconds a wait looks again and again before it sleeps. Safe by the rule of ``relief``.
    nonisolated(unsafe) var spin: UInt64 = 0
    private let isEnding = Atomic(false)
    private let loops = Mutex<[EventLoop.Address]>([])
    private static let identities = Atomic<UInt64>(0)

    init(_ descriptor: consuming Descriptor, _ transfer: Transfer, subject: String) {
        number = descriptor.release()
        self.transfer = transfer
        self.subject = subject
        isOwned = true
        identity = SharedDescriptor.identities.add(1, ordering: .relaxed).newValue
    }

    /// One that belongs to somebody else and is never closed here.
    init(borrowing number: Int32, _ transfer: Transfer, subject: String) {
        self.number = number
        self.transfer = transfer
        self.subject = subject
        isOwned = false
        identity = SharedDescriptor.identities.add(1, ordering: .relaxed).newValue
    }

    deinit { close() }

    // MARK: Use and close

    /// Enters a call; `false` if the descriptor was closed.
    @inline(__always)
    func enter() -> Bool {
        let former = state.add(1, ordering: .acquiring).oldValue
        if former & SharedDescriptor.closedBit == 0 { return true }
        leave()
        return false
    }

    /// Counts a call that was not let in, so that it can leave like the others.
    func stay() { state.add(1, ordering: .acquiring) }

    /// Leaves a call.
    @inline(__always)
    func leave() {
        let remaining = state.subtract(1, ordering: .acquiringAndReleasing).newValue
        if remaining == SharedDescriptor.closedBit { _ = giveBack() }
    }

    /// Makes a call that does not wait.
    @discardableResult
    func use<Result: ~Copyable>(_ operation: String, _ body: (Int32) throws -> Result) throws -> Result {
        guard enter() else { throw closedError(operation) }
        defer { leave() }
        return try body(number)
    }

    var isClosed: Bool { state.load(ordering: .acquiring) & SharedDescriptor.closedBit != 0 }

    /// Closes: waits on it end with `ECANCELED`, calls inside finish, the last one out closes the descriptor.
    ///
    /// 0, or the error number negated if the kernel said one here. Closing again does nothing.
    @discardableResult
    func close() -> Int32 {
        let former = state.bitwiseOr(SharedDescriptor.closedBit, ordering: .acquiringAndReleasing).oldValue
        guard former & SharedDescriptor.closedBit == 0 else { return 0 }
        let watching = loops.withLock { loops in
            defer { loops = [] }
            return loops
        }
        for address in watching { address.loop?.endWaits(on: self) }
        if isWritingHalf { _ = ipc_shutdown_writing(number) }
        let remaining = state.subtract(1, ordering: .acquiringAndReleasing).newValue
        return remaining == SharedDescriptor.closedBit ? giveBack() : 0
    }

    /// Closes the number, once. A call that comes after the close enters and leaves too, so there can be several last
    /// ones out; of them the first does it.
    private func giveBack() -> Int32 {
        let isFirst = state.compareExchange(
            expected: SharedDescriptor.closedBit, desired: SharedDescriptor.closedBit | SharedDescriptor.goneBit,
            ordering: .acquiringAndReleasing
        ).exchanged
        return isFirst && isOwned ? ipc_close(number) : 0
    }

    /// A loop watches the descriptor from now on, and is to be told of its end.
    ///
    /// Only its address is kept: a stream that outlives many loops, such as standard input, holds none of them.
    func isWatched(by loop: EventLoop) {
        loops.withLock { loops in
            loops.removeAll { $0.loop == nil }
            loops.append(loop.address)
        }
    }

    /// Nobody whom we wait for can write any more: what is in the pipe is read, and then it is at its end, whoever else
    /// may hold the other side open.
    var endsWhenEmpty: Bool { isEnding.load(ordering: .acquiring) }

    /// Sets ``endsWhenEmpty`` and has everybody who waits look again.
    func endWhenEmpty() {
        isEnding.store(true, ordering: .releasing)
        let watching = loops.withLock { $0 }
        for address in watching { address.loop?.wakeWaits(on: self) }
    }

    // MARK: Waiting

    /// Waits until the descriptor is ready for `direction`.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`, ``SystemError`` with `ECANCELED` if it was closed meanwhile.
    @inline(__always)
    func wait(_ direction: Direction, deadline: Deadline?, _ operation: String) async throws {
        if let relief { return try await wait(direction, deadline, operation, relieving: relief) }
        try await waitAlone(direction, deadline, operation)
    }

    /// Waits, and lets the other streams be.
    @inline(__always)
    func waitAlone(_ direction: Direction, _ deadline: Deadline?, _ operation: String) async throws {
        if spin > 0, isReadySpinning(direction) { return }
        var limit = Deadline.earliest(deadline, Deadline.ambient)
        if let idleLimit { limit = Deadline.earliest(limit, Deadline(in: idleLimit)) }
        while true {
            let reason: Wake
            if let loop = EventLoop.current {
                reason = await loop.wait(direction, on: self, deadline: limit)
            } else {
                reason = try await EventLoop.waitFromElsewhere(direction, on: self, deadline: limit)
            }
            if case .ready = reason { return }
            guard case .moved = reason else { throw failure(of: reason, limit, operation) }
        }
    }

    private func isReadySpinning(_ direction: Direction) -> Bool {
        let event = direction == .reading ? IPC_EPOLLIN : IPC_EPOLLOUT
        let end = ipc_monotonic_now() + spin
        repeat { if ipc_poll_once(number, event) != 0 { return true } } while ipc_monotonic_now() < end
        return false
    }

    /// Waits while what `reader` could read is read into its buffer.
    ///
    /// Apart from the others, whose tasks are many, and need no room for a group.
    @inline(never)
    private func wait(
        _ direction: Direction, _ deadline: Deadline?, _ operation: String, relieving reader: ByteReader
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await self.waitAlone(direction, deadline, operation)
                return true
            }
            group.addTask {
                try await reader.absorb()
                return false
            }
            defer { group.cancelAll() }
            while let isReady = try await group.next() { if isReady { return } }
        }
    }

    @inline(never)
    private func failure(of reason: Wake, _ limit: Deadline?, _ operation: String) -> any Error {
        switch reason {
        case .timedOut: limit?.passed(operation, on: subject) ?? closedError(operation)
        case .cancelled: CancellationError()
        case .closed, .ready, .moved: closedError(operation)
        case .refused(let error): SystemError(operation, on: subject, Errno(rawValue: error))
        }
    }

    /// The error of a call on a stream that this program has closed.
    func closedError(_ operation: String) -> SystemError { SystemError(operation, on: subject, .canceled) }

    /// What every call does first: a cancelled task goes no further, and a busy one lets others run.
    @inline(__always)
    static func beginCall(
        _ operation: String, on subject: @autoclosure () -> String, deadline: Deadline? = nil
    ) async throws {
        if ipc_task_is_cancelled() != 0 { throw CancellationError() }
        if EventLoop.hasUsedItsTurn() {
            await EventLoop.letOthersRun()
            let limit = Deadline.earliest(deadline, Deadline.ambient)
            // A limit of zero asks for what can be had without waiting, and that is still to be tried.
            if let limit, limit.limit > .zero, limit.hasPassed { throw limit.passed(operation, on: subject()) }
        }
    }
}

extension EventLoop {
    /// Ends every wait on a descriptor that is about to be closed. From any thread: the kernel's side at once, ours by
    /// message.
    fileprivate func endWaits(on descriptor: SharedDescriptor) {
        if isCurrent { return forget(descriptor.number, owner: descriptor.identity) }
        _ = poller.control(IPC_EPOLL_DEL, descriptor.number, events: 0, generation: 0)
        send(.forget(descriptor: descriptor.number, owner: descriptor.identity))
    }

    fileprivate func wakeWaits(on descriptor: SharedDescriptor) {
        send(.lookAgain(descriptor: descriptor.number, owner: descriptor.identity))
    }
}
