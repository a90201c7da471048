// ipc daemon: a program away from the terminal, from its start to its end.
import Glibc
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct DaemonTests {
    /// Says what it was sent; ends on TERM.
    private static let talker =
        #"trap "echo reloaded" HUP; trap "echo bye; exit 0" TERM; echo started; while :; do sleep 0.01; done"#

    @Test("S-32, P-04: start, status, reload, stop; the program's words are in the log")
    func life() async throws {
        try await DaemonSite.with { site in
            let before = try await site.tell("status")
            #expect(before.status == 3 && before.output == "not running\n")
            let start = try await site.start([], "sh", "-c", Self.talker)
            #expect(start.status == 0 && start.output == "" && start.error == "")
            let number = try #require(site.number)
            let standBy = try #require(DaemonSite.parent(of: number))
            let status = try await site.tell("status")
            #expect(status.status == 0 && status.output == "running, process \(number)\n")
            let reload = try await site.tell("reload")
            #expect(reload.status == 0 && reload.output == "reloading, process \(number)\n")
            let stop = try await site.tell("stop")
            #expect(stop.status == 0 && stop.output == "stopped, process \(number)\n")
            #expect(ends(number, within: .zero) && ends(standBy))
            #expect(!site.hasPIDFile)
            #expect(site.said == "started\nreloaded\nbye\n")
            for verb in ["status", "stop", "reload"] { #expect(try await site.tell(verb).status == 3) }
            let mode = stat(of: site.log)
            #expect(mode.st_mode & 0o777 == 0o600)
        }
    }

    @Test("D5: session, group, directory, mask, signals and descriptors are as documented")
    func surroundings() async throws {
        try await DaemonSite.with { site in
            let script = #"""
                "$0" ids; "$0" fds; "$0" cwd; umask; "$0" status; readlink /proc/$$/fd/0
                (: </dev/tty) 2>/dev/null && echo has a terminal; echo complaint >&2
                """#
            let words = ["--pid-file", site.pidFile.string, "--log", site.log.string, "--settle", "30", "--"]
            let start = #"trap '' HUP USR1 PIPE; umask 002; exec "$ipc" daemon start "$@""#
            let run = try await Tool.script(start, words: words + ["sh", "-c", script, Tool.child])
            // The program has ended with 0 within the time that it was given to settle.
            #expect(run.status == 0, "\(run.error)")
            try await site.waitUntilOver()
            let lines = site.said.split(separator: "\n").map(String.init)
            try #require(lines.count == 9, "\(site.said)")
            let ids = lines[0].split(separator: " ").compactMap { Int32($0) }
            #expect(ids[3] != ids[0] && ids[3] != ids[1] && ids[3] != getsid(0), "a session without a leader")
            #expect(lines[1] == "0 1 2")
            #expect(lines[2] == "/")
            #expect(lines[3] == "0077")
            #expect(lines[4] == "SigBlk:\t0000000000000000" && lines[5] == "SigIgn:\t0000000000000000")
            #expect(lines[7] == "/dev/null")
            #expect(lines[8] == "complaint")
        }
    }

    @Test("D1: the tool is started without descriptors 0 to 2")
    func closedStreams() async throws {
        try await DaemonSite.with { site in
            let words = ["--pid-file", site.pidFile.string, "--log", site.log.string, "--settle", "30", "--"]
            let script = #""$0" fds; readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2"#
            let run = try await Tool.script(
                #"exec "$ipc" daemon start "$@" <&- >&- 2>&-"#, words: words + ["sh", "-c", script, Tool.child])
            #expect(run.status == 0)
            try await site.waitUntilOver()
            #expect(site.said == "0 1 2\n/dev/null\n\(site.log)\n\(site.log)\n")
        }
    }

    @Test("The options are the program's, and names are those that the caller means")
    func options() async throws {
        try await DaemonSite.with { site in
            let script =
                #"cd "$1" && mkdir sub && cp "$child" sub/app && exec "$ipc" daemon start --pid-file app.pid --settle 30"#
            let start = #" --log app.log --directory sub --env A=b --umask 027 --limit nofile=64 -- sh -c '"#
            let run = try await Tool.script(script + start + #"pwd; echo $A; umask; ulimit -n'"#, site.folder.string)
            #expect(run.status == 0, "\(run.error)")
            try await site.waitUntilOver()
            #expect(site.said == "\(site.folder)/sub\nb\n0027\n64\n")
            let relative =
                #"cd "$1" && exec "$ipc" daemon start --pid-file app.pid --log app.log --settle 30 -- ./sub/app cwd"#
            let second = try await Tool.script(relative, site.folder.string)
            #expect(second.status == 0, "\(second.error)")
            try await site.waitUntilOver()
            #expect(site.said.hasSuffix("64\n/\n"))
            // The process that stands by keeps no folder in use either.
            let third = try await Tool.script(
                #"cd "$1" && exec "$ipc" daemon start --pid-file app.pid -- ./sub/app sleep 1000"#, site.folder.string)
            #expect(third.status == 0, "\(third.error)")
            let number = try #require(site.number)
            for pid in [number, try #require(DaemonSite.parent(of: number))] {
                #expect(Folder.target(of: "/proc/\(pid)/cwd") == "/")
            }
            #expect(try await site.tell("stop").status == 0)
        }
    }

    @Test(
        "D3: a program that cannot be executed gives 127 or 126; one that fails at once its own status; nothing is left"
    )
    func failingStarts() async throws {
        try await DaemonSite.with { site in
            for (words, status, said) in [
                (["no-such-program"], 127, "ipc: execute no-such-program: no such file or directory (ENOENT)"),
                (["/etc/passwd"], 126, "ipc: execute /etc/passwd: not executable (EACCES)"),
                (["sh", "-c", "exit 9"], 9, "ipc: sh: exited with status 9 as soon as it was started"),
                (["sh", "-c", "kill -9 $$"], 137, "ipc: sh: ended by SIGKILL as soon as it was started"),
            ] as [([String], Int32, String)] {
                let files = ["--pid-file", site.pidFile.string, "--log", site.log.string, "--settle", "30", "--"]
                let run = try await Tool.start(Tool.path, ["daemon", "start"] + files + words)
                #expect(run.status == status && run.output == "")
                #expect(run.errorLines.count == 1 && run.error.hasPrefix(said), "\(run.error)")
                #expect(!site.hasPIDFile)
                #expect(try await site.tell("status").status == 3)
            }
            let log = try await Tool.start(
                Tool.path, ["daemon", "start", "--log", "\(site.folder)/no/log", "--", "sleep", "1000"])
            #expect(log.status == 71 && log.error.contains("no/log"))
            let directory = try await site.start(["--directory", "/no/such"], "sleep", "1000")
            #expect(directory.status == 71 && !site.hasPIDFile)
            let usage = try await Tool.run("daemon", "start", "--pid-file", site.pidFile.string)
            #expect(usage.status == 64)
        }
    }

    @Test("The program is killed: the process that stands by it tidies up. It is killed itself: so is the program")
    func killed() async throws {
        try await DaemonSite.with { site in
            #expect(try await site.start([], Tool.child, "sleep", "1000").status == 0)
            var number = try #require(site.number)
            var standBy = try #require(DaemonSite.parent(of: number))
            kill(number, SIGKILL)
            #expect(ends(standBy))
            #expect(!site.hasPIDFile)
            #expect(try await site.tell("status").status == 3)

            #expect(try await site.start([], Tool.child, "sleep", "1000").status == 0)
            number = try #require(site.number)
            standBy = try #require(DaemonSite.parent(of: number))
            kill(standBy, SIGKILL)
            #expect(ends(number))
            #expect(site.hasPIDFile, "nobody could remove it")
            #expect(try await site.tell("status").status == 3, "its lock is gone, and that counts")
            #expect(try await site.start([], Tool.child, "sleep", "1000").status == 0)
            #expect(try await site.tell("stop").status == 0)
            #expect(!site.hasPIDFile)
        }
    }

    @Test("P26: a program that is deaf to TERM is killed after its time")
    func deaf() async throws {
        try await DaemonSite.with { site in
            #expect(try await site.start([], Tool.child, "ignore", "TERM").status == 0)
            let number = try #require(site.number)
            let stop = try await site.tell("stop", "--kill-after", "0.2")
            #expect(stop.status == 0, "\(stop.error)")
            #expect(stop.duration < .seconds(3) * Watchdog.patience)
            #expect(ends(number) && !site.hasPIDFile)
        }
    }

    @Test("S-32: the program survives the terminal from which it was started", .enabled(if: Terminal.isThere))
    func hangUp() async throws {
        try await DaemonSite.with { site in
            let words = #"daemon start --pid-file \#(site.pidFile) --log \#(site.log) -- "$child" sleep 1000"#
            let run = try await Terminal.script([], #""$ipc" \#(words)"#)
            #expect(run.status == 0, "\(run.output)")
            let number = try #require(site.number)
            #expect(runs(number))
            #expect(DaemonSite.field(4, of: number) == 0, "no terminal")
            #expect(try await site.tell("stop").status == 0)
            #expect(ends(number))
        }
    }
}

extension Tool {
    /// Runs a script, as the other does, with an array of parameters.
    static func script(_ text: String, words: [String]) async throws -> ToolRun {
        try await start("env", ["ipc=\(path)", "child=\(child)", "sh", "-c", text, "sh"] + words)
    }
}

/// What is known of a file.
func stat(of path: FilePath) -> stat {
    var status = stat()
    _ = lstat(path.string, &status)
    return status
}
