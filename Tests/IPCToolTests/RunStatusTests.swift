// The statuses of ipc run, as documented.
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct RunStatusTests {
    @Test("I-2: the status is the program's own", arguments: [0, 1, 3, 63, 64, 71, 124, 126, 127, 200, 255])
    func own(_ status: Int) async throws {
        let run = try await Tool.child([], "exit", "\(status)")
        #expect(run.status == status)
        #expect(run.output == "" && run.error == "")
    }

    @Test("I-2: a signal n gives 128+n", arguments: [1, 2, 9, 10, 13, 15, 34, 64])
    func signal(_ number: Int32) async throws {
        #expect(try await Tool.child([], "kill-self", "\(number)").status == 128 + number)
    }

    @Test("I-2: the limit gives 124, also when SIGKILL was needed, and the time is as stated")
    func limit() async throws {
        let polite = try await Tool.child(["--timeout", "0.1"], "sleep", "1000")
        #expect(polite.status == 124)
        #expect(polite.duration < .seconds(1) * Watchdog.patience)
        #expect(polite.error == "ipc: run \(Tool.child) sleep 1000: not done within 100 ms\n")
        let stubborn = try await Tool.child(["--timeout", "0.3", "--kill-after", "0.1"], "ignore", "TERM")
        #expect(stubborn.status == 124)
        #expect(stubborn.duration >= .milliseconds(400))
        #expect(stubborn.duration < .seconds(2) * Watchdog.patience)
        let atOnce = try await Tool.child(["--timeout", "0.3", "--kill-after", "0"], "ignore", "TERM")
        #expect(atOnce.status == 124)
        #expect(try await Tool.child(["--timeout", "50"], "exit", "3").status == 3)
    }

    @Test("I-2: 127 if the program is not found, 126 if it cannot be executed, 71 for what is not the program's fault")
    func failingStarts() async throws {
        try await withTemporaryFolder { folder in
            let busy = try await Ground.prepare(folder)
            for (name, status) in [
                ("there-is-no-such-program", 127), ("plain/program", 127), ("plain", 126), ("bin", 126), ("empty", 126),
                ("foreign", 126), ("no-interpreter", 126), ("plain-interpreter", 126), ("busy", 126), ("loop", 126),
            ] {
                let run = try await Tool.run("run", "--", "\(folder)/\(name)")
                #expect(run.status == Int32(status), "\(name)")
                #expect(run.errorLines.count == 1)
                #expect(run.error.hasPrefix("ipc: execute \(folder)/\(name): "))
                #expect(run.output == "")
            }
            #expect(try await Tool.run("run", "--", "no-such-program-anywhere").status == 127)
            let directory = try await Tool.child(["--directory", "\(folder)/missing"], "exit", "0")
            #expect(directory.status == 71)
            #expect(directory.error == "ipc: enter directory \(folder)/missing: no such file or directory (ENOENT)\n")
            try busy.close()
        }
    }

    @Test(
        "I-2: wrong usage gives 64 and says what is wrong",
        arguments: [
            ["run"], ["run", "--"], ["run", "ls"], ["run", "--timeout", "soon", "--", "true"],
            ["run", "--timeout", "-1", "--", "true"],
            ["run", "--timeout", "nan", "--", "true"], ["run", "--kill-after", "1e300", "--", "true"],
            ["run", "--env", "NOEQUALS", "--", "true"], ["run", "--env", "=x", "--", "true"],
            ["run", "--output-limit", "5", "--", "true"], ["run", "--json", "--output-limit", "-5", "--", "true"],
            ["run", "--json", "--output-limit", "99999999999999999999", "--", "true"],
            ["run", "--no-such-option", "--", "true"],
            ["no-such-command"], ["--no-such-option"], ["tour", "unexpected"],
        ])
    func usage(_ arguments: [String]) async throws {
        let run = try await Tool.start(Tool.path, arguments)
        #expect(run.status == 64)
        #expect(run.isUsageError)
        #expect(run.output == "")
    }

    @Test func helpAndVersionGoToStandardOutput() async throws {
        for arguments in [["--help"], ["run", "--help"], ["tour", "--help"], ["--version"], ["help", "run"]] {
            let run = try await Tool.start(Tool.path, arguments)
            #expect(run.status == 0)
            #expect(!run.output.isEmpty && run.error.isEmpty)
        }
    }

    @Test("P24: a process that is left behind is not waited for and not left, also inside $(...)")
    func leftBehind() async throws {
        let script = "sleep 30 & echo $! >&2; echo hi; exit 3"
        let run = try await Tool.run("run", "--timeout", "5", "--", "sh", "-c", script)
        #expect(run.status == 3)
        #expect(run.output == "hi\n")
        #expect(run.duration < .seconds(1) * Watchdog.patience)
        #expect(ends(Int32(run.errorLines.first ?? "") ?? 0))
        // The shell reads until nobody holds the pipe any more.
        let inner = try await Tool.script(#"text=$("$ipc" run --timeout 5 -- sh -c "$1"); echo "$text $?""#, script)
        #expect(inner.output == "hi 3\n")
        #expect(inner.duration < .seconds(1) * Watchdog.patience)
        #expect(ends(Int32(inner.errorLines.first ?? "") ?? 0))
    }

    @Test func keepLeavesAloneWhatIsLeftBehind() async throws {
        let run = try await Tool.run("run", "--keep", "--", "sh", "-c", "sleep 1000 & echo $!")
        let pid = Int32(run.output.dropLast()) ?? 0
        #expect(run.status == 0)
        #expect(pid > 1 && runs(pid))
        dispatch(pid)
    }

    @Test(
        "P17: when the kernel makes no process, that is 71 and a kind of its own",
        .enabled(if: ForeignProcess.exists("strace")))
    func noProcess() async throws {
        let options = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=clone", "-e", "inject=clone:error=EAGAIN"]
        let words = Sanitizer.optionsOfTracer + [Tool.path, "run", "--json", "--", "true"]
        let run = try await Tool.start("strace", options + words)
        #expect(run.status == 71)
        #expect(run.output.contains(#""kind":"resourceLimit""#))
        #expect(run.output.contains(#""errno":"EAGAIN""#))
        #expect(run.errorLines == ["ipc: clone true: resource temporarily unavailable (EAGAIN)"])
    }

    @Test("P8: a file system mounted without the right to execute", .enabled(if: ForeignProcess.exists("unshare")))
    func mountedNoExec() async throws {
        try await withTemporaryFolder { folder in
            let script = """
                mount -t tmpfs -o noexec tmpfs "$1" || exit 99
                cp "$child" "$1/program" && exec "$ipc" run --json -- "$1/program" exit 0
                """
            let words = [
                "-m", "env", "ipc=\(Tool.path)", "child=\(Tool.child)", "sh", "-c", script, "sh", folder.string,
            ]
            let run = try await Tool.start("unshare", words)
            if run.status == 99 || run.error.hasPrefix("unshare: ") { return }  // not allowed here
            #expect(run.status == 126)
            #expect(run.output.contains(#""kind":"mountedNoExec""#))
        }
    }

    @Test(
        "P11: a folder of the PATH that may not be searched is passed over",
        .enabled(if: ForeignProcess.exists("setpriv")))
    func unreadableFolder() async throws {
        try await withTemporaryFolder { folder in
            let script = """
                mkdir "$1/closed" && cp "$child" "$1/closed/inside" && chmod 700 "$1/closed" && chmod 755 "$1" || exit 99
                as="setpriv --reuid=65534 --regid=65534 --clear-groups"
                $as test -x "$ipc" || exit 99
                $as "$ipc" run --env "PATH=$1/closed:/usr/bin:/bin" -- true; echo $?
                $as "$ipc" run --env "PATH=$1/closed:/usr/bin:/bin" -- inside; echo $?
                $as "$ipc" run -- "$1/closed/inside"; echo $?
                $as "$ipc" run --directory "$1/closed" -- true; echo $?
                """
            let run = try await Tool.script(script, folder.string)
            if run.status == 99 { return }  // not root, or the build lies where others may not look
            #expect(run.output == "0\n127\n126\n71\n")
            #expect(run.errorLines.last == "ipc: enter directory \(folder)/closed: permission denied (EACCES)")
        }
    }
}
