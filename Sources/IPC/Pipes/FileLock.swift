// Advisory locks on files: waited for within a limit, given back whatever happens, known to the flock command.
import CIPC
public import SystemPackage

/// An advisory lock on a file, held until this value goes out of scope or is released.
///
/// ```swift
/// try await FileLock.exclusive(on: "app.lock", timeout: .seconds(10)) {
///     try await Command("make", "install").run()
/// }
/// ```
///
/// A lock keeps out those who ask for it, and nobody else: the file can be read and written without it. It belongs to the
/// open file inside this value, not to the process: two locks on one file exclude each other inside a program as they do
/// between programs. Programs that are started while it is held do not inherit it, and the kernel gives it back
/// when the process ends, however that comes about.
///
/// The lock file is made if it is missing, for its owner alone, and is never removed: a lock on a file without a name would
/// be no lock to whoever comes next. If somebody else removes the file nevertheless, that is noticed when the lock is taken,
/// and the new file is locked instead. A symbolic link, and what is not a regular file, is refused.
///
/// The C functions are `flock` and `fcntl` with `F_OFD_SETLK`.
public struct FileLock: ~Copyable, Sendable {
    /// Who else may hold the lock at the same time.
    public enum Mode: Hashable, Sendable {
        /// Others that share it, and nobody exclusively. The C constants are `LOCK_SH` and `F_RDLCK`.
        case shared
        /// Nobody. The C constants are `LOCK_EX` and `F_WRLCK`.
        case exclusive
    }

    /// Which of the kernel's locks it is: those of one kind do not see those of the other.
    public struct Kind: Hashable, Sendable {
        /// The first byte and the number of bytes, 0 for all that follow; `nil` for a lock on the file as such.
        let range: Range?

        struct Range: Hashable {
            let start: Int64
            let count: Int64
        }

        /// A lock on the file as such, which the `flock` command takes as well. The C function is `flock`.
        public static let wholeFile = Kind(range: nil)

        /// A lock on all bytes, which programs that use `lockf` or `fcntl` take as well. Exclusive, it needs the right to
        /// write to the file. The C function is `fcntl` with `F_OFD_SETLK`.
        public static let record = Kind(range: Range(start: 0, count: 0))

        /// A lock on some bytes, be they in the file or not; as ``record``. Other ranges can be locked by others.
        ///
        /// - Precondition: the range begins at 0 or later, and is not empty.
        public static func record(_ bytes: Swift.Range<Int64>) -> Kind {
            precondition(bytes.lowerBound >= 0 && !bytes.isEmpty, "a range of bytes that a file can have")
            return Kind(range: Range(start: bytes.lowerBound, count: bytes.upperBound - bytes.lowerBound))
        }
    }

    private let descriptor: Descriptor
    private let kind: Kind

    /// Who else may hold the lock meanwhile.
    public let mode: Mode

    /// The lock file.
    public let path: FilePath

    /// Takes the lock if nobody holds it, and gives it to the caller; `nil` if somebody does. Never waits.
    ///
    /// - Throws: ``SystemError`` if the file cannot be opened; with `ELOOP` for a symbolic link, `EISDIR` or `EINVAL` for what is
    ///   not a regular file, `ENOLCK` if the kernel has no more locks. That the lock is held is not an error.
    public static func tryExclusive(on path: FilePath, kind: Kind = .wholeFile) throws -> FileLock? {
        try attempt(.exclusive, kind, path)
    }

    /// Takes the lock together with others that share it, as ``tryExclusive(on:kind:)`` does; `nil` if somebody holds it
    /// exclusively.
    public static func tryShared(on path: FilePath, kind: Kind = .wholeFile) throws -> FileLock? {
        try attempt(.shared, kind, path)
    }

    /// Waits for the lock and gives it to the caller, who holds it as long as the value lives.
    ///
    /// Prefer ``exclusive(on:kind:timeout:_:)`` and ``shared(on:kind:timeout:_:)``, which show how long that is.
    ///
    /// The kernel gives a lock that is free to one of those who wait; that it is the one who came first is usual and not
    /// promised. A cancellation, or the end of the limit, ends the wait itself: the lock is not taken later. If it had been
    /// granted at that moment, it is given to the caller. On a network file system it can take long until the
    /// kernel lets go of a wait.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`; ``SystemError`` as ``tryExclusive(on:kind:)`` does, and with
    ///   `EAGAIN` if 1,024 blocking calls are under way in this process.
    public static func acquire(
        _ mode: Mode, on path: FilePath, kind: Kind = .wholeFile, timeout: Duration? = nil
    ) async throws -> FileLock {
        try await acquire(mode, on: path, kind: kind, until: Deadline.after(timeout))
    }

    /// Waits for the lock and gives it to the caller, as ``acquire(_:on:kind:timeout:)`` does, until a deadline.
    public static func acquire(
        _ mode: Mode, on path: FilePath, kind: Kind = .wholeFile, deadline: Deadline
    ) async throws -> FileLock {
        try await acquire(mode, on: path, kind: kind, until: deadline)
    }

    /// Gives the lock back, which leaving the scope does as well.
    public consuming func release() {}

    deinit {
        // Not left to the close: a copy of the descriptor, in a process that was forked off just now, would keep the lock.
        _ = FileLock.set(nil, kind, on: descriptor.number, mayWait: false)
    }

    // MARK: Taking it

    private init(_ descriptor: consuming Descriptor, _ mode: Mode, _ kind: Kind, _ path: FilePath) {
        self.descriptor = descriptor
        self.mode = mode
        self.kind = kind
        self.path = path
    }

    private static func attempt(_ mode: Mode, _ kind: Kind, _ path: FilePath) throws -> FileLock? {
        while true {
            let file = try LockFile.open(path, writing: kind.range != nil && mode == .exclusive)
            let number = file.descriptor.number
            let result = SystemCall.retrying { set(mode, kind, on: number, mayWait: false) }
            let errno = Errno(rawValue: -result)
            if errno == .wouldBlock || (errno == .permissionDenied && kind.range != nil) { return nil }
            if result < 0 { throw SystemError("lock", on: path.string, errno) }
            if file.isStill(at: path) { return FileLock(file.take(), mode, kind, path) }
        }
    }

    /// Waits for the lock until a deadline, if there is one.
    static func acquire(
        _ mode: Mode, on path: FilePath, kind: Kind = .wholeFile, until deadline: Deadline?
    ) async throws -> FileLock {
        let name = path.string
        try await SharedDescriptor.beginCall("lock", on: name, deadline: deadline)
        while true {
            if let lock = try attempt(mode, kind, path) { return lock }
            let file = try LockFile.open(path, writing: kind.range != nil && mode == .exclusive)
            let number = file.descriptor.number
            _ = try await BlockingCall.perform("lock", on: name, deadline: deadline) {
                Int(set(mode, kind, on: number, mayWait: true))
            }
            if file.isStill(at: path) { return FileLock(file.take(), mode, kind, path) }
        }
    }

    /// The system call: takes a lock, or gives it back where the mode is `nil`.
    private static func set(_ mode: Mode?, _ kind: Kind, on number: Int32, mayWait: Bool) -> Int32 {
        let lock =
            switch mode {
            case .shared: IPC_LOCK_SHARED
            case .exclusive: IPC_LOCK_EXCLUSIVE
            case nil: IPC_LOCK_NONE
            }
        guard let range = kind.range else { return ipc_flock(number, Int32(lock.rawValue), mayWait ? 1 : 0) }
        return ipc_record_lock(number, Int32(lock.rawValue), range.start, range.count, mayWait ? 1 : 0)
    }
}
