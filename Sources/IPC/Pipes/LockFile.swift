// The file under a lock: made if it is missing, a regular file, and still the one that its name means.
import CIPC
import SystemPackage

/// An open lock file.
struct LockFile: ~Copyable {
    let descriptor: Descriptor
    private let identity: FileIdentity

    /// Opens a lock file without following a link, without waiting for a FIFO's other side.
    ///
    /// Where it may not be opened for writing it is opened for reading, unless the lock needs more.
    static func open(_ path: FilePath, writing: Bool) throws(SystemError) -> LockFile {
        let (name, safely) = (path.string, IPC_O_NOFOLLOW | IPC_O_NOCTTY | IPC_O_NONBLOCK)
        var result = open(path, IPC_O_RDWR | IPC_O_CREAT | safely)
        // EACCES also where O_CREAT is refused for another's file in a shared folder: fs.protected_regular.
        if !writing, [.permissionDenied, .readOnlyFileSystem, .textFileBusy].contains(Errno(rawValue: -result)) {
            let second = open(path, IPC_O_RDONLY | safely)
            if second >= 0 { result = second }
        }
        if result < 0 {
            let errno = Errno(rawValue: -result)
            throw SystemError("lock", on: errno == .tooManySymbolicLinkLevels ? described(path) : name, errno)
        }
        let descriptor = try Descriptor(fresh: result, "lock", on: name)
        var file = ipc_file_information()
        let number = descriptor.number
        try SystemCall.perform("lock", on: name) { ipc_descriptor_status(number, &file) }
        guard file.type == IPC_FILE_REGULAR.rawValue else {
            throw SystemError("lock", on: described(path), .invalidArgument)
        }
        return LockFile(descriptor: descriptor, identity: FileIdentity(file))
    }

    /// Whether the path means this file. A lock on one that was removed would keep out nobody who comes later.
    func isStill(at path: FilePath) -> Bool {
        var file = ipc_file_information()
        let result = path.withPlatformString { ipc_file_status($0, &file) }
        return result < 0 ? Errno(rawValue: -result) != .noSuchFileOrDirectory : FileIdentity(file) == identity
    }

    consuming func take() -> Descriptor { descriptor }

    private static func open(_ path: FilePath, _ flags: Int32) -> Int32 {
        SystemCall.retrying { path.withPlatformString { ipc_open($0, flags, 0o600) } }
    }

    /// The path with what is there, for the error that says why it will not do.
    private static func described(_ path: FilePath) -> String {
        FileStatus(at: path).map { "\(path), \($0.description)" } ?? path.string
    }
}
