// The owner of a file descriptor: closed when its owner ends, never on exec, never one of the numbers 0 to 2.
import CIPC
public import SystemPackage

/// The one owner of a file descriptor.
///
/// A descriptor is closed when its owner goes out of scope, is close-on-exec from the call that made it, and never has
/// one of the numbers 0, 1 and 2, even in a program that was started with those closed. Since the type cannot be copied,
/// using a descriptor after it was closed does not compile.
///
/// The types that read and write (``ByteReader``, ``ByteWriter``) own a descriptor and share it; this type is for handing
/// one on, and for descriptors that come from elsewhere.
public struct Descriptor: ~Copyable, Sendable {
    let number: Int32

    /// Takes over a descriptor that the kernel has just made for us: lifted above 2 where it landed there.
    init(fresh number: Int32, _ operation: String, on subject: String) throws(SystemError) {
        guard number <= 2 else {
            self.number = number
            return
        }
        let lifted = SystemCall.retrying { ipc_duplicate(number, 3) }
        _ = ipc_close(number)
        guard lifted >= 0 else { throw SystemError(operation, on: subject, Errno(rawValue: -lifted)) }
        self.number = lifted
    }

    /// Takes over an open descriptor, which becomes close-on-exec and belongs to the new owner from now on.
    ///
    /// Nothing else may close `number` afterwards. A number from 0 to 2 is replaced by a duplicate and closed.
    ///
    /// - Throws: ``SystemError`` if the number is not an open descriptor (`EBADF`) or no number is free (`EMFILE`); it is
    ///   closed then too.
    public init(adopting number: Int32) throws {
        try SystemCall.perform("adopt", on: "descriptor \(number)") { ipc_set_close_on_exec(number, 1) }
        try self.init(fresh: number, "adopt", on: "descriptor \(number)")
    }

    /// How a file is opened.
    public struct Access: Sendable, Hashable {
        let flags: Int32

        /// For reading; the file must exist.
        public static let read = Access(flags: IPC_O_RDONLY)
        /// For writing at the beginning of a file that exists.
        public static let write = Access(flags: IPC_O_WRONLY)
        /// For reading and writing a file that exists.
        public static let readWrite = Access(flags: IPC_O_RDWR)
        /// For writing: the file is made if it is missing and emptied if it is not.
        public static let replace = Access(flags: IPC_O_WRONLY | IPC_O_CREAT | IPC_O_TRUNC)
        /// For writing at the end, whoever else writes there: the file is made if it is missing.
        public static let append = Access(flags: IPC_O_WRONLY | IPC_O_CREAT | IPC_O_APPEND)
        /// For writing a file that must not exist yet.
        public static let create = Access(flags: IPC_O_WRONLY | IPC_O_CREAT | IPC_O_EXCL | IPC_O_NOFOLLOW)
    }

    /// Opens a file. It never becomes the controlling terminal. The C function is `open`.
    ///
    /// A file that is made gets the `permissions`, readable and writable by its owner alone unless told otherwise, less
    /// the process's umask. Opening a FIFO here waits for its other side, and blocks the thread meanwhile.
    ///
    /// - Throws: ``SystemError`` with the kernel's reason.
    public static func open(
        _ path: FilePath, for access: Access, permissions: FilePermissions = .ownerReadWrite
    ) throws -> Descriptor {
        let name = path.string
        let number = try SystemCall.perform("open", on: name) {
            path.withPlatformString { ipc_open($0, access.flags | IPC_O_NOCTTY, UInt32(permissions.rawValue)) }
        }
        return try Descriptor(fresh: number, "open", on: name)
    }

    /// A second descriptor for the same open file. The C function is `fcntl` with `F_DUPFD_CLOEXEC`.
    ///
    /// - Throws: ``SystemError``, for example `EMFILE`.
    public borrowing func duplicate() throws -> Descriptor {
        let own = number
        let copy = try SystemCall.perform("duplicate", on: "descriptor \(own)") { ipc_duplicate(own, 3) }
        return try Descriptor(fresh: copy, "duplicate", on: "descriptor \(own)")
    }

    /// Lends the number to a body, for C functions that this library does not have. It must not be closed there.
    ///
    /// - Throws: what the body throws.
    public borrowing func withRawDescriptor<Result>(_ body: (Int32) throws -> Result) rethrows -> Result {
        try body(number)
    }

    /// Gives the number away; whoever takes it must close it.
    public consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }

    /// Closes and says what the kernel said, which leaving the scope does not. The C function is `close`.
    ///
    /// - Throws: ``SystemError`` if data written earlier could not be stored (`EIO`, `ENOSPC`, `EDQUOT`); the descriptor
    ///   is closed then too.
    public consuming func close() throws {
        let number = self.release()
        try SystemCall.perform("close", on: "descriptor \(number)") { ipc_close(number) }
    }

    deinit { _ = ipc_close(number) }
}
