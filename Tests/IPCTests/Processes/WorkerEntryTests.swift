// What a worker finds when it begins, which processes become one, and that none runs on as the program.
import CIPC
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct WorkerEntryTests {
    @Test("S-34: a worker finds 0 to 3 open, the few variables that it needs, and its own group")
    func lookAround() async throws {
        setenv("IPC_TEST_SECRET", "secret", 1)
        defer { unsetenv("IPC_TEST_SECRET") }
        let found = try await LookAround.perform(true, timeout: .seconds(20))
        #expect(found.descriptors == ["0", "1", "2", "3"])
        #expect(found.closesOnExec)
        let names = found.environment.map { $0.prefix { $0 != "=" } }
        #expect(
            names.allSatisfy { ["PATH", "HOME", "USER", "LANG", "TZ"].contains($0) || $0.hasPrefix("LC_") }, "\(names)")
        #expect(!found.childsEnvironment.contains("IPC_WORKER"))
        #expect(found.arguments == Array(CommandLine.arguments.prefix(1)))
        #expect(found.leadsGroup)
        #expect(found.parent == getpid())
        #expect(found.user == getuid())
        #expect(found.ignoredSignals.allSatisfy { $0 == "0" || $0 == " " })
    }

    @Test("S-34: environment and directory are those that were asked for")
    func configured() async throws {
        let found = try await LookAround.perform(true) {
            $0.environment(.empty.setting("ONE", to: "1").setting("PATH", to: "/usr/bin:/bin")).directory("/usr")
        }
        #expect(Set(found.environment) == ["ONE=1", "PATH=/usr/bin:/bin"])
        #expect(found.directory == "/usr")
    }

    @Test("S-36: a worker has the credentials that were asked for", .enabled(if: getuid() == 0 && nobodyCanRunUs))
    func credentials() async throws {
        let found = try await LookAround.perform(true) {
            $0.running(as: Credentials(userID: 65534, groupID: 65534, groups: [65533]))
        }
        #expect(found.user == 65534)
        #expect(found.groups == [65533])
    }

    @Test("P-12: a worker's standard streams are those that were asked for, both ways")
    func streams() async throws {
        let worker = try await Copy.start("> ") { $0.input(.pipe).output(.pipe) }
        let input = try #require(worker.child.standardInput)
        let output = try #require(worker.child.standardOutput)
        for text in ["one", "two"] {
            try await input.write("\(text)\n")
            #expect(try await output.readLine(timeout: .seconds(20)) == "> \(text)")
        }
        try input.close()
        #expect(try await worker.reply() == 2)
        #expect(try await Copy.perform("") { $0.input("a\nb\nc\n").output(.discard) } == 3)
    }

    @Test("P-12: a pipe that nobody would serve is refused before the start")
    func unservedPipe() async throws {
        let error = try await #require(throws: StartError.self) { try await Copy.perform("") { $0.output(.pipe) } }
        #expect(error.kind == .invalidArgument)
    }

    @Test("S-37: what a worker prints is written once, though it never returns from main")
    func flushed() async throws {
        let worker = try await Print.start("printed by the worker") { $0.output(.pipe) }
        async let text = worker.child.standardOutput?.readAll(limit: 1000)
        #expect(try await worker.reply())
        #expect(String(decoding: try await text ?? [], as: UTF8.self) == "printed by the worker\n")
    }

    @Test("S-37: what the parent has not yet written appears once, and the parent's code runs once")
    func parentsBuffer() async throws {
        let (status, output) = try await InnerRun.of("parentWithFullBuffer")
        #expect(status == 0, "\(output)")
        #expect(output.components(of: "in the parent's buffer") == 1, "\(output)")
        #expect(output.components(of: "printed by the worker") == 1, "\(output)")
        #expect(output.components(of: "Test run started") == 1, "\(output)")
    }

    @Test(.inner) func parentWithFullBuffer() async throws {
        puts("in the parent's buffer")
        #expect(try await Print.perform("printed by the worker"))
        _ = try? await Misbehave.perform(.exit(0))
    }

    @Test("S-37: a program whose main begins with the entry runs its own code once, and each worker its job alone")
    func program() async throws {
        let program = Command(TestChild.beside("TestWorkers"))
        // What the parent prints stays in its buffer until it ends.
        #expect(try await program.read(timeout: .seconds(30)) == "worker\nmain\nreply 42")
    }

    @Test("S-37: a program without the entry starts no copy of itself that would run on as the program")
    func programWithoutEntry() async throws {
        let program = Command(TestChild.beside("TestWorkers"))
            .environment(.inherited.setting("IPC_TEST_NO_ENTRY", to: "1"))
        let expected = "worker Double: not started: the program does not begin with Workers.runIfRequested()"
        #expect(try await program.read(timeout: .seconds(30)) == "main\n\(expected)")
    }

    /// The runner as a program that begins with the entry: it lists its tests, unless it becomes a worker.
    private func runner(_ variable: String, _ descriptor: Int32?) throws -> Command {
        let command = Command(
            try #require(Folder.target(of: "/proc/self/exe")), "--testing-library", "swift-testing", "--list-tests",
            "--filter", "WorkerEntryTests"
        ).environment(.inherited.setting("IPC_WORKER", to: variable)).unchecked()
        return descriptor.map { command.passing(inherited: $0, as: 3) } ?? command
    }

    @Test("S-34: the variable without the socket means nothing: the program runs as ever")
    func noSocket() async throws {
        let name = try #require(_mangledTypeName(Echo.self))
        let (reader, writer) = try pair { ipc_pipe(&$0, &$1) }
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        // An address of nothing but the family: the kernel chooses a name that no file has.
        var address = sockaddr(sa_family: sa_family_t(AF_UNIX), sa_data: sockaddr().sa_data)
        try #require(bind(listener, &address, socklen_t(MemoryLayout<sa_family_t>.size)) == 0)
        try #require(listen(listener, 1) == 0)
        let datagrams = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        let internet = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { for number in [reader, writer, listener, datagrams, internet] { close(number) } }
        for number in [nil, reader, listener, datagrams, internet] {
            let result = try await runner(name, number).capture(timeout: .seconds(30))
            #expect(result.status == .exited(0), "\(number ?? -1): \(result.error.text)")
            #expect(result.output.text.contains("WorkerEntryTests"))
        }
    }

    @Test(
        "S-34: with the socket, a name that is no worker's never runs on as the program",
        arguments: ["Si", "no such type", "", "$s", "\u{1}\u{2}\u{3}\u{4}\u{5}", "9IPCTests"])
    func notAWorker(_ name: String) async throws {
        let (ours, theirs) = try pair { ipc_stream_socket_pair(&$0, &$1) }
        defer { close(ours) }
        let result: CommandResult
        do {
            defer { close(theirs) }
            result = try await runner(name, theirs).capture(timeout: .seconds(30))
        }
        #expect(result.status == .exited(71))
        #expect(result.output.bytes.isEmpty && result.error.bytes.isEmpty)
        let answer = Folder.rest(of: ours) ?? ""
        #expect(answer.hasPrefix("IPCM"))
        #expect(answer.contains("is no worker of this program"))
    }

    @Test("S-34: a worker whose parent drops the socket at once, or sends garbage, ends")
    func garbage() async throws {
        let name = try #require(_mangledTypeName(Echo.self))
        for bytes in ["", "IPCM", String(repeating: "garbage", count: 100)] {
            let (ours, theirs) = try pair { ipc_stream_socket_pair(&$0, &$1) }
            let child = try await runner(name, theirs).output(.discard).start()
            close(theirs)
            _ = bytes.withCString { write(ours, $0, strlen($0)) }
            close(ours)
            let status = try await within(.seconds(5)) { try await child.wait() }
            #expect(status == .exited(71) || status == .signalled(.kill, coreDumped: false), "\(status)")
        }
    }

    private func pair(_ make: (inout Int32, inout Int32) -> Int32) throws -> (Int32, Int32) {
        var (one, other): (Int32, Int32) = (-1, -1)
        try #require(make(&one, &other) == 0)
        return (one, other)
    }
}

/// Copies lines from its input to its output, and says how many they were.
struct Copy: Worker {
    static func run(_ request: String) async throws -> Int {
        for try await line in ByteReader.standardInput.lines() {
            try await ByteWriter.standardOutput.write("\(request)\(line)\n")
        }
        return ByteReader.standardInput.linesRead
    }
}

/// Whether the files of the test runner and its libraries can be read by a user without rights.
let nobodyCanRunUs: Bool = {
    guard let program = Folder.target(of: "/proc/self/exe"), let maps = Folder.text(of: "/proc/self/maps") else {
        return false
    }
    let lines = maps.split(separator: "\n")
    var paths = Set(lines.compactMap { line in line.firstIndex(of: "/").map { String(line[$0...]) } })
    paths.remove(program)
    return paths.allSatisfy { path in
        var part = ""
        return path.split(separator: "/").allSatisfy { name in
            part += "/\(name)"
            var status = stat()
            return stat(part, &status) == 0 && status.st_mode & 0o005 == 0o005 || status.st_mode & S_IFMT != S_IFDIR
        }
    }
}()

extension String {
    /// How often a text occurs.
    func components(of text: String) -> Int { ranges(of: text).count }
}
