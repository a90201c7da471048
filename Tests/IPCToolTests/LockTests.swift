// ipc lock: who else has the file, what becomes of the program, and the statuses.
import Glibc
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct LockTests {
    @Test("G-08: the program runs while the file is locked, and its status is the tool's")
    func status() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock").string
            let run = try await Tool.script(
                #""$ipc" lock "$1" -- sh -c 'flock -n "$1" true; echo $?; cat; exit 3' sh "$1"; echo $?"#, path,
                input: "text\n")
            #expect(run.output == "1\ntext\n3\n")
            #expect(run.error == "")
            #expect(try isFree(FilePath(path)))
            let killed = try await Tool.run("lock", path, "--", Tool.child, "kill-self", "15")
            #expect(killed.status == 143)
            #expect(try await Tool.run("lock", path, "--", "no-such-program-anywhere").status == 127)
            #expect(try await Tool.run("lock", path, "--", path).status == 126)
        }
    }

    @Test("G-08: 124 when the lock is not to be had in time, and who has it is said")
    func limit() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            let lock = try await FileLock.acquire(.exclusive, on: path)
            let late = try await Tool.run("lock", "--timeout", "0.05", path.string, "--", "echo", "ran")
            #expect(late.status == 124 && late.output == "")
            #expect(late.error == "ipc: lock \(path): held by process \(getpid()), not given back within 0.05 s\n")
            let tried = try await Tool.run("lock", "--try", path.string, "--", "echo", "ran")
            #expect(tried.status == 124 && tried.output == "")
            #expect(tried.error == "ipc: lock \(path): held by process \(getpid())\n")
            #expect(tried.duration < .seconds(1) * Watchdog.patience)
            let json = try await Tool.run("lock", "--try", "--json", path.string, "--", "echo", "ran")
            #expect(json.status == 124)
            for part in [
                #""kind":"timeout""#, #""errno":"ETIMEDOUT""#, #""operation":"lock""#, #""subject":"\#(path)""#,
                #""holder":\#(getpid())"#,
            ] { #expect(json.output.contains(part)) }
            lock.release()
            let run = try await Tool.run("lock", "--json", "--timeout", "10", path.string, "--", "echo", "ran")
            #expect(run.status == 0)
            #expect(run.output.contains(#""output":"ran\n""#))
        }
    }

    @Test func sharedLocksShareAndOneWaitsForAnExclusiveOne() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            let lock = try await FileLock.acquire(.shared, on: path)
            #expect(try await Tool.run("lock", "--shared", "--try", path.string, "--", "true").status == 0)
            #expect(try await Tool.run("lock", "--try", path.string, "--", "true").status == 124)
            lock.release()
            let script =
                #"for i in 1 2 3 4 5 6; do "$ipc" lock "$1" -- sh -c 'n=$(cat "$1"); echo $((n+1)) >"$1"' sh "$2" & done; wait; cat "$2""#
            let count = folder.appending("count").string
            #expect(try await Tool.script("echo 0 >\"$2\"; " + script, path.string, count).output == "6\n")
        }
    }

    @Test("P33: the program does not have the lock's descriptor, and a tool that is killed gives the lock back")
    func inheritance() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            // The loop itself looks, by name: a listing would open more.
            let script = #"for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo $n; done; :"#
            let run = try await Tool.run("lock", path.string, "--", "sh", "-c", script)
            #expect(run.output == "0\n1\n2\n")
            let killed = try await Tool.run(
                "lock", path.string, "--", "sh", "-c", "echo $$; kill -9 $PPID; exec sleep 1000 >/dev/null 2>&1")
            #expect(killed.status == 137)
            let pid = try #require(Int32(killed.output.dropLast()))
            #expect(runs(pid))
            #expect(try isFree(path))
            dispatch(pid)
        }
    }

    @Test("INT, TERM and HUP reach the program, and end a tool that waits", arguments: [SIGINT, SIGTERM, SIGHUP])
    func signals(_ signal: Int32) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock").string
            let name = [SIGINT: "INT", SIGTERM: "TERM", SIGHUP: "HUP"][signal] ?? ""
            let script = #"trap 'exit 9' \#(name); kill -\#(name) $PPID; while :; do sleep 0.01; done"#
            #expect(try await Tool.run("lock", path, "--", "sh", "-c", script).status == 9)
            let lock = try await FileLock.acquire(.exclusive, on: FilePath(path))
            let waiting = try ForeignProcess(Tool.path, ["lock", path, "--", "true"])
            // It waits when the kernel says so.
            while Folder.text(of: "/proc/locks")?.contains("-> FLOCK  ADVISORY  WRITE \(waiting.pid) ") != true {
                await Task.yield()
            }
            kill(waiting.pid, signal)
            #expect(try await waiting.wait() == 128 + signal)
            lock.release()
        }
    }

    @Test(
        "I-2: wrong usage gives 64",
        arguments: [
            ["lock"], ["lock", "file"], ["lock", "--", "true"], ["lock", "file", "--"],
            ["lock", "a", "b", "--", "true"],
            ["lock", "--try", "--timeout", "1", "file", "--", "true"],
            ["lock", "--timeout", "x", "file", "--", "true"],
        ])
    func usage(_ arguments: [String]) async throws {
        let run = try await Tool.start(Tool.path, arguments)
        #expect(run.status == 64)
        #expect(run.isUsageError && run.output == "")
    }

    @Test("I-2: 71 for what cannot be locked")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            let link = folder.appending("link").string
            #expect(symlink("/dev/null", link) == 0)
            for (path, text) in [
                (link, "\(link), a symbolic link: too many levels of symbolic links (ELOOP)"),
                ("/dev/null", "/dev/null, a device: invalid argument (EINVAL)"),
                ("\(folder)", "\(folder): is a directory (EISDIR)"),
                (
                    "\(folder)/none/lock",
                    "\(folder)/none/lock: no such file or directory (ENOENT); there is no folder \(folder)/none"
                ),
            ] {
                let run = try await Tool.run("lock", path, "--", "true")
                #expect(run.status == 71)
                #expect(run.error == "ipc: lock \(text)\n")
            }
        }
    }
}
