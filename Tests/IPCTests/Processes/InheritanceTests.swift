// What a program gets from this process: three descriptors, default signals, its place; and nothing else.
import CIPC
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct InheritanceTests {
    @Test("P33: the program has the descriptors 0, 1 and 2, whatever is open here and however")
    func descriptors() async throws {
        // As a careless library opens them: not close-on-exec, low and high.
        let careless = (0..<20).map { _ in open("/dev/null", O_RDONLY) }
        let high = fcntl(careless[0], F_DUPFD, 1_500)
        defer { for number in careless + [high] { close(number) } }
        #expect(try await Command.testChild("fds").read() == "0 1 2")
        let child = try await Command.testChild("fds").input(.pipe).output(.pipe).error(.pipe).start()
        #expect(try await child.standardOutput?.readLine() == "0 1 2")
        #expect(try await child.wait().isSuccess)
    }

    @Test("P33: also while sixteen tasks start programs and threads open descriptors all the time")
    func descriptorsInTurmoil() async throws {
        let isOver = Latch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                let thread = OwnThread(named: "test-opener")
                group.addTask {
                    try await thread.run {
                        while !isOver.isOpen {
                            let numbers = (0..<8).map { _ in open("/dev/null", O_RDONLY) }
                            for number in numbers { close(number) }
                        }
                    }
                    thread.stop()
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { starters in
                for _ in 0..<16 {
                    starters.addTask {
                        for _ in 0..<12 {
                            let seen = try await Command.testChild("fds").read()
                            #expect(seen == "0 1 2")
                        }
                    }
                }
                try await starters.waitForAll()
            }
            isOver.open()
            try await group.waitForAll()
        }
    }

    @Test("P33: descriptors above a limit that was lowered since are not passed on either")
    func loweredLimit() async throws {
        var limit = rlimit()
        let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
        getrlimit(resource, &limit)
        let usual = limit.rlim_cur
        let high = fcntl(1, F_DUPFD, Int32(usual) - 1)
        limit.rlim_cur = usual / 2
        setrlimit(resource, &limit)
        defer {
            limit.rlim_cur = usual
            setrlimit(resource, &limit)
            close(high)
        }
        #expect(high >= 0)
        #expect(try await Command.testChild("fds").read() == "0 1 2")
    }

    @Test("S11: nothing is blocked or ignored in the program, wherever it is started", arguments: Place.allCases)
    func signals(_ place: Place) async throws {
        let status = try await place.run { try await Command.testChild("status").read() }
        let masks = status.split(separator: "\n").prefix(2)
        #expect(masks == ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"])
    }

    @Test func theProgramLeadsAGroupOfItsOwnUnlessItSharesOurs() async throws {
        let own = try await Command.testChild("ids").capture().numbers
        #expect(own[1] == getpid())
        #expect(own[2] == own[0])
        #expect(own[3] == getsid(0))
        let shared = try await Command.testChild("ids").inCallersGroup().capture().numbers
        #expect(shared[1] == getpid())
        #expect(shared[2] == getpgrp())
    }

    @Test("I7: starting changes nothing here: mask, dispositions, directory, descriptors 0 to 2")
    func nothingChangesHere() async throws {
        @Sendable func state() -> [String] {
            let status = Folder.text(of: "/proc/thread-self/status") ?? ""
            let lines = status.split(separator: "\n").filter { $0.hasPrefix("Sig") || $0.hasPrefix("Umask") }
            let streams = (0...2).map { Folder.target(of: "/proc/self/fd/\($0)") ?? "closed" }
            let flags = (0...2).map { "\(fcntl(Int32($0), F_GETFL)) \(fcntl(Int32($0), F_GETFD))" }
            return lines.map(String.init).filter { !$0.hasPrefix("SigQ") } + streams + flags + [
                Folder.target(of: "/proc/self/cwd") ?? ""
            ]
        }
        let (before, after) = try await runOnLoop {
            let before = state()
            try await Command.testChild("exit", "0").directory("/").input(.inherit).run()
            _ = await failure { try await Command("/no/such/program").directory("/").run() }
            return (before, state())
        }
        #expect(before == after)
    }

    @Test("P41: a directory that was removed, and one that may not be read, are no obstacle")
    func directories() async throws {
        try await withTemporaryFolder { folder in
            let folders = [folder, "/", FilePath(Folder.target(of: "/proc/self/cwd") ?? "")]
            for place in folders {
                let seen = try await Command.testChild("cwd").directory(place).read()
                #expect(seen == place.string)
            }
            #expect(try await Command.testChild("cwd").read() == folders[2].string)
            mkdir(folder.appending("d").string, 0o111)
            let relative = Command.testChild("cwd").directory(folder.appending("d/../d"))
            #expect(try await relative.read() == "\(folder)/d")
            let script = #"mkdir "$1/e" && cd "$1/e" && rmdir "$1/e" && exec "$0" exit 5"#
            #expect(try await Command.script(script, folder).unchecked().run().status == .exited(5))
        }
    }
}
