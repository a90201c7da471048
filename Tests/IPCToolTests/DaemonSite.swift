// A place for a daemon's files, and the tool's subcommands about it.
import CIPC
import Glibc
import IPC
import Testing

@testable import IPCTests

/// What is there for one daemon: a folder with a pid file and a log in it.
struct DaemonSite: Sendable {
    let folder: FilePath
    var pidFile: FilePath { folder.appending("app.pid") }
    var log: FilePath { folder.appending("app.log") }

    /// Runs a body with a site; what is left of the daemon afterwards is ended.
    static func with(_ body: (DaemonSite) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let site = DaemonSite(folder: folder)
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(site)) } catch { outcome = .failure(error) }
            if case .failure = outcome { _ = try? await site.tell("stop", "--kill-after", "0") }
            try outcome.get()
        }
    }

    /// `ipc daemon start` with the site's files.
    func start(_ options: [String] = [], _ program: String...) async throws -> ToolRun {
        let files = ["--pid-file", pidFile.string, "--log", log.string]
        return try await Tool.start(Tool.path, ["daemon", "start"] + files + options + ["--"] + program)
    }

    /// `ipc daemon VERB` with the site's pid file.
    func tell(_ verb: String, _ options: String...) async throws -> ToolRun {
        try await Tool.start(Tool.path, ["daemon", verb, "--pid-file", pidFile.string] + options)
    }

    /// Waits until nobody holds the pid file's lock, where there is a file still.
    func waitUntilOver() async throws {
        try await OwnThread.other.run {
            let number = open(pidFile.string, O_RDWR | O_CLOEXEC)
            guard number >= 0 else { return }
            _ = ipc_record_lock(number, Int32(IPC_LOCK_EXCLUSIVE.rawValue), 0, 1, 1)
            close(number)
        }
    }

    /// The program's number, from the pid file.
    var number: Int32? { (Folder.text(of: pidFile.string)).flatMap { Int32($0.dropLast()) } }

    /// What the program has said.
    var said: String { Folder.text(of: log.string) ?? "" }

    var hasPIDFile: Bool { access(pidFile.string, F_OK) == 0 }

    /// A field of a process's line in /proc, counted from the one after the name.
    static func field(_ index: Int, of pid: Int32) -> Int32? {
        let text = Folder.text(of: "/proc/\(pid)/stat") ?? ""
        return text.split(separator: ")").last.flatMap { rest in
            let fields = rest.split(separator: " ")
            return index < fields.count ? Int32(fields[index]) : nil
        }
    }

    /// The process that stands by the program: its parent.
    static func parent(of pid: Int32) -> Int32? { field(1, of: pid) }
}
