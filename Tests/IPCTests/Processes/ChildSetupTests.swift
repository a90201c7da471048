// What a program finds when it begins: limits, mask, priority, session; and that nothing of it changes here.
import CIPC
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct ChildSetupTests {
    /// The limits of a program that has been started so, by name: in force, and highest.
    private func limits(_ change: (Command) -> Command) async throws -> [String: [UInt64]] {
        let table = Command("prlimit", "--raw", "--noheadings", "--output", "RESOURCE,SOFT,HARD")
        return try await change(table).read().split(separator: "\n").reduce(into: [:]) { limits, line in
            let fields = line.split(separator: " ")
            limits[fields[0].lowercased()] = fields.dropFirst().map { UInt64($0) ?? .max }
        }
    }

    @Test("P-27: every limit that the kernel has reaches the program", .enabled(if: ForeignProcess.exists("prlimit")))
    func allLimits() async throws {
        let ours = try await limits { $0 }
        #expect(Set(ours.keys) == Set(ResourceLimit.all.map(\.name)))
        // Such as the program can live with, and none above ours.
        var wanted: [String: [UInt64]] = [:]
        for (index, limit) in ResourceLimit.all.enumerated() {
            let hard = ours[limit.name]?.last ?? .max
            let candidate: UInt64 = ["as", "data", "rss", "fsize"].contains(limit.name) ? 1 << 33 : 4_000
            wanted[limit.name] = [min(hard, candidate) / 2 + UInt64(index) / 2, min(hard, candidate)]
        }
        wanted["stack"] = [4 << 20, 8 << 20]
        wanted["nice"] = [5, 6]
        wanted["rtprio"] = [7, 8]
        for limit in ResourceLimit.all where (ours[limit.name]?.last ?? .max) < wanted[limit.name]?[1] ?? 0 {
            wanted[limit.name] = ours[limit.name]
        }
        let seen = try await limits { command in
            ResourceLimit.all.reduce(command) { command, limit in
                command.limit(limit, to: wanted[limit.name]?[0] ?? 0, hard: wanted[limit.name]?[1])
            }
        }
        #expect(seen == wanted)
        #expect(try await limits { $0 } == ours, "P42: ours are as they were")
    }

    @Test func aLimitThatIsNotSaidToBeSoftCannotBeTakenBack() async throws {
        let numbers = Command.script("ulimit -S -n; ulimit -H -n")
        #expect(try await numbers.limit(.openFiles, to: 64).read() == "64\n64")
        #expect(try await numbers.limit(.openFiles, to: 64, hard: 128).read() == "64\n128")
        #expect(try await numbers.limit(.openFiles, to: 64).limit(.openFiles, to: 65).read() == "65\n65")
        let raising = Command.script("ulimit -S -n 128 && ulimit -S -n").limit(.openFiles, to: 64, hard: 128)
        #expect(try await raising.read() == "128")
        let core = try await Command.script("ulimit -c").limit(.coreFile, to: 0).read()
        #expect(core == "0")
        let status = try await withTemporaryFolder { folder in
            // No program of ours: a sanitizer in it would write files too.
            let flood = Command("head", "-c", 10_000, "/dev/zero").limit(.fileSize, to: 1_000).limit(.coreFile, to: 0)
            return try await flood.output(.file(folder.appending("file"))).unchecked().run().status
        }
        #expect(status == .signalled(.fileSizeLimit, coreDumped: false))
        #expect(ResourceLimit(name: "NOFILE") == .openFiles && ResourceLimit(name: "nonsense") == nil)
    }

    @Test("P42: mask, priority and the ban of privileges are the program's alone", arguments: Place.allCases)
    func others(_ place: Place) async throws {
        try await place.run {
            let here = { @Sendable () -> [String] in
                let status = Folder.text(of: "/proc/thread-self/status") ?? ""
                let lines = status.split(separator: "\n").filter { line in
                    ["Umask", "Uid", "Gid", "Groups", "NoNewPrivs"].contains { line.hasPrefix($0 + ":") }
                }
                return lines.map(String.init) + [
                    "\(getpriority(__priority_which_t(UInt32(PRIO_PROCESS.rawValue)), 0)) \(getsid(0))"
                ]
            }
            let before = here()
            let report = Command.script("umask; nice; grep NoNewPrivs /proc/self/status")
            let changed = report.modeMask(FilePermissions(rawValue: 0o27)).priority(15).withoutNewPrivileges()
            let seen = try await changed.read()
            #expect(seen == "0027\n15\nNoNewPrivs:\t1")
            let full = try await report.modeMask(FilePermissions(rawValue: 0o7_777)).read()
            #expect(full.hasPrefix("0777\n"))
            try await Command.testChild("exit", 0).inOwnSession().diesWithParent().run()
            #expect(here() == before)
        }
    }

    @Test("A session of its own: the program leads it, without a terminal, and is ended with its tree")
    func ownSession() async throws {
        let ids = try await Command.testChild("ids").inOwnSession().capture().numbers
        #expect(ids[0] == ids[2] && ids[0] == ids[3] && ids[1] == getpid())
        let shared = try await Command.testChild("ids").inCallersGroup().inOwnSession().capture().numbers
        #expect(shared[0] == shared[3])
        let tree = try await Command.script("sleep 1000 & echo $!; wait").inOwnSession().output(.pipe).start()
        let pid = try #require(Int32(try await tree.standardOutput?.readLine() ?? ""))
        await tree.end()
        #expect(ends(pid))
        let terminal = try await Command.script("exec 2>&1; : </dev/tty && echo has one").inOwnSession().unchecked()
            .capture()
        #expect(!terminal.status.isSuccess && !terminal.output.text.contains("has one"))
    }

    @Test("P26: the steps of ending come in their order, and SIGKILL is the last", arguments: Place.allCases)
    func steps(_ place: Place) async throws {
        let script = Command.script(
            #"for s in INT HUP TERM USR1; do trap "echo $s" $s; done; echo ready; while :; do sleep 0.01; done"#)
        let allowance = Duration.milliseconds(150) * Watchdog.patience
        try await place.run {
            let command = script.ended(
                by: .send(.interrupt, allowing: allowance), .send(.user1, allowing: allowance))
            let child = try await command.output(.pipe).start()
            let output = try #require(child.standardOutput)
            #expect(try await output.readLine() == "ready")
            #expect(await child.end(grace: .seconds(30)) == .signalled(.kill, coreDumped: false))
            #expect(try await output.readAll(limit: 100) == Array("INT\nUSR1\n".utf8))
            let other = try await script.output(.pipe).start()
            #expect(try await other.standardOutput?.readLine() == "ready")
            let status = await other.end(by: .send(.hangup, allowing: allowance), .send(.kill, allowing: .seconds(5)))
            #expect(status == .signalled(.kill, coreDumped: false))
            #expect(try await other.standardOutput?.readAll(limit: 100) == Array("HUP\n".utf8))
        }
        // Who complies is spared the rest; the limit of a run goes the same way.
        let sign = try Sign()
        let polite = Command.script(#"trap "echo bye; exit 0" INT; echo ready >&2; while :; do sleep 0.01; done"#)
            .error(sign.output).ended(by: .send(.interrupt, allowing: .seconds(30)), .send(.kill, allowing: .zero))
        let outcome = try await cancelling(
            { _ = try await polite.capture(grace: .zero) }, when: { try await sign.wait() })
        #expect(outcome is CancellationError)
        let error = try await #require(throws: TimeoutError.self) {
            try await polite.capture(timeout: .milliseconds(300) * Watchdog.patience)
        }
        #expect(error.output == Array("bye\n".utf8))
        let none = try await Command.testChild("sleep", 1_000).ended().start()
        #expect(await none.end(grace: .seconds(30)) == .signalled(.kill, coreDumped: false))
    }

    @Test("S-30: a program lives as long as its scope at most, with its tree", arguments: Place.allCases)
    func scope(_ place: Place) async throws {
        try await place.run {
            let command = Command.script("sleep 1000 & echo $!; wait").output(.pipe)
            let pid = try await within(.seconds(3)) {
                try await command.withChild { try await $0.standardOutput?.readLine() }
            }
            #expect(ends(try #require(Int32(pid ?? ""))))
            let kept = try await Command.testChild("grandchild", 1_000).output(.pipe).withChild { child in
                let line = try await child.standardOutput?.readLine()
                #expect(try await child.wait() == .exited(0))
                return line
            }
            #expect(ends(try #require(Int32(kept ?? ""))))
            let deaf = Command.testChild("ignore", "TERM").output(.pipe)
            _ = await within(.seconds(2)) {
                await #expect(throws: Failed.self) {
                    try await deaf.withChild(grace: .milliseconds(50)) { child in
                        _ = try await child.standardOutput?.readLine()
                        throw Failed()
                    }
                }
            }
            let status = try await Command.testChild("exit", 7).withChild { try await $0.wait() }
            #expect(status == .exited(7))
        }
    }
}
