// Processes started without the library, for tests of what lies below its own way to start them.
import Glibc
import IPC

/// The helper program with a verb for each way to behave; `Tests/TestChild/main.c` lists them.
enum TestChild {
    static let path = beside("TestChild")

    /// A program next to the one that runs the tests, wherever that was built.
    static func beside(_ name: String) -> String {
        let program = Folder.target(of: "/proc/self/exe") ?? ""
        var folder = program
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            for place in ["", "/debug", "/release"] where access("\(folder)\(place)/\(name)", X_OK) == 0 {
                return "\(folder)\(place)/\(name)"
            }
        }
        preconditionFailure("no \(name) beside \(program) or above it; `swift build --build-tests` makes it")
    }
}

/// A running program, which has nothing of ours open but the three descriptors that it was given.
///
/// To be ended by ``end()`` or ``wait()``: the guard finds who forgets.
struct ForeignProcess: Sendable {
    let pid: pid_t

    /// Starts a program, found by `PATH` if its name has no slash. What is not given is `/dev/null`.
    init(_ program: String, _ arguments: [String], input: Int32? = nil, output: Int32? = nil, error: Int32? = nil)
        throws
    {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in [input, output, error].enumerated() {
            if let source {
                posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
            } else {
                posix_spawn_file_actions_addopen(&actions, Int32(target), "/dev/null", O_RDWR, 0)
            }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let words = ([program] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        var pid = pid_t()
        let status = posix_spawnp(&pid, program, &actions, &attributes, words + [nil], environ)
        guard status == 0 else { throw SystemError("start", on: program, Errno(rawValue: status)) }
        self.pid = pid
    }

    /// Starts the helper program.
    init(testChild arguments: String..., input: Int32? = nil, output: Int32? = nil) throws {
        try self.init(TestChild.path, arguments, input: input, output: output, error: 2)
    }

    /// Waits for the end: the exit status, or 128 and the signal that ended it.
    @discardableResult
    func wait() async throws -> Int32 {
        try await OwnThread.other.run { [pid] in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 {
                guard errno == EINTR else { throw SystemError("wait", on: "\(pid)", Errno(rawValue: errno)) }
            }
            return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
        }
    }

    /// Kills it and waits for the end.
    func end() async throws {
        kill(pid, SIGKILL)
        try await wait()
    }

    /// Whether a program is there to be started.
    static func exists(_ program: String) -> Bool {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }
}
