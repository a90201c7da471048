// Named pipes: how they come to be, whose they are, and what becomes of their names.
import CIPC
public import SystemPackage

/// A FIFO, or named pipe: a file by whose name processes that know nothing of each other find each other.
///
/// ```swift
/// let fifo = try FIFO.make(at: "app.fifo")
/// for try await line in try await fifo.openForReading().lines() { print(line) }
/// ```
///
/// Bytes flow one way, from all who write to whoever reads: with several writers there is no telling whose bytes are whose,
/// unless they send records (``RecordWriter``), and with several readers each gets some of them. Where each client needs an
/// answer of its own, a socket is the better choice.
///
/// The value is the FIFO that was at the path when it was made. Whatever is there later, be it another FIFO, is refused. It holds
/// one descriptor, which neither reads nor writes, and so keeps the FIFO from being mistaken for another one; its copies share it.
public struct FIFO: Sendable {
    let file: FIFOFile

    /// Where it is.
    public var path: FilePath { file.path }

    /// Whose FIFO may be used. In a folder that several users can write to, anybody can make one in place of the one expected.
    public enum Trust: Hashable, Sendable {
        /// Our own, by the effective user, and root's.
        case ourselves
        /// Those of some users, by their numbers, and our own and root's.
        case users(Set<UInt32>)
        /// Anybody's.
        case everybody

        func includes(_ owner: UInt32) -> Bool {
            if case .everybody = self { return true }
            if owner == 0 || owner == ipc_effective_user_id() { return true }
            if case .users(let users) = self { return users.contains(owner) }
            return false
        }
    }

    /// The FIFO that is at a path.
    ///
    /// - Throws: ``SystemError`` with `ENOENT` if nothing is there, `ELOOP` for a symbolic link, `EINVAL` for any other file that
    ///   is no FIFO, `EPERM` if it belongs to a user who is not trusted.
    public init(at path: FilePath, trusting trust: Trust = .ourselves) throws {
        file = try FIFOFile(at: path, trust)
    }

    init(_ file: FIFOFile) { self.file = file }

    /// Makes a FIFO, with these permissions whatever the umask is, from the moment that it has its name. The C function is
    /// `mkfifo`.
    ///
    /// It is made under another name in the same folder and then given its own.
    ///
    /// - Throws: ``SystemError``, with `EEXIST` if there is a file by that name, which stays as it is, and with `EPERM` if others
    ///   can rename files in the folder.
    public static func make(at path: FilePath, permissions: FilePermissions = .ownerReadWrite) throws -> FIFO {
        let file = try FIFOFile.make(besides: path, permissions)
        do throws(SystemError) { try file.giveName() } catch {
            file.remove()
            throw error
        }
        return FIFO(file)
    }

    /// Whether there is a FIFO at a path. The question of the shell's `test -p`, but that a symbolic link to one is none.
    public static func exists(at path: FilePath) -> Bool { FileStatus(at: path)?.type == IPC_FILE_FIFO.rawValue }

    // MARK: Its name

    /// What is at the path now.
    public enum Presence: Hashable, Sendable {
        /// This FIFO.
        case inPlace
        /// Nothing.
        case removed
        /// Another file, perhaps another FIFO.
        case replaced
    }

    /// What is at the path now. The C function is `lstat`.
    public var presence: Presence { file.presence }

    /// Waits until the path no longer means this FIFO, and says what it means then. The C function is `inotify_add_watch`.
    ///
    /// That a folder above it was renamed is not noticed.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`; ``SystemError`` with `EMFILE` if the user has too many such waits, 128 unless
    ///   the system says otherwise.
    public func waitUntilGone(timeout: Duration? = nil) async throws -> Presence {
        try await file.waitUntilGone(Deadline.after(timeout))
    }

    /// Waits until the path no longer means this FIFO, as ``waitUntilGone(timeout:)`` does, until a deadline.
    public func waitUntilGone(deadline: Deadline) async throws -> Presence { try await file.waitUntilGone(deadline) }

    /// Removes the FIFO, if it is still this one that the path means. The C function is `unlink`.
    ///
    /// Who has it open goes on reading and writing.
    ///
    /// - Throws: ``SystemError``, with `ESTALE` if another file is there now. That it is gone already is not an error.
    public func remove() throws { try file.removeName() }
}
