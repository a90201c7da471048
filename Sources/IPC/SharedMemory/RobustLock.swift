// A lock between processes that does not stay locked when its holder dies: who comes next is told, and repairs.
import CIPC
public import SystemPackage

/// A lock that processes share by its name, and that the kernel gives back when its holder dies.
///
/// ```swift
/// let lock = try RobustLock(named: "/spool")
/// try await lock.withLock(timeout: .seconds(5), repairing: { _ in try removeHalfWritten() }) {
///     try writeEntry()
/// }
/// ```
///
/// A holder that was killed may have left what the lock protects in any state. Whoever takes the lock next is told: its `repairing` is
/// run before its body, and once that has returned, all is well. Without it the call throws, as all later ones do, until one repairs.
///
/// The lock belongs to the thread that has it, so a body cannot wait asynchronously. It should be short, as for any lock: whoever waits
/// cannot see whether it makes progress, only who has it. On the thread that has waited a body has 1 MiB of stack, and no task-local
/// values. The kernel's pages are `futex(2)` and `set_robust_list(2)`; pthreads have
/// the same as `PTHREAD_MUTEX_ROBUST`.
public final class RobustLock: Sendable {
    private let object: SharedObject

    /// The lock of a name.
    ///
    /// - Parameters:
    ///   - name: a slash and a word of at most 255 bytes; the slash may be missing.
    ///   - permissions: who may take a new one, which needs the right to write, whatever the umask is. One that is there must not let
    ///     in others.
    ///   - owner: whose one that is there has to be, by number; `nil` for ours, or root's.
    ///   - opening: whether it may be there already, or has to be.
    /// - Throws: ``SharedObjectError``: `alreadyExists`, `notFound`, `notPermitted`, `badName`, `limitReached`; `wrongLayout` and `damaged`
    ///   if what is there is no lock.
    public init(
        named name: String, permissions: FilePermissions = .ownerReadWrite, ownedBy owner: UInt32? = nil,
        opening: Opening = .createOrOpen
    ) throws {
        object = try SharedObject(
            named: name, .init(kind: .lock, size: 0, layout: 0, isCoded: false), opening,
            .init(permissions: permissions, owner: owner)
        ) { _, _ in }
    }

    /// The name, with its slash.
    public var name: String { object.name.text }

    /// Whether this call has made it.
    public var wasCreated: Bool { object.wasCreated }

    // MARK: Locking

    /// Runs a body that nobody else runs at the same time: here if the lock is free, else on a thread that waits for it.
    ///
    /// - Parameters:
    ///   - timeout: how long to wait for the lock. A body that has begun is not interrupted, by a cancellation neither.
    ///   - repair: puts right what a dead holder left, whose number it is given if that is known. If it throws, or its process dies, the
    ///     next caller's is run.
    ///   - body: is not run if there is something to be repaired that was not.
    /// - Throws: what the body or the repair throws. ``SharedObjectError`` with `holderDied` if there was nothing to repair with, with
    ///   `poisoned` for those that come after; with `deadlock` if this thread has the lock; with `truncated`. ``TimeoutError`` that
    ///   names the holder, and says if it is stopped; `CancellationError`; ``SystemError`` with `EAGAIN` if too many wait already.
    public func withLock<Result: Sendable>(
        timeout: Duration? = nil, repairing repair: (@Sendable (ProcessID?) throws -> Void)? = nil,
        _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await object.withLock("lock", Deadline.after(timeout)) { try self.run($0, repair, body) }
    }

    /// Runs a body that nobody else runs at the same time, and waits for the lock on the thread of the caller: for programs that are not
    /// asynchronous.
    ///
    /// - Throws: as the asynchronous form does, without cancellation.
    @available(*, noasync, message: "await the asynchronous form")
    public func withLock<Result>(
        timeout: Duration? = nil, repairing repair: ((ProcessID?) throws -> Void)? = nil, _ body: () throws -> Result
    ) throws -> Result {
        let holderDied = try object.take("lock", Deadline.after(timeout))
        defer { object.leave() }
        return try run(holderDied, repair, body)
    }

    /// Runs a body if nobody has the lock; `nil` if somebody has. Never waits.
    ///
    /// - Throws: as `withLock` does, without waiting.
    public func tryWithLock<Result>(
        repairing repair: ((ProcessID?) throws -> Void)? = nil, _ body: () throws -> Result
    ) throws -> Result? {
        guard let holderDied = try object.takeAtOnce("lock") else { return nil }
        defer { object.leave() }
        return try run(holderDied, repair, body)
    }

    /// With the lock held.
    private func run<Result>(
        _ holderDied: Bool, _ repair: ((ProcessID?) throws -> Void)?, _ body: () throws -> Result
    ) throws -> Result {
        let line = object.line
        if holderDied { ipc_lock_set_state(line, Int32(IPC_LOCK_UNREPAIRED.rawValue)) }
        if ipc_lock_state(line) != Int32(IPC_LOCK_SOUND.rawValue) {
            let dead = object.deadHolder
            guard let repair else {
                let who = dead.map { "process \($0) died while it had it" } ?? "its holder died while it had it"
                throw SharedObjectError(
                    holderDied ? .holderDied : .poisoned, "lock", on: object.subject, .previousOwnerDied,
                    who + ", and nobody has repaired what it left", process: dead)
            }
            try repair(dead)
            ipc_lock_set_state(line, Int32(IPC_LOCK_SOUND.rawValue))
        }
        let result = try body()
        try object.region.check("lock", on: object.subject)
        return result
    }

    // MARK: Looking and removing

    /// The process that has the lock; `nil` if none has, or the one that has it cannot be seen from here.
    public var holder: ProcessID? { object.holder }

    /// Whether a dead holder has left something that nobody has repaired, as far as anybody has found out.
    public var isPoisoned: Bool { ipc_lock_state(object.line) != Int32(IPC_LOCK_SOUND.rawValue) }

    /// Whether the name means this lock still: it may have been removed, and another made.
    public var isNamed: Bool { object.isNamed }

    /// Takes its name away; those who have it open keep it.
    ///
    /// - Throws: ``SharedObjectError`` with `replaced` if the name means another, or none, by now; with `notPermitted`.
    public func remove() throws { try object.remove() }

    /// Makes a lock with a name, and takes the name away however the body ends.
    ///
    /// - Throws: what the body throws; as ``init(named:permissions:ownedBy:opening:)`` does.
    public static func withNew<Result>(
        named name: String, permissions: FilePermissions = .ownerReadWrite, _ body: (RobustLock) async throws -> Result
    ) async throws -> Result {
        let lock = try RobustLock(named: name, permissions: permissions, opening: .create)
        defer { try? lock.remove() }
        return try await body(lock)
    }
}
