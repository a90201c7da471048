// ipc daemon: one program to a pid file, and no file that somebody else could have put there.
import CIPC
import FoundationEssentials
import Glibc
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct DaemonPIDFileTests {
    @Test("D4: who starts a second one is told who runs")
    func second() async throws {
        try await DaemonSite.with { site in
            #expect(try await site.start([], Tool.child, "sleep", "1000").status == 0)
            let number = try #require(site.number)
            let second = try await site.start([], Tool.child, "sleep", "1000")
            #expect(second.status == 71)
            #expect(second.error == "ipc: \(site.pidFile): already running as process \(number)\n")
            #expect(site.number == number && runs(number))
            #expect(stat(of: site.pidFile).st_mode & 0o777 == 0o600)
            #expect(try await site.tell("stop").status == 0)
        }
    }

    @Test(
        "D4: many starts at once on one file: one program runs, and the others are told which",
        .guarded(limit: .seconds(120)))
    func race() async throws {
        let count = Watchdog.patience > 1 ? 30 : 100
        try await DaemonSite.with { site in
            let script = #"""
                for n in $(seq "$2"); do
                    { "$ipc" daemon start --pid-file "$1" -- "$child" sleep 1000; echo "status $?"; } 2>&1 &
                done
                wait
                """#
            let run = try await Tool.script(script, site.pidFile.string, "\(count)")
            let lines = run.output.split(separator: "\n").map(String.init)
            let number = try #require(site.number)
            #expect(lines.filter { $0 == "status 0" }.count == 1)
            #expect(lines.filter { $0 == "status 71" }.count == count - 1)
            let told = "ipc: \(site.pidFile): already running as process \(number)"
            #expect(lines.filter { $0 == told }.count == count - 1, "\(Set(lines))")
            let stop = try await site.tell("stop")
            #expect(stop.status == 0 && stop.output == "stopped, process \(number)\n")
            #expect(!site.hasPIDFile && ends(number))
        }
    }

    @Test("D2: a link, a second name, a folder and a FIFO in the file's place are refused, and nothing is changed")
    func unsafe() async throws {
        try await DaemonSite.with { site in
            let target = site.folder.appending("target").string
            try await Command("echo", "precious").output(.file(FilePath(target))).run()
            let place = site.pidFile.string
            for (plant, reason) in [
                ({ symlink(target, place) }, "a symbolic link"), ({ link(target, place) }, "it has a second name"),
                ({ mkfifo(place, 0o600) }, "no regular file"),
                ({ symlink("/no/such/target", place) }, "a symbolic link"),
            ] as [(() -> Int32, String)] {
                #expect(plant() == 0)
                let start = try await within(.seconds(5)) { try await site.start([], "sleep", "1000") }
                #expect(start.status == 71)
                #expect(start.error == "ipc: \(place): not used as a pid file: \(reason)\n")
                for verb in ["status", "stop", "reload"] {
                    let run = try await within(.seconds(5)) { try await site.tell(verb) }
                    #expect(run.status == 71 && run.error.hasSuffix("not used as a pid file: \(reason)\n"))
                }
                #expect(unlink(place) == 0)
                #expect(Folder.text(of: target) == "precious\n")
            }
            #expect(mkdir(place, 0o700) == 0)
            #expect(try await site.start([], "sleep", "1000").status == 71)
            #expect(rmdir(place) == 0)
            let missing = try await Tool.run(
                "daemon", "start", "--pid-file", "\(site.folder)/no/app", "--", "sleep", "9")
            #expect(missing.status == 71 && missing.error.hasPrefix("ipc: open \(site.folder)/no/app: no such file"))
        }
    }

    @Test("D2: a file of another user is refused", .enabled(if: geteuid() == 0))
    func foreignOwner() async throws {
        try await DaemonSite.with { site in
            let place = site.pidFile.string
            try await Command("echo", "1").output(.file(site.pidFile)).run()
            #expect(chown(place, 65_534, 65_534) == 0)
            let start = try await site.start([], "sleep", "1000")
            #expect(start.status == 71)
            #expect(start.error == "ipc: \(place): not used as a pid file: it belongs to user 65534\n")
            #expect(Folder.text(of: place) == "1\n")
            unlink(place)
        }
    }

    @Test("D2: a number that was left behind, and is another process's by now, means nothing")
    func stale() async throws {
        try await DaemonSite.with { site in
            let stranger = try ForeignProcess(testChild: "sleep", "1000")
            for text in ["\(stranger.pid)", "", "rubbish", "-1", "99999999999999", "\(stranger.pid)\nmore"] {
                try await Command("echo", text).output(.file(site.pidFile)).run()
                for verb in ["status", "stop", "reload"] { #expect(try await site.tell(verb).status == 3, "\(text)") }
                let start = try await site.start([], Tool.child, "sleep", "1000")
                #expect(start.status == 0, "\(text): \(start.error)")
                let number = try #require(site.number)
                #expect(number != stranger.pid && runs(number))
                #expect(try await site.tell("stop").status == 0)
                #expect(!site.hasPIDFile)
            }
            #expect(runs(stranger.pid))
            try await stranger.end()
        }
    }

    @Test("D2: a file that somebody else holds locked without a number is neither taken nor believed")
    func lockedByAnother() async throws {
        try await DaemonSite.with { site in
            let number = open(site.pidFile.string, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            #expect(ipc_record_lock(number, Int32(IPC_LOCK_EXCLUSIVE.rawValue), 0, 1, 0) == 0)
            let start = try await site.start([], "sleep", "1000")
            #expect(start.status == 71)
            #expect(start.error == "ipc: \(site.pidFile): already running\n")
            #expect(try await site.tell("stop").status == 3)
            close(number)
            unlink(site.pidFile.string)
        }
    }

    /// What ipc daemon --json prints.
    private struct Report: Decodable {
        var state: String?
        var pid: Int32?
        var kind: String?
        var subject: String?
        var message: String?

        init(_ run: ToolRun) throws {
            #expect(run.output.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
            self = try JSONDecoder().decode(Report.self, from: Data(run.outputBytes))
        }
    }

    @Test func everySubcommandPrintsOneObjectInFailureToo() async throws {
        try await DaemonSite.with { site in
            let none = try await site.tell("status", "--json")
            #expect(try Report(none).state == "not running" && none.status == 3)
            for verb in ["stop", "reload"] {
                let run = try await site.tell(verb, "--json")
                #expect(try Report(run).kind == "notRunning" && run.status == 3)
            }
            let start = try Report(try await site.start(["--json"], Tool.child, "ignore", "HUP"))
            #expect(start.state == "started" && start.pid == site.number)
            let status = try Report(try await site.tell("status", "--json"))
            #expect(status.state == "running" && status.pid == start.pid)
            let second = try await site.start(["--json"], "sleep", "1000")
            #expect(try Report(second).kind == "alreadyRunning" && second.status == 71)
            #expect(try Report(second).pid == start.pid)
            #expect(try Report(try await site.tell("reload", "--json")).state == "reloading")
            let stop = try Report(try await site.tell("stop", "--json"))
            #expect(stop.state == "stopped" && stop.pid == start.pid)
            let failed = try await site.start(["--json", "--settle", "30"], "sh", "-c", "exit 9")
            #expect(try Report(failed).message == "sh: exited with status 9 as soon as it was started")
            #expect(failed.status == 9)
        }
    }
}
