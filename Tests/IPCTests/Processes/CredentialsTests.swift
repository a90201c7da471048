// Whose rights a program has: all of them changed, with no way back, or nothing is started.
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct CredentialsTests {
    private static let isRoot = geteuid() == 0
    private static let ids = Command("grep", "-E", "^(Uid|Gid|Groups|NoNewPrivs):", "/proc/self/status")

    /// The lines of a status, each with its numbers.
    private func lines(_ command: Command) async throws -> [String] {
        try await command.read().split(separator: "\n").map { line in
            line.split { !$0.isNumber && !$0.isLetter }.joined(separator: " ")
        }
    }

    @Test(
        "W1, W2, H-18: real, effective and saved ids and the groups are those asked for", .enabled(if: isRoot),
        arguments: Place.allCases)
    func changed(_ place: Place) async throws {
        try await place.run {
            let plain = Self.ids.running(as: Credentials(userID: 65_534, groupID: 65_533))
            let first = try await lines(plain)
            #expect(
                first == [
                    "Uid 65534 65534 65534 65534", "Gid 65533 65533 65533 65533", "Groups", "NoNewPrivs 0",
                ])
            let more = Self.ids.running(as: Credentials(userID: 1, groupID: 2, groups: [9, 7]))
            let second = try await lines(more)
            #expect(second.prefix(3) == ["Uid 1 1 1 1", "Gid 2 2 2 2", "Groups 7 9"])
        }
        let many = Credentials(userID: 1, groupID: 2, groups: Array(1_000..<1_300))
        #expect(try await lines(Self.ids.running(as: many))[2].split(separator: " ").count == 301)
        let root = Self.ids.running(as: Credentials(userID: 0, groupID: 0)).withoutNewPrivileges()
        #expect(try await lines(root) == ["Uid 0 0 0 0", "Gid 0 0 0 0", "Groups", "NoNewPrivs 1"])
    }

    @Test("W1: there is no way back, by any call", .enabled(if: isRoot && ForeignProcess.exists("perl")))
    func noReturn() async throws {
        let attempts = """
            use POSIX;
            my @done;
            push @done, "setuid" if POSIX::setuid(0);
            push @done, "setgid" if POSIX::setgid(0);
            { local $!; $> = 0; push @done, "effective user" if $> == 0; }
            { $< = 0; push @done, "real user" if $< == 0; }
            { $) = "0 0"; push @done, "effective group" if (split " ", $))[0] == 0; }
            { ($<, $>) = (0, 0); push @done, "both" if $< == 0; }
            print "back: @done";
            """
        let command = Command("perl", "-e", attempts)
        #expect(try await command.read().contains("setuid"))
        #expect(try await command.running(as: Credentials(userID: 65_534, groupID: 65_534)).read() == "back: ")
    }

    @Test("W3: a setuid program gives no rights where that is forbidden", .enabled(if: isRoot))
    func noNewPrivileges() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("ids")
            try await Command("cp", TestChild.path, file).run()
            #expect(chmod(file.string, 0o4755) == 0 && chmod(folder.string, 0o755) == 0)
            let deaf = Command(file, "ignore", "TERM").running(as: Credentials(userID: 65_534, groupID: 65_534))
            var place = statvfs()
            #expect(statvfs(file.string, &place) == 0)
            let gained = place.f_flag & UInt(ST_NOSUID) == 0 ? "0" : "65534"
            for (command, effective) in [(deaf, gained), (deaf.withoutNewPrivileges(), "65534")] {
                let child = try await command.output(.pipe).start()
                #expect(try await child.standardOutput?.readLine() == "ready")
                let status = Folder.text(of: "/proc/\(child.processID)/status") ?? ""
                let line = status.split(separator: "\n").first { $0.hasPrefix("Uid:") } ?? ""
                #expect(line.split(separator: "\t").dropFirst(2).first ?? "" == effective)
                await child.end(grace: .zero)
            }
        }
    }

    @Test("S-36: users and groups by name and by number")
    func names() throws {
        let root = try Credentials(user: "root")
        #expect(root.userID == 0 && root.groupID == 0)
        #expect(try Credentials(user: "0") == root)
        let nobody = try Credentials(user: "nobody")
        #expect(nobody.userID == getpwnam("nobody").pointee.pw_uid)
        #expect(nobody.groupID == getpwnam("nobody").pointee.pw_gid && !nobody.groups.contains(nobody.groupID))
        let mixed = try Credentials(user: "nobody", group: "root")
        #expect(mixed.userID == nobody.userID && mixed.groupID == 0 && mixed.groups.isEmpty)
        let numbers = try Credentials(user: "54321", group: "12345")
        #expect(numbers == Credentials(userID: 54_321, groupID: 12_345))
    }

    @Test(
        "Who is not there is an error of its own kind",
        arguments: [
            ("no-such-user", nil), ("no-such-user", "root"), ("54321", nil), ("nobody", "no-such-group"), ("", nil),
            ("root\0", nil), ("4294967295", "0"), ("-1", "0"), ("root", "4294967295"), ("99999999999", "0"),
            ("root", ""),
        ] as [(String, String?)])
    func unknown(_ user: String, _ group: String?) throws {
        let error = try #require(throws: StartError.self) { try Credentials(user: user, group: group) }
        #expect(error.kind == .userNotFound && error.operation == "look up")
    }

    @Test("The directory is entered with the new rights", .enabled(if: isRoot))
    func directory() async throws {
        try await withTemporaryFolder { folder in
            let command = Command("true").directory(folder)
            try await command.run()
            let error = try await #require(throws: StartError.self) {
                try await command.running(as: Credentials(userID: 65_534, groupID: 65_534)).run()
            }
            #expect(error.errno == .permissionDenied)
        }
    }

    @Test(
        "Who may not give a program another user's rights is told so, and nothing runs",
        .enabled(if: isRoot && ForeignProcess.exists("setpriv")))
    func withoutRights() async throws {
        let script = """
            as="setpriv --reuid=65534 --regid=65534 --groups=7"
            $as test -x "$1" || { echo "not readable there, 1 test"; exit 0; }
            exec $as "$@"
            """
        let (status, output) = try await InnerRun.of("asAnOrdinaryUser", script: script)
        #expect(status == 0, "\(output)")
        #expect(output.contains("1 test"))
    }

    /// In a process of its own, without root's rights.
    @Test(.inner) func asAnOrdinaryUser() async throws {
        #expect(geteuid() == 65_534)
        for wanted in [
            Credentials(userID: 0, groupID: 0), Credentials(userID: 65_534, groupID: 0, groups: [7]),
            Credentials(userID: 1, groupID: 65_534, groups: [7]), Credentials(userID: 65_534, groupID: 65_534),
            Credentials(userID: 65_534, groupID: 65_534, groups: [7, 8]),
        ] {
            let error = try await #require(throws: StartError.self) {
                try await Command("true").running(as: wanted).run()
            }
            #expect(error.kind == .notPermitted && error.errno == .notPermitted, "\(wanted): \(error)")
            #expect(error.operation != "execute")
        }
        // What one is already takes no right.
        let own = Credentials(userID: 65_534, groupID: 65_534, groups: [7])
        #expect(try await lines(Self.ids.running(as: own))[0] == "Uid 65534 65534 65534 65534")
        let limit = try await #require(throws: StartError.self) {
            try await Command("true").limit(.openFiles, to: .max).run()
        }
        #expect(limit.kind == .notPermitted)
        let priority = try await #require(throws: StartError.self) { try await Command("true").priority(-20).run() }
        #expect(priority.kind == .notPermitted)
    }
}
