// What the tool says of itself, and of how it was called: on one screen, in one line.
import Glibc
import IPC
import Testing

@testable import IPCTests

@Suite("Help and errors of the tool", .guarded)
struct HelpTests {
    /// Every command with the words that lead to it, taken from the tool's own screens.
    private static func commands() async throws -> [[String]] {
        let overview = try await Tool.run()
        let names = overview.output.matches(of: #/(?m)^.{14}([a-z][a-z-]*) +[A-Z]/#).map { String($0.1) }
        var all = names.map { [$0] }
        for name in names {
            let screen = try await Tool.run("help", name).output
            guard let subcommands = screen.firstRange(of: "\nSUBCOMMANDS:\n") else { continue }
            all += screen[subcommands.upperBound...].matches(of: #/(?m)^  ([a-z]+) /#).map { [name, String($0.1)] }
        }
        return all
    }

    @Test("Each screen fits on one, 80 columns wide and 40 lines high, and has an example")
    func screensFit() async throws {
        let commands = try await Self.commands()
        #expect(commands.count > 40)
        for words in commands {
            let screen = try await Tool.start("env", ["COLUMNS=80", Tool.path, "help"] + words)
            let lines = screen.output.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(screen.status == 0 && lines.count <= 40 && lines.allSatisfy { $0.count <= 80 }, "\(words)")
            #expect(screen.output.contains("Example: "), "\(words)")
            let same = try await Tool.start("env", ["COLUMNS=80", Tool.path] + words + ["--help"])
            #expect(same.output == screen.output && same.error == "")
        }
    }

    @Test(
        "All commands are on one screen, however it is asked for",
        arguments: [[], ["help"], ["-h"], ["--help"], ["-h", "-h"], ["--help", "run"]])
    func overview(_ words: [String]) async throws {
        let screen = try await Tool.start(Tool.path, words)
        let lines = screen.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(screen.status == 0 && lines.count <= 40 && lines.allSatisfy { $0.count <= 80 })
        for name in ["tour", "guide", "new", "run", "kill", "fifo", "listen", "shm"] {
            #expect(screen.output.contains(" \(name) "))
        }
    }

    @Test("A screen that cannot be written is an error")
    func fullDisk() async throws {
        for words in ["", "help run", "--version"] {
            let run = try await Tool.script(#""$ipc" \#(words) >/dev/full"#)
            #expect(run.status == 71 && run.error.contains("ENOSPC"), "\(words)")
        }
        let left = try await Tool.script(#"("$ipc" help run; echo $? >&2) | true"#)
        #expect(["0\n", "141\n"].contains(left.error))
    }

    @Test(
        "What was wrong with the call is one line that says what to do",
        arguments: [
            ("run --timout 3 -- ls", "unknown option '--timout'. Did you mean '--timeout'? See ipc run --help"),
            ("runn", "there is no 'ipc runn'; did you mean 'ipc run'? See ipc --help"),
            ("sem tak", "there is no 'ipc sem tak'; did you mean 'ipc sem take'? See ipc sem --help"),
            ("rnu -- ls", "there is no 'ipc rnu'; did you mean 'ipc run'? See ipc --help"),
            ("ls", "there is no 'ipc ls'; see ipc --help"),
            ("help nosuch", "there is no 'ipc nosuch'; see ipc --help"),
            ("help sem tak", "there is no 'ipc sem tak'; did you mean 'ipc sem take'? See ipc sem --help"),
            ("lsten tcp:1 --echo", "there is no 'ipc lsten'; did you mean 'ipc listen'? See ipc --help"),
            ("sem tkae --key 1", "there is no 'ipc sem tkae'; did you mean 'ipc sem take'? See ipc sem --help"),
            ("-- run", "unexpected argument 'run'; see ipc --help"),
            ("frobnicate", "there is no 'ipc frobnicate'; see ipc --help"),
            ("lock", "missing expected argument '<file>': The file to lock. See ipc lock --help"),
            (
                "alive x",
                "the value 'x' is invalid for '<pid>': The number of the process. A number, such as 4711. See ipc alive --help"
            ),
            ("listen", "no endpoint; say for example: ipc listen tcp:2345 --echo; see ipc listen --help"),
        ]
    )
    func usageErrors(_ words: String, _ line: String) async throws {
        let run = try await Tool.start(Tool.path, words.split(separator: " ").map(String.init))
        #expect(run.error == "ipc: \(line)\n")
        #expect(run.isUsageError && run.output == "")
    }

    @Test("A program's own status 64 is no wrong usage")
    func ownStatus() async throws {
        let run = try await Tool.run("run", "--", "sh", "-c", "exit 64")
        #expect(run.status == 64 && run.error == "")
    }

    // MARK: Hints

    @Test("A folder that is missing is named, and a file that is missing is not")
    func missingFolder() async throws {
        try await withTemporaryFolder { folder in
            let inside = try await Tool.run("cat", "\(folder)/none/file")
            #expect(
                inside.error
                    == "ipc: open \(folder)/none/file: no such file or directory (ENOENT); there is no folder \(folder)/none\n"
            )
            let file = try await Tool.run("cat", "\(folder)/file")
            #expect(file.error == "ipc: open \(folder)/file: no such file or directory (ENOENT)\n")
        }
    }

    @Test("A port that is taken has its holder named, one of another address at the same port not")
    func busyPort() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        defer { listener.close() }
        let port = try #require(listener.addresses.first?.port)
        let run = try await Tool.run("listen", "tcp:127.0.0.1:\(port)", "--echo")
        #expect(run.status == 71)
        #expect(run.error.hasPrefix("ipc: listen on tcp:127.0.0.1:\(port): address already in use (EADDRINUSE); "))
        #expect(run.error.hasSuffix(", process \(ProcessID.current), has it\n"))
        let other = "tcp:127.0.0.2:\(port)"
        try await Command(Tool.path, "listen", "--json", other, "--echo").output(.pipe).withChild { server in
            _ = try await server.standardOutput?.readLine(timeout: .seconds(20))
            let second = try await Tool.run("listen", other, "--echo")
            #expect(second.error.hasSuffix("(EADDRINUSE); ipc, process \(server.processID), has it\n"))
        }
    }

    @Test("Where nobody listens, that is said")
    func nobodyListens() async throws {
        let listener = try await Listener(on: .tcp(port: 0))
        let port = try #require(listener.addresses.first?.port)
        listener.close()
        let run = try await Tool.run("connect", "tcp:\(port)")
        #expect(run.error.contains("(ECONNREFUSED)") && run.error.contains("; nobody listens there"))
    }

    @Test("A file that is not ours says whose it is, also behind a link", .enabled(if: canRunAsNobody))
    func missingPermission() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("secret")
            let link = folder.appending("link")
            try await Command.script("umask 077; echo x >'\(file)'; ln -s secret '\(link)'; chmod 755 '\(folder)'")
                .run()
            for path in [file, link] {
                let cat = try await Self.asNobody("cat", path.string)
                #expect(cat.error.hasSuffix("permission denied (EACCES); \(file) is root's, mode 600; we are nobody\n"))
            }
            let run = try await Self.asNobody("run", "--", file.string)
            #expect(run.error.hasSuffix("(EACCES); \(file) is root's, mode 600; we are nobody\n"))
        }
    }

    @Test(
        "A signal that may not be sent says whose the process is; of a priority no user is told",
        .enabled(if: canRunAsNobody))
    func missingRight() async throws {
        let kill = try await Self.asNobody("kill", "\(ProcessID.current)")
        #expect(kill.error.contains("operation not permitted (EPERM)"))
        #expect(kill.error.hasSuffix(" is root's; we are nobody\n"))
        let nice = try await Self.asNobody("run", "--nice", "-5", "--", "true")
        #expect(nice.status == 71 && nice.error.hasSuffix("permission denied (EACCES)\n"))
        let user = try await Self.asNobody("run", "--user", "root", "--", "true")
        #expect(user.error.hasSuffix("; only root may become another user\n"))
    }

    @Test("A port below 1024 says who may have it, by number or name", .enabled(if: canRunAsNobody && lowPortsAreRoots))
    func lowPort() async throws {
        for endpoint in ["tcp:1", "tcp:*:discard(9)"] {
            let listen = try await Self.asNobody("listen", endpoint, "--echo")
            #expect(listen.error.contains("; ports below 1024 are for root"), "\(listen.error)")
        }
    }

    private static let lowPortsAreRoots =
        Folder.text(of: "/proc/sys/net/ipv4/ip_unprivileged_port_start") == "1024\n"

    /// Whether nobody can be taken for a while, and may come near the tool.
    private static let canRunAsNobody = geteuid() == 0 && ForeignProcess.exists("setpriv") && isReachable(Tool.path)

    private static func isReachable(_ path: String) -> Bool {
        var (path, status) = (FilePath(path), stat())
        repeat {
            guard stat(path.string, &status) == 0, status.st_mode & 0o001 != 0 else { return false }
        } while path.removeLastComponent() && !path.isEmpty
        return true
    }

    private static func asNobody(_ words: String...) async throws -> ToolRun {
        try await Tool.start(
            "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", Tool.path] + words)
    }

    @Test("What is ours and can be executed by nobody is told how to become a program")
    func notExecutable() async throws {
        try await withTemporaryFolder { folder in
            try await Command.script("echo 'exit 0' >'\(folder)/script'").run()
            let run = try await Tool.run("run", "--", "\(folder)/script")
            #expect(run.status == 126 && run.error.hasSuffix("(EACCES); 'chmod +x' makes it a program\n"))
        }
    }
}
