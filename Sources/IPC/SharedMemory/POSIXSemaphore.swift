// Semaphores with a name: one number, acquired and released by processes of any language.
import CIPC
public import SystemPackage

extension POSIX {
    /// A semaphore that processes share by its name.
    ///
    /// It is in no process's debt: one that dies has not released what it had acquired, and nobody can tell. Where that matters there
    /// are ``RobustLock`` and ``SystemV/SemaphoreSet``, which undoes. The semaphore stays until ``remove()``. The C functions are
    /// `sem_open`, `sem_clockwait` and `sem_post`.
    public final class Semaphore: Sendable {
        /// The name, with its slash.
        public var name: String { file.text }
        /// Whether this call has made it.
        public let wasCreated: Bool

        private let file: SharedName
        private let identity: FileIdentity
        private let region: SharedRegion

        /// The semaphore of a name. A new one has its first value before anybody can see it.
        ///
        /// - Parameters:
        ///   - name: a slash and a word of at most 251 bytes; the slash may be missing.
        ///   - initialValue: how often a new one can be acquired, 0 to 2,147,483,647.
        ///   - permissions: who may use a new one, which needs the right to read and to write, whatever the umask is. One that is there must
        ///     not let in others.
        ///   - owner: whose one that is there has to be, by number; `nil` for ours, or root's.
        ///   - opening: whether it may be there already, or has to be.
        /// - Throws: ``SharedObjectError``: `alreadyExists`, `notFound`, `notPermitted`, `badName`, `outOfRange`, `limitReached`,
        ///   `wrongLayout` if what is there is no semaphore.
        public init(
            named name: String, initialValue: Int = 0, permissions: FilePermissions = .ownerReadWrite,
            ownedBy owner: UInt32? = nil, opening: Opening = .createOrOpen
        ) throws {
            let file = try SharedName(name, .semaphore, opening == .open ? "open" : "create")
            let subject = file.subject
            guard 0...Int(IPC_POSIX_SEMAPHORE_MOST) ~= initialValue else {
                throw SharedObjectError(
                    .outOfRange, "create", on: subject, .invalidArgument,
                    "a value is 0 to \(IPC_POSIX_SEMAPHORE_MOST), not \(initialValue)")
            }
            let size = Int(IPC_POSIX_SEMAPHORE_SIZE)
            let demands = SharedFile.Demands(permissions: permissions, owner: owner)
            let found = try SharedFile.open(file, opening, demands) { descriptor in
                try SharedFile.allocate(size, of: descriptor, "create", subject)
                let region = try SharedRegion.map(descriptor, size: size, "create", on: subject)
                let result = ipc_posix_semaphore_begin(region.address, Int32(initialValue))
                if result < 0 { throw SharedObjectError("create", on: subject, Errno(rawValue: -result)) }
            }
            guard found.size >= size else {
                throw SharedObjectError(
                    .wrongLayout, "open", on: subject, .invalidArgument,
                    "a semaphore has \(size) bytes, and what is there \(found.size)")
            }
            (self.file, identity, wasCreated) = (file, found.identity, found.isNew)
            region = try found.mapped(file) { try SharedRegion.map($0, size: size, $1, on: subject) }
        }

        // MARK: Acquiring

        /// Subtracts one as soon as that leaves 0 or more.
        ///
        /// What can be done at once is done in place; a wait has a thread of its own, which goes with it. Who waits is not told if the
        /// semaphore is removed, or its file cut short: where that can be, say a limit of time.
        ///
        /// - Throws: ``SharedObjectError`` with `truncated`; ``TimeoutError``, `CancellationError`, ``SystemError`` with `EAGAIN` if too
        ///   many wait already. Nothing was acquired then.
        public func acquire(timeout: Duration? = nil) async throws {
            let deadline = Deadline.after(timeout)
            try await SharedDescriptor.beginCall("acquire", on: file.subject, deadline: deadline)
            if try tryAcquire() { return }
            let (region, file) = (region, file)
            _ = try await BlockingCall.perform("acquire", on: file.subject, deadline: deadline) {
                Int(ipc_posix_semaphore_wait(region.address, -1))
            } refused: {
                SharedObjectError("acquire", on: file.subject, $0)
            }
            try region.check("acquire", on: file.subject)
        }

        /// Subtracts one on the thread of the caller, which waits as long as need be: for programs that are not asynchronous.
        ///
        /// - Throws: as the asynchronous form does, without cancellation.
        @available(*, noasync, message: "await the asynchronous form")
        public func acquire(timeout: Duration? = nil) throws {
            let deadline = Deadline.after(timeout)
            let result = SystemCall.retrying { ipc_posix_semaphore_wait(region.address, Deadline.until(deadline)) }
            if result == -Errno.timedOut.rawValue, let deadline { throw deadline.passed("acquire", on: file.subject) }
            try check(result, "acquire")
        }

        /// Subtracts one if that leaves 0 or more; whether it did. Never waits.
        ///
        /// - Throws: ``SharedObjectError`` with `truncated`.
        public func tryAcquire() throws -> Bool {
            let result = SystemCall.retrying { ipc_posix_semaphore_try(region.address) }
            if result == -Errno.wouldBlock.rawValue {
                try region.check("acquire", on: file.subject)
                return false
            }
            try check(result, "acquire")
            return true
        }

        /// Adds one, and wakes one who waits. Never waits.
        ///
        /// - Throws: ``SharedObjectError`` with `outOfRange` beyond 2,147,483,647, with `truncated`.
        public func release() throws { try check(ipc_posix_semaphore_post(region.address), "release") }

        /// Runs the body while one is acquired, and releases it however that ends.
        ///
        /// - Throws: what the body throws; as `acquire` and `release` do.
        public func withAcquired<Result>(
            timeout: Duration? = nil, _ body: () async throws -> Result
        ) async throws -> Result {
            try await acquire(timeout: timeout)
            return try await Scope.run(body, endingBy: release)
        }

        private func check(_ result: Int32, _ operation: String) throws {
            try region.check(operation, on: file.subject)
            if result < 0 { throw SharedObjectError(operation, on: file.subject, Errno(rawValue: -result)) }
        }

        // MARK: Looking and removing

        /// How often it can be acquired; by the time one reads it, that may have changed. The C function is `sem_getvalue`.
        ///
        /// - Throws: ``SharedObjectError`` with `truncated`, with `damaged` if what is there can be no value.
        public var value: Int {
            get throws {
                let value = ipc_posix_semaphore_value(region.address)
                try region.check("look at", on: file.subject)
                guard value >= 0 else {
                    throw SharedObjectError(
                        .damaged, "look at", on: file.subject, .badMessage, "what is there is no value of a semaphore")
                }
                return Int(value)
            }
        }

        /// Whether the name means this semaphore still: it may have been removed, and another made.
        public var isNamed: Bool { SharedFile.has(file, identity) }

        /// Takes its name away; those who have it open keep it, and who waits is not woken.
        ///
        /// - Throws: ``SharedObjectError`` with `replaced` if the name means another, or none, by now; with `notPermitted`.
        public func remove() throws { try SharedFile.remove(file, identity) }

        /// Makes a semaphore with a name, and takes the name away however the body ends.
        ///
        /// - Throws: what the body throws; as ``init(named:initialValue:permissions:ownedBy:opening:)`` does.
        public static func withNew<Result>(
            named name: String, initialValue: Int = 0, permissions: FilePermissions = .ownerReadWrite,
            _ body: (Semaphore) async throws -> Result
        ) async throws -> Result {
            let semaphore = try Semaphore(
                named: name, initialValue: initialValue, permissions: permissions, opening: .create)
            defer { try? semaphore.remove() }
            return try await body(semaphore)
        }
    }
}
