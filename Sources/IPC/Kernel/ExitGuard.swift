// Files that are removed whatever ends this process.
import CIPC
import Synchronization
import SystemPackage

/// What the guard in C keeps, added and taken out by one thread at a time.
enum ExitGuard {
    static let turn = Mutex(())

    /// Has a file removed when the process ends, by a signal too, if the path still means it then; a number to take it out by.
    /// `nil` where there are too many: then it is merely left behind.
    static func add(_ path: FilePath, _ identity: FileIdentity) -> Int32? {
        guard let absolute = absolute(path) else { return nil }
        let number = turn.withLock { _ in
            absolute.withPlatformString { ipc_guard_file_enter($0, identity.device, identity.inode) }
        }
        return number < 0 ? nil : number
    }

    static func remove(_ number: Int32) { turn.withLock { _ in ipc_guard_file_leave(number) } }

    /// The process may change its directory.
    private static func absolute(_ path: FilePath) -> FilePath? {
        if path.isAbsolute { return path }
        guard let folder = SmallFile.target(of: "/proc/self/cwd") else { return nil }
        return FilePath(String(decoding: folder, as: UTF8.self)).appending(path.components)
    }
}
