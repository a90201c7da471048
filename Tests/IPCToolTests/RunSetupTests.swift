// What ipc run gives its program beside its words: rights, limits, mask; and whether it dies with the tool.
import CIPC
import Glibc
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct RunSetupTests {
    private static let isRoot = geteuid() == 0

    private func run(_ options: [String], _ script: String) async throws -> ToolRun {
        try await Tool.start(Tool.path, ["run"] + options + ["--", "sh", "-c", script])
    }

    @Test(
        "H-18: --user and --group change all ids, and there is no way back",
        .enabled(if: isRoot && ForeignProcess.exists("setpriv")))
    func credentials() async throws {
        let script = #"""
            grep -E "^(Uid|Gid|Groups):" /proc/self/status | tr -s '\t ' ' '
            setpriv --reuid=0 true || echo no user; setpriv --regid=0 --clear-groups true || echo no group
            """#
        let run = try await run(["--user", "65534", "--group", "65534"], script)
        #expect(
            run.output.split(separator: "\n").map { $0.trimming(" ") } == [
                "Uid: 65534 65534 65534 65534", "Gid: 65534 65534 65534 65534", "Groups:", "no user", "no group",
            ])
        #expect(try await self.run(["--user", "nobody"], "id -un").output == "nobody\n")
        #expect(try await self.run(["--user", "nobody", "--group", "root"], "id -G").output == "0\n")
    }

    @Test(
        "A user or a group that is not there is 71",
        arguments: ["--user no-such-user", "--user 54321", "--user root --group no-such-group"])
    func unknown(_ options: String) async throws {
        let run = try await run(options.split(separator: " ").map(String.init), "echo runs")
        #expect(run.status == 71)
        #expect(run.output == "" && run.error.hasPrefix("ipc: look up "))
    }

    @Test(
        "Options that mean nothing are 64",
        arguments: [
            "--group root", "--limit nofile", "--limit nonsense=5", "--limit nofile=5:4", "--limit nofile=-1",
            "--limit nofile=1:2:3", "--limit nofile=unlimited:5", "--limit nofile=", "--umask 888", "--umask 1000",
            "--nice 20", "--nice -21",
        ])
    func wrong(_ options: String) async throws {
        let run = try await run(options.split(separator: " ").map(String.init), "echo runs")
        #expect(run.status == 64)
        #expect(run.output == "" && run.isUsageError)
    }

    @Test("Limits, mask and priority are the program's, and what is too much is 71")
    func limits() async throws {
        let numbers = "ulimit -S -n; ulimit -H -n; ulimit -c; umask; nice; grep -c 'NoNewPrivs:.1' /proc/self/status"
        let run = try await run(
            ["--limit", "nofile=64:128", "--limit", "core=0", "--umask", "027", "--nice", "17", "--no-new-privs"],
            numbers)
        #expect(run.output == "64\n128\n0\n0027\n17\n1\n")
        #expect(try await self.run(["--limit", "CORE=unlimited"], "ulimit -c").status != 64)
        let killed = try await self.run(["--limit", "cpu=1"], "while :; do :; done")
        #expect(killed.status == 128 + SIGKILL || killed.status == 128 + SIGXCPU)
    }

    @Test(
        "Who may not change to another user is told so: 71, and nothing runs",
        .enabled(if: isRoot && ForeignProcess.exists("setpriv")))
    func withoutRights() async throws {
        let script = """
            as="setpriv --reuid=65534 --regid=65534 --clear-groups"
            $as test -x "$ipc" || exit 99
            $as "$ipc" run --user root -- echo runs; echo $?
            $as "$ipc" run --user 65534 --group 65534 -- echo runs; echo $?
            $as "$ipc" run --limit nofile=unlimited -- echo runs; echo $?
            $as "$ipc" run --nice -20 -- echo runs; echo $?
            """
        let run = try await Tool.script(script)
        if run.status == 99 { return }  // the build lies where others may not look
        #expect(run.output == "71\nruns\n0\n71\n71\n")
        #expect(
            run.errorLines.first?.hasPrefix("ipc: change to another user for echo: operation not permitted (EPERM)")
                == true)
        #expect(run.errorLines.count == 3)
    }

    /// Starts the tool with a script that says its number and sleeps; kills the tool; the number.
    private func numberAfterKill(_ options: [String]) async throws -> Int32 {
        var (reader, writer): (Int32, Int32) = (-1, -1)
        try #require(ipc_pipe(&reader, &writer) == 0)
        defer { close(reader) }
        let process: ForeignProcess
        do {
            defer { close(writer) }
            let words = ["run"] + options + ["--", "sh", "-c", "echo $$; exec sleep 1000 >&-"]
            process = try ForeignProcess(Tool.path, words, output: writer)
        }
        let text = try await OwnThread.other.run { [reader] in
            var bytes = [UInt8](repeating: 0, count: 100)
            let count = read(reader, &bytes, bytes.count)
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
        try await process.end()
        return try #require(Int32(text.dropLast()))
    }

    @Test("S-30: the tool is killed with SIGKILL: with --die-with-parent the program is gone, without it it lives")
    func killedParent() async throws {
        let bound = try await numberAfterKill(["--die-with-parent"])
        #expect(ends(bound, within: .seconds(1)))
        if Self.isRoot {
            let other = try await numberAfterKill(["--die-with-parent", "--user", "65534", "--group", "65534"])
            #expect(ends(other, within: .seconds(1)), "also as another user")
        }
        let free = try await numberAfterKill([])
        #expect(runs(free))
        dispatch(free)
    }
}

extension Substring {
    fileprivate func trimming(_ character: Character) -> String {
        var text = String(self)
        while text.last == character { text.removeLast() }
        return text
    }
}
