// The list of processes: names that want to be mistaken for fields, processes that come and go, and what ps says.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct ProcessTableTests {
    @Test func thisProcessIsAsItKnowsItself() throws {
        let own = try ProcessRecord(of: .current)
        #expect(own.id == .current && own.parent == .parent && own.group == .current)
        // `nil` for 0, the kernel's word for a leader outside the process namespace, as in many a container.
        #expect(own.session == ProcessID(getsid(0)))
        #expect(own.userID == getuid() && own.effectiveUserID == geteuid())
        #expect(own.groupID == getgid() && own.effectiveGroupID == getegid())
        #expect(own.executable?.string == Folder.target(of: "/proc/self/exe"))
        #expect(own.argumentBytes == CommandLine.argumentBytes)
        #expect(own.threadCount >= 2)
        #expect(own.residentBytes > 1 << 20)
        #expect(own.userTime > .zero)
        var boot = timespec()
        clock_gettime(CLOCK_BOOTTIME, &boot)
        #expect(own.startTime > .zero && own.startTime < .seconds(boot.tv_sec + 1))
        #expect(own.startTime > .seconds(boot.tv_sec - 3_600 * Watchdog.patience))
        let id = ProcessID.current
        #expect(try id.parent == .parent)
        #expect(try id.group == .current)
        #expect(try id.session == ProcessID(getsid(0)))
        #expect(try ProcessTable.all().contains { $0.id == .current && $0.startTime == own.startTime })
    }

    @Test(
        "P-28: parentheses, spaces, line ends and bytes that are no text in a name shift no field",
        .enabled(if: ForeignProcess.exists("perl")),
        arguments: [
            "a) (b c", ") R 1 1 1 0", "(", ")", "))", " ", "line\nend) S 1", "Uid:\t7\t7", "\u{1}\u{7f}\\n",
            "fifteen-letters",
        ])
    func names(_ name: String) async throws {
        try await perlHas(name: Array(name.utf8))
    }

    @Test("P-28: a name that is not UTF-8", .enabled(if: ForeignProcess.exists("perl")))
    func notText() async throws {
        try await perlHas(name: [0xFF, 0x28, 0xC3, 0x29, 0x0A])
    }

    /// Perl gives itself the name by prctl, says so, and waits for the end of its input.
    private func perlHas(name: [UInt8]) async throws {
        let script = "$| = 1; syscall(\(Self.prctl), 15, my $n = shift) == 0 or die; print 1; <STDIN>"
        let child = try await Command("perl", arguments: ["-e", script, name, "", "last\n"])
            .input(.pipe).output(.pipe).start()
        #expect(try await child.standardOutput?.read(upTo: 1).count == 1)
        let record = try ProcessRecord(of: child.processID)
        #expect(record.nameBytes == name)
        #expect(record.name == String(decoding: name, as: UTF8.self))
        #expect(
            record.argumentBytes == ["perl", "-e", script].map { Array($0.utf8) } + [name, [], Array("last\n".utf8)])
        #expect(record.parent == .current && record.group?.rawValue == child.processID.rawValue)
        #expect(record.session == ProcessID(getsid(0)))
        #expect(record.userID == getuid() && record.threadCount == 1 && record.residentBytes > 4096)
        #expect(record.state == .sleeping || record.state == .running)
        let all = try ProcessTable.children(of: .current)
        #expect(all.contains { $0.id == child.processID && $0.nameBytes == name && $0.startTime == record.startTime })
        try child.standardInput?.close()
        #expect(try await child.wait() == .exited(0))
    }

    #if arch(x86_64)
    private static let prctl = 157
    #else
    private static let prctl = 167
    #endif

    @Test func aProgramsFileMayHaveAnyName() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("a) (b c\n")
            try await Command("cp", TestChild.path, path).run()
            let child = try await Command(path, "cat").input(.pipe).output(.pipe).start()
            // Only what has answered has its arguments for sure: a start returns in the middle of execve.
            try await child.standardInput?.write("x\n")
            #expect(try await child.standardOutput?.readLine() == "x")
            var record = try ProcessRecord(of: child.processID)
            #expect(record.name == "a) (b c\n")
            #expect(record.executable == path)
            #expect(record.arguments == [path.string, "cat"])
            #expect(unlink(path.string) == 0)
            record = try ProcessRecord(of: child.processID)
            #expect(record.executable?.string == path.string + " (deleted)")
            await child.end()
        }
    }

    @Test("P-28: the fields are those that ps shows", .enabled(if: ForeignProcess.exists("ps")))
    func processStatus() async throws {
        let child = try await Command.testChild("sleep", 1_000).start()
        let stopped = try await Command.testChild("sleep", 1_000).start()
        try stopped.send(.stop)
        while try ProcessRecord(of: stopped.processID).state != .stopped { await Task.yield() }
        for pid in [ProcessID.current, child.processID, stopped.processID, try #require(ProcessID(1))] {
            let columns = "ppid=,pgid=,sess=,ruid=,euid=,rgid=,egid=,nlwp=,state=,tty=,comm="
            let line = try await Command("ps", "-o", columns, "-p", "\(pid)").read()
            let words = line.split(separator: " ")
            let record = try ProcessRecord(of: pid)
            #expect(words[0] == "\(record.parent?.rawValue ?? 0)")
            #expect(words[1] == "\(record.group?.rawValue ?? (words[1] == "1" ? 1 : 0))")
            #expect(words[2] == "\(record.session?.rawValue ?? 0)")
            let identities = [record.userID, record.effectiveUserID, record.groupID, record.effectiveGroupID]
            #expect(words[3...6].map { UInt32($0) } == identities)
            if pid != .current { #expect(words[7] == "\(record.threadCount)") }
            let states: [Substring: ProcessRecord.State] = [
                "R": .running, "S": .sleeping, "D": .uninterruptible, "T": .stopped, "Z": .zombie, "I": .idle,
            ]
            if pid != .current { #expect(states[words[8]] == record.state) }
            #expect((words[9] == "?") == (record.terminal == nil))
            #expect(words[10...].joined(separator: " ") == record.name)
        }
        await child.end()
        await stopped.end()
    }

    @Test("A controlling terminal shows by its device", .enabled(if: ForeignProcess.exists("script")))
    func terminal() async throws {
        let command = "read stat </proc/self/stat; echo $stat; ls -lL $(tty)"
        let output = try await Command("script", "-qec", command, "/dev/null").read()
        let lines = output.split(whereSeparator: \.isNewline)
        let record = try #require(
            ProcessRecord(
                stat: Array(lines[0].utf8),
                status: Array("Tgid:\t\(lines[0].prefix { $0 != " " })\nUid:\t0\t0\nGid:\t0\t0".utf8),
                commandLine: [], executable: nil))
        let words = try #require(lines.last).split(separator: " ")
        #expect(record.terminal?.description == "\(words[4].dropLast()):\(words[5])")
    }

    @Test("P-09: a zombie is there with its name, and nothing else that went with it")
    func zombie() async throws {
        let child = try ForeignProcess(testChild: "exit", "0")
        var information = siginfo_t()
        #expect(waitid(P_PID, id_t(child.pid), &information, WEXITED | WNOWAIT) == 0)
        let id = try #require(ProcessID(child.pid))
        let record = try ProcessRecord(of: id)
        #expect(record.state == .zombie && record.isZombie)
        #expect(record.name == "TestChild" && record.parent == .current)
        #expect(record.argumentBytes == [] && record.executable == nil && record.residentBytes == 0)
        #expect(try ProcessTable.children(of: .current).contains { $0.id == id && $0.isZombie })
        try await child.wait()
        for look in [{ _ = try ProcessRecord(of: id) }, { _ = try id.parent }] as [() throws -> Void] {
            #expect(throws: SystemError("look at", on: "process \(id)", .noSuchProcess)) { try look() }
        }
        #expect(throws: SystemError.self) { _ = try id.group }
        #expect(throws: SystemError.self) { _ = try id.session }
        #expect(try ProcessTable.children(of: id).isEmpty)
    }

    @Test func theNumberOfAThreadIsNoProcess() async throws {
        let thread = try await OwnThread.other.run { ipc_thread_id() }
        let id = try #require(ProcessID(thread))
        #expect(throws: SystemError("look at", on: "process \(thread)", .noSuchProcess)) {
            _ = try ProcessRecord(of: id)
        }
        #expect(try !ProcessTable.all().contains { $0.id == id })
    }

    @Test("P-28: processes that come and go while they are listed break nothing")
    func comingAndGoing() async throws {
        let script = """
            i=0; while [ $i -lt 50 ]; do i=$((i+1)); (while :; do sleep 0.2; done) & done; echo ready; wait
            """
        let child = try await Command("sh", "-c", script).output(.pipe).start()
        #expect(try await child.standardOutput?.readLine() == "ready")
        let group = ProcessGroupID(child.processID.rawValue)
        var (seen, names): (Set<ProcessID>, Set<String>) = ([], [])
        while seen.count <= 200 {
            let all = try ProcessTable.all()
            check(Set(all.map(\.id)).count == all.count, "each once")
            check(all.contains { $0.id == .current }, "this process is there")
            let tree = all.filter { $0.group == group }
            check(tree.count > 50, "the shells are there: \(tree.count)")
            seen.formUnion(tree.map(\.id))
            names.formUnion(tree.map(\.name))
            for record in tree where record.name == "sleep" && !record.isZombie {
                check(record.arguments == ["sleep", "0.2"] || record.arguments == [], "\(record.arguments)")
            }
            try check(ProcessTable.children(of: child.processID).count == 50, "of the first shell")
        }
        #expect(names == ["sh", "sleep"])
        await child.end()
    }

    @Test(
        "P-28: where other users' processes are hidden they are left out, and their numbers refused",
        .enabled(if: ForeignProcess.exists("unshare") && ForeignProcess.exists("setpriv")))
    func hidden() async throws {
        for mode in ["invisible", "noaccess"] {
            let mount = "mount -t proc -o hidepid=\(mode) proc /proc || exit 99"
            let drop = "exec setpriv --reuid=65534 --regid=65534 --clear-groups"
            let script = #"export IPC_TEST_INNER=1; exec unshare -m sh -c '\#(mount); \#(drop) "$@"' sh "$@""#
            let (status, output) = try await InnerRun.of("inProcessThatSeesOnlyItsOwn", script: script)
            if status == 99 || status == 126 || output.contains("unshare: ") { continue }  // not allowed here
            #expect(status == 0, "\(output)")
        }
    }
}

struct ProcessTableInnerTests {
    @Test(.inner, .timeLimit(.minutes(1))) func inProcessThatSeesOnlyItsOwn() throws {
        #expect(getuid() != 0)
        let all = try ProcessTable.all()
        #expect(all.contains { $0.id == .current })
        #expect(all.allSatisfy { $0.userID == getuid() })
        let first = try #require(ProcessID(1))
        #expect(throws: SystemError("look at", on: "process 1", .permissionDenied)) {
            _ = try ProcessRecord(of: first)
        }
    }
}

extension CommandLine {
    /// What this process was started with, as bytes.
    fileprivate static var argumentBytes: [[UInt8]] {
        (0..<Int(argc)).map { index in
            guard let word = unsafeArgv[index] else { return [] }
            return Array(UnsafeBufferPointer(start: word, count: strlen(word))).map { UInt8(bitPattern: $0) }
        }
    }
}
