// A Unix socket's file: made with its mode, never over a live one's or anything that is not ours, removed when done.
import CIPC
import Synchronization
import SystemPackage

/// A file that a listening or receiving Unix socket is bound to.
///
/// Whoever makes one has a lock on the folder meanwhile, from the look at what is there until the new socket listens: of several
/// at once one makes it, and the others find it alive.
final class UnixSocketFile: Sendable {
    private let path: FilePath
    private let identity: FileIdentity
    /// Its number with those who remove it if this process is ended by a signal.
    private let guarded: Mutex<Int32?>

    private init(_ path: FilePath, _ identity: FileIdentity) {
        (self.path, self.identity) = (path, identity)
        guarded = Mutex(ExitGuard.add(path, identity))
    }

    deinit { leave() }

    /// The file is another's to remove from now on.
    func leave() { if let number = guarded.withLock({ $0.take() }) { ExitGuard.remove(number) } }

    /// Binds a socket to a path, and has it listen if it is to.
    ///
    /// - Throws: ``SystemError``: with `EADDRINUSE` if somebody listens there, or what lies there is no socket of ours; with
    ///   `EPERM` for a folder in which others could put theirs in its place.
    static func bind(
        _ socket: Int32, to address: SocketAddress, at path: FilePath, _ kind: SocketKind, permissions: FilePermissions,
        listen: (Int32) throws -> Void
    ) async throws -> UnixSocketFile {
        try FileStatus.checkFolder(of: path, "bind")
        let folder = path.removingLastComponent()
        let lock = try Descriptor.openFolder(folder.isEmpty ? "." : folder, for: path)
        let number = lock.number
        _ = try await BlockingCall.perform("lock folder of", on: path.string, deadline: Deadline(in: .seconds(10))) {
            Int(ipc_flock(number, Int32(IPC_LOCK_EXCLUSIVE.rawValue), 1))
        }
        defer { _ = ipc_flock(number, Int32(IPC_LOCK_NONE.rawValue), 0) }
        // The mode that the file is made with is the socket's own, less the umask.
        let mode = UInt32(permissions.rawValue)
        try SystemCall.perform("bind", on: path.string) { ipc_change_mode("/proc/self/fd/\(socket)", mode) }
        var status = address.withKernels { ipc_bind(socket, $0) }
        if status == -Errno.addressInUse.rawValue, try removeStale(address, path, kind) {
            status = address.withKernels { ipc_bind(socket, $0) }
        }
        guard status == 0 else { throw SystemError("bind", on: path.string, Errno(rawValue: -status)) }
        guard let made = FileStatus(at: path), made.type == IPC_FILE_SOCKET.rawValue else {
            throw SystemError("bind", on: "\(path), replaced by another file", .staleNFSFileHandle)
        }
        let file = UnixSocketFile(path, made.identity)
        do {
            // Nobody can have connected: it does not listen yet.
            try SystemCall.perform("bind", on: path.string) {
                path.withPlatformString { ipc_change_mode($0, mode) }
            }
            try listen(socket)
        } catch {
            file.remove()
            throw error
        }
        return file
    }

    /// Removes a socket of ours that nobody listens on; whether it did.
    private static func removeStale(_ address: SocketAddress, _ path: FilePath, _ kind: SocketKind) throws -> Bool {
        guard let found = FileStatus(at: path) else { return true }
        func refuse(_ what: String, _ errno: Errno = .addressInUse) -> SystemError {
            SystemError("bind", on: "\(path), \(what)", errno)
        }
        guard found.type == IPC_FILE_SOCKET.rawValue else { throw refuse("which is \(found.description)") }
        guard found.owner == ipc_effective_user_id() else { throw refuse("which belongs to user \(found.owner)") }
        let number = ipc_socket(Int32(IPC_FAMILY_UNIX.rawValue), kind.number, 1)
        let probe = try Descriptor(
            fresh: SystemCall.perform("bind", on: path.string) { number }, "bind", on: path.string)
        let answer = address.withKernels { ipc_connect(probe.number, $0) }
        guard answer == -Errno.connectionRefused.rawValue else { throw refuse("where somebody listens") }
        guard let now = FileStatus(at: path), now.identity == found.identity else { return false }
        return path.withPlatformString { ipc_remove_file($0) } == 0
    }

    /// Whether the path still means this file.
    var isInPlace: Bool { FileStatus(at: path)?.identity == identity }

    /// Removes the file, unless it is another's by now.
    func remove() {
        guard let number = guarded.withLock({ $0.take() }) else { return }
        if isInPlace { _ = path.withPlatformString { ipc_remove_file($0) } }
        ExitGuard.remove(number)
    }
}

extension Descriptor {
    fileprivate static func openFolder(_ folder: FilePath, for path: FilePath) throws(SystemError) -> Descriptor {
        let number = try SystemCall.perform("open folder of", on: path.string) {
            folder.withPlatformString { ipc_open($0, IPC_O_RDONLY | IPC_O_DIRECTORY, 0) }
        }
        return try Descriptor(fresh: number, "open folder of", on: path.string)
    }
}
