// A folder for one test, with a name short enough for sockets in it.
import Glibc
import IPC
import Synchronization
import Testing

/// Runs a body with an empty folder of its own, which is removed afterwards.
///
/// What the library has promised to remove by itself must be gone by then: a socket, a FIFO or a pid file that is still in
/// the folder is a failure of the test. Ordinary files are the test's own business.
func withTemporaryFolder<Result: Sendable>(_ body: (FilePath) async throws -> Result) async throws -> Result {
    let path = try TemporaryFolder.make()
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(FilePath(path))) } catch { outcome = .failure(error) }
    for name in TemporaryFolder.promisedToBeGone(in: path) { Issue.record("left in the temporary folder: \(name)") }
    TemporaryFolder.remove(path)
    return try outcome.get()
}

enum TemporaryFolder {
    private static let prefix = "ipc-test-\(getpid())-"
    private static let made = Atomic(0)

    static func make() throws -> String {
        let path = "/tmp/\(prefix)\(made.add(1, ordering: .relaxed).newValue)"
        guard mkdir(path, 0o700) == 0 else { throw SystemError("mkdir", on: path, Errno(rawValue: errno)) }
        return path
    }

    /// The folders that tests of this process have made and not removed.
    static func existing() -> [String] { Folder.names(in: "/tmp").filter { $0.hasPrefix(prefix) } }

    /// Sockets, FIFOs and pid files, wherever below the folder.
    static func promisedToBeGone(in path: String) -> [String] {
        Folder.names(in: path).sorted().flatMap { name -> [String] in
            let entry = "\(path)/\(name)"
            switch kind(of: entry) {
            case S_IFDIR: return promisedToBeGone(in: entry)
            case S_IFSOCK: return ["socket \(entry)"]
            case S_IFIFO: return ["FIFO \(entry)"]
            default: return name.hasSuffix(".pid") ? ["pid file \(entry)"] : []
            }
        }
    }

    static func remove(_ path: String) {
        for name in Folder.names(in: path) {
            let entry = "\(path)/\(name)"
            if kind(of: entry) == S_IFDIR { remove(entry) } else { unlink(entry) }
        }
        rmdir(path)
    }

    private static func kind(of path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
    }
}
