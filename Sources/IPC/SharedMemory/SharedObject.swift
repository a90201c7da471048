// An object with a header and a lock that survives its holder: what locks and variables have in common.
import CIPC
import Synchronization
import SystemPackage

/// One of our own objects, mapped: what it is has been checked, and is not read again.
///
/// The first page holds, from its beginning, what never changes, and in its last 64 bytes what does. `@usableFromInline`, since the
/// calls on values of trivial types are inlined into their callers.
@usableFromInline
final class SharedObject: @unchecked Sendable {
    // Safe because what the pointers lead to is used by C's atomic functions, or under the lock, and nothing else changes.

    /// What never changes.
    struct Header {
        let kind: NamedObject.Kind
        /// Of a half of the value, in bytes; 0 for a lock alone.
        let size: Int
        /// What the value is made of.
        let layout: UInt64
        /// Whether a value may be shorter than its half.
        let isCoded: Bool
    }

    let header: Header
    let name: SharedName
    let subject: String
    let identity: FileIdentity
    let wasCreated: Bool
    let region: SharedRegion
    let descriptor: Descriptor
    let line: UnsafeMutablePointer<ipc_shared_line>
    /// Where the halves of the value are.
    let halves: UnsafeMutablePointer<ipc_shared_halves>
    /// Whether the value has its place in one word.
    @usableFromInline let isWord: Bool
    /// How much memory of each half this process knows to be set aside.
    let reserved = Mutex([0, 0])

    init(
        named name: String, _ header: Header, _ opening: Opening, _ demands: SharedFile.Demands,
        first: (borrowing Descriptor, UnsafePointer<ipc_shared_halves>) throws -> Void
    ) throws {
        let name = try SharedName(name, header.kind, opening == .open ? "open" : "create")
        let subject = name.subject
        let file = try SharedFile.open(name, opening, demands) { descriptor in
            try SharedObject.fill(descriptor, header, subject, first)
        }
        self.header = header
        (self.name, self.subject, identity, wasCreated) = (name, subject, file.identity, file.isNew)
        region = try file.mapped(name) { try SharedRegion.mapLocked($0, size: header.fileSize, $1, on: subject) }
        let namespace = try header.check(region, subject, fileSize: file.size)
        line = ipc_lock_line(region.region)
        if namespace != SharedObject.ownNamespace { ipc_lock_add_stranger(line) }
        halves = .allocate(capacity: 1)
        halves.initialize(to: header.halves(of: region))
        isWord = header.size == 8 && !header.isCoded
        descriptor = file.descriptor
    }

    deinit { halves.deallocate() }

    /// The first contents of a file that nobody else has.
    private static func fill(
        _ descriptor: borrowing Descriptor, _ header: Header, _ subject: String,
        _ first: (borrowing Descriptor, UnsafePointer<ipc_shared_halves>) throws -> Void
    ) throws {
        let size = Int64(header.fileSize)
        let result = ipc_set_size(descriptor.number, size)
        guard result == 0 else { throw SharedObjectError("create", on: subject, Errno(rawValue: -result)) }
        // What a coded value needs is set aside as it grows.
        let needed = header.isCoded ? SharedObject.page : header.fileSize
        try SharedFile.allocate(needed, of: descriptor, "create", subject)
        let region = try SharedRegion.mapLocked(descriptor, size: header.fileSize, "create", on: subject)
        header.write(to: region)
        let halves = header.halves(of: region)
        try withUnsafePointer(to: halves) { try first(descriptor, $0) }
        try region.check("create", on: subject)
    }

    static let page = Int(ipc_page_size())

    /// The number of this process's pid namespace: in another, numbers of threads mean others.
    static let ownNamespace: UInt64 = {
        var file = ipc_file_information()
        return ipc_file_status("/proc/self/ns/pid", &file) == 0 ? file.inode : 0
    }()

    // MARK: The lock

    /// Takes the lock on this thread; whether its holder died with it.
    func take(_ operation: String, _ deadline: Deadline?) throws -> Bool {
        let result = SystemCall.retrying { ipc_lock_take(line, Deadline.until(deadline)) }
        if result == -Errno.timedOut.rawValue, let deadline {
            throw deadline.passed(operation, on: subject + heldBy)
        }
        return try taken(Int(result), operation)
    }

    /// Takes the lock if nobody has it; `nil` if somebody has. Never waits.
    func takeAtOnce(_ operation: String) throws -> Bool? {
        let result = ipc_lock_take(line, 0)
        return result == -Errno.resourceBusy.rawValue ? nil : try taken(Int(result), operation)
    }

    private func taken(_ result: Int, _ operation: String) throws -> Bool {
        if result < 0 { throw failure(operation, Errno(rawValue: Int32(-result))) }
        guard region.isBroken else { return result == 1 }
        leave()
        try region.check(operation, on: subject)
        return false
    }

    @usableFromInline
    func leave() { ipc_lock_leave(line) }

    func failure(_ operation: String, _ errno: Errno) -> SharedObjectError {
        guard errno == .deadlock else { return SharedObjectError(operation, on: subject, errno) }
        return SharedObjectError(.deadlock, operation, on: subject, errno, "this thread has it already")
    }

    /// Takes the lock and runs a body under it: on this thread if the lock is free, else on one that waits for it.
    ///
    /// - Parameter body: is told whether the holder died.
    func withLock<Result: Sendable>(
        _ operation: String, _ deadline: Deadline?, _ body: @escaping @Sendable (Bool) throws -> Result
    ) async throws -> Result {
        try await SharedDescriptor.beginCall(operation, on: subject, deadline: deadline)
        if let holderDied = try takeAtOnce(operation) {
            defer { leave() }
            return try body(holderDied)
        }
        let outcome = OneResult<Result>()
        do {
            _ = try await BlockingCall.perform(operation, on: subject, deadline: deadline) {
                Int(ipc_lock_take(self.line, -1))
            } refused: {
                self.failure(operation, $0)
            } then: { result in
                outcome.set {
                    let holderDied = try self.taken(result, operation)
                    defer { self.leave() }
                    return try body(holderDied)
                }
            }
        } catch let error as TimeoutError {
            throw TimeoutError(error.operation, on: subject + heldBy, limit: error.limit)
        }
        return try outcome.get(failure(operation, .canceled))
    }

    /// Whether numbers of processes and threads mean ours: all who use the object are in one pid namespace.
    private var knowsNumbers: Bool { ipc_lock_has_strangers(line) == 0 }

    /// The process that has the lock; `nil` if nobody has, or it is not known here.
    var holder: ProcessID? {
        let thread = ipc_lock_thread(line)
        guard thread > 0, knowsNumbers else { return nil }
        return ThreadStatus(of: thread).flatMap { ProcessID($0.process) }
    }

    /// The process that died with the lock.
    var deadHolder: ProcessID? { knowsNumbers ? ProcessID(ipc_lock_process(line)) : nil }

    /// Who has it, as an addition to the subject.
    var heldBy: String {
        let thread = ipc_lock_thread(line)
        guard thread > 0 else { return "" }
        guard knowsNumbers else { return ", held by a process that may be in another pid namespace" }
        guard let status = ThreadStatus(of: thread) else {
            return ", held by thread \(thread), of which nothing is known"
        }
        return ", held by process \(status.process) (\(status.name))" + (status.isStopped ? ", which is stopped" : "")
    }

    // MARK: Names

    /// Whether the name means this object still.
    var isNamed: Bool { SharedFile.has(name, identity) }

    func remove() throws(SharedObjectError) { try SharedFile.remove(name, identity) }
}

/// What one thread finds out and another reads when it has ended.
private final class OneResult<Success: Sendable>: @unchecked Sendable {
    // Safe because it is set by one call, and read when that is known to be over.
    private var result: Result<Success, any Error>?

    func set(_ body: () throws -> Success) { result = Result { try body() } }
    func get(_ none: @autoclosure () -> any Error) throws -> Success {
        guard let result else { throw none() }
        return try result.get()
    }
}
