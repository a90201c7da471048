// Programs that outlive this one, programs that die with it, and what becomes of those whose handle nobody keeps.
import CIPC
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct DetachedChildTests {
    @Test(
        "S-31: a detached program is in a session without leader and terminal, with nothing of ours",
        arguments: Place.allCases)
    func launched(_ place: Place) async throws {
        let careless = open("/dev/null", O_RDONLY)
        defer { close(careless) }
        try await place.run {
            let child = try await Command.testChild("ids").output(.pipe).launch()
            let text = String(decoding: try await child.standardOutput?.readAll(limit: 100) ?? [], as: UTF8.self)
            let ids = text.split { !$0.isNumber }.compactMap { Int32($0) }
            #expect(ids[0] == child.processID.rawValue && ids[1] == getpid())
            #expect(ids[2] == ids[0], "its own group")
            #expect(ids[3] != ids[0] && ids[3] != getsid(0))
            #expect(try await child.wait() == .exited(0))
            let script = Command.script(#"exec 2>&1; "$0" fds; "$0" status; : </dev/tty && echo has a terminal"#)
            let other = try await script.output(.pipe).launch()
            let seen = String(decoding: try await other.standardOutput?.readAll(limit: 1_000) ?? [], as: UTF8.self)
            #expect(seen.hasPrefix("0 1 2\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"))
            #expect(!seen.contains("has a terminal"))
            #expect(try await other.wait() != .exited(0))
        }
        try await withTemporaryFolder { folder in
            let file = folder.appending("streams")
            let links = #"links=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2); echo "$links" > "$1""#
            let status = try await Command.script(links, file).launch().wait()
            #expect(status == .exited(0))
            #expect(Folder.text(of: file.string) == "/dev/null\n/dev/null\n/dev/null\n")
        }
    }

    @Test("H-07: a detached program that cannot be started is an error, and leaves nothing", arguments: Place.allCases)
    func failingLaunch(_ place: Place) async throws {
        try await place.run {
            for command in [Command("/no/such/program"), Command("true").directory("/no/such/directory")] {
                let error = try await #require(throws: StartError.self) { _ = try await command.launch() }
                #expect(error.errno == .noSuchFileOrDirectory)
            }
        }
    }

    @Test("A detached program is ended by its handle, with its tree, deaf or not")
    func ended() async throws {
        let child = try await Command.script(#"trap "" TERM; sleep 1000 & echo $!; wait"#).output(.pipe).launch()
        let pid = try #require(Int32(try await child.standardOutput?.readLine() ?? ""))
        #expect(await child.end(grace: .milliseconds(20)) == .signalled(.kill, coreDumped: false))
        #expect(ends(pid))
    }

    @Test(
        "S-31, H-06: a thousand detached programs without handles, 500 that end at once, and a foreign child",
        .guarded(limit: .seconds(120)))
    func many() async throws {
        let foreign = try ForeignProcess(testChild: "exit", "9")
        let running = try ForeignProcess(testChild: "sleep", "1000")
        let start = try AnonymousPipe()
        try await runOnLoop {
            let waiting = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<500 {
                    // Each ends when the pipe does, which all read.
                    let child = try await Command.script("read line <&5; exit $1", number % 256)
                        .passing(start.reader, as: 5).start()
                    group.addTask {
                        let status = try await child.wait()
                        return status == .exited(Int32(number % 256)) ? 1 : 0
                    }
                }
                for number in 0..<1_000 { _ = try await Command.testChild("exit", number % 3).launch() }
                try start.writer.close()
                return try await group.reduce(0, +)
            }
            #expect(waiting == 500)
        }
        start.reader.close()
        // All are reaped, those without handles too, and the two of another library stay whose they are.
        let end = ContinuousClock.now + .seconds(10) * Watchdog.patience
        while Leftovers.children().count > 2, .now < end { try await Task.sleep(for: .milliseconds(10)) }
        #expect(Leftovers.children().count == 2)
        #expect(try await foreign.wait() == 9)
        #expect(runs(running.pid))
        try await running.end()
    }

    @Test("S-30: who starts is killed: the detached program lives, the other is gone", .guarded(limit: .seconds(60)))
    func killedParent() async throws {
        let (status, output) = try await InnerRun.of("startsAndIsKilled")
        #expect(status == 128 + SIGKILL, "\(output)")
        let line = try #require(output.split(separator: "\n").first { $0.contains("started:") }, "\(output)")
        let pids = line.split(separator: " ").compactMap { Int32($0) }
        try #require(pids.count == 4)
        #expect(runs(pids[0]), "detached")
        #expect(runs(pids[1]), "neither detached nor bound")
        #expect(ends(pids[2]), "bound to its parent")
        #expect(ends(pids[3]), "bound to its parent, from a thread that has ended")
        for pid in pids.prefix(2) { dispatch(pid) }
    }

    /// In a process of its own, which ends itself in the hardest way.
    @Test(.inner) func startsAndIsKilled() async throws {
        let sleeper = Command.testChild("sleep", 1_000).output(.discard).error(.discard)
        let detached = try await sleeper.launch()
        let plain = try await sleeper.start()
        let bound = try await sleeper.diesWithParent().start()
        let thread = OwnThread(named: "test-starter")
        let other = try await thread.run { try EventLoop.run { try await sleeper.diesWithParent().start() } }
        thread.stop()
        let children = [detached, plain, bound, other]
        #expect(children.allSatisfy { $0.status == nil })
        let line = "\nstarted: " + children.map { "\($0.processID)" }.joined(separator: " ") + "\n"
        _ = line.withCString { write(1, $0, strlen($0)) }
        kill(getpid(), SIGKILL)
    }

    @Test("S-30: the thread that has started a bound program ends, and the program does not")
    func threadEnds() async throws {
        let thread = OwnThread(named: "test-starter")
        let (child, number) = try await thread.run {
            let child = try EventLoop.run {
                try await Command.script("read line; exit 4").input(.pipe).diesWithParent(by: .terminate).start()
            }
            return (child, ipc_thread_id())
        }
        thread.stop()
        let task = "/proc/self/task/\(number)"
        while access(task, F_OK) == 0 { await Task.yield() }
        try child.standardInput?.close()
        #expect(try await child.wait() == .exited(4))
    }
}
