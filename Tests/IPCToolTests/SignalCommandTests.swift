// ipc signals, ipc kill and ipc alive, run as real processes.
import FoundationEssentials
import Glibc
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct SignalCommandTests {
    private struct Table: Decodable {
        struct Row: Decodable {
            let number: Int32
            let name: String
            let aliases: [String]
            let defaultAction: String
            let meaning: String
            let canBeCaught: Bool
        }

        let signals: [Row]
    }

    @Test("S-05: the table agrees with the shell's, line for line", .enabled(if: ForeignProcess.exists("bash")))
    func table() async throws {
        let run = try await Tool.run("signals")
        #expect(run.status == 0 && run.error == "")
        let lines = run.output.split(separator: "\n").map { $0.split(separator: " ") }
        let shell = try await Tool.start(
            "bash", ["-c", "for n in {1..31} {34..64}; do echo $n SIG$(kill -l $n); done"])
        #expect(
            lines.map { $0.prefix(2).joined(separator: " ") } == shell.output.split(separator: "\n").map(String.init))
        let object = try await Tool.run("signals", "--json")
        let table = try JSONDecoder().decode(Table.self, from: Data(object.outputBytes))
        #expect(table.signals.count == 62)
        #expect(table.signals.filter { !$0.canBeCaught }.map(\.name) == ["SIGKILL", "SIGSTOP"])
    }

    @Test("S-06: one signal, by whatever it is called", arguments: ["17", "CHLD", "SIGCHLD", "chld", "cld", "SIGCLD"])
    func one(_ name: String) async throws {
        let run = try await Tool.run("signals", name)
        #expect(run.status == 0)
        #expect(run.output == "17  SIGCHLD       nothing         Child exited (also SIGCLD)\n")
    }

    @Test("What is no signal is wrong usage", arguments: ["0", "32", "65", "-1", "NOPE", ""])
    func none(_ name: String) async throws {
        #expect(try await Tool.run("signals", "--", name).status == 64)
        #expect(try await Tool.run("kill", "-s", name, "1").status == 64)
    }

    @Test("A signal reaches each process named, and its group with --group")
    func killed() async throws {
        let one = try ForeignProcess(testChild: "sleep", "1000")
        let other = try ForeignProcess(testChild: "sleep", "1000")
        let run = try await Tool.run("kill", "\(one.pid)", "\(other.pid)", "--json")
        #expect(run.status == 0)
        #expect(run.output == #"{"failures":[],"sent":[\#(one.pid),\#(other.pid)],"signal":"SIGTERM"}"# + "\n")
        #expect(try await one.wait() == 128 + SIGTERM)
        #expect(try await other.wait() == 128 + SIGTERM)
        let leader = try ForeignProcess("setsid", ["sh", "-c", "sleep 1000 & wait"])
        while getpgid(leader.pid) != leader.pid { sched_yield() }
        #expect(try await Tool.run("kill", "-s", "usr1", "--group", "\(leader.pid)").status == 0)
        #expect(try await leader.wait() == 128 + SIGUSR1)
    }

    @Test("What cannot be signalled is said, and the others are signalled all the same")
    func partly() async throws {
        let gone = try ForeignProcess(testChild: "exit", "0")
        try await gone.wait()
        let child = try ForeignProcess(testChild: "sleep", "1000")
        let run = try await Tool.run("kill", "-s", "9", "\(gone.pid)", "\(child.pid)")
        #expect(run.status == 71)
        #expect(run.output == "")
        #expect(run.error == "ipc: send SIGKILL process \(gone.pid): no such process (ESRCH)\n")
        #expect(try await child.wait() == 128 + SIGKILL)
        let object = try await Tool.run("kill", "\(gone.pid)", "--json")
        #expect(object.status == 71)
        #expect(object.output.contains(#""errno":"ESRCH""#))
    }

    @Test(
        "S16: groups, everybody and nobody are not hit by accident",
        arguments: ["0", "-1", "-15", "", "x", "99999999999"])
    func refused(_ pid: String) async throws {
        #expect(try await Tool.run("kill", "--", pid).status == 64)
        #expect(try await Tool.run("kill", "--group", "--", pid).status == 64)
        #expect(try await Tool.run("alive", "--", pid).status == 64)
    }

    @Test func groupOneAndValuesForGroupsAreWrongUsage() async throws {
        #expect(try await Tool.run("kill", "--group", "1").status == 64)
        #expect(try await Tool.run("kill", "--group", "--value", "1", "5").status == 64)
        #expect(try await Tool.run("kill").status == 64)
    }

    @Test("S-17: a value reaches Python with its sender", .enabled(if: ForeignProcess.exists("python3")))
    func value() async throws {
        let script = #"""
            python3 -c '
            import signal, sys, ctypes
            s = signal.SIGRTMIN + 2
            signal.pthread_sigmask(signal.SIG_BLOCK, [s])
            print("ready", flush=True)
            buffer = (ctypes.c_int * 32)()
            mask = (ctypes.c_ulong * 16)(1 << (s - 1))
            for _ in range(3):
                ctypes.CDLL(None).sigwaitinfo(mask, buffer)
                print(buffer[0] - signal.SIGRTMIN, buffer[2], buffer[6], flush=True)
            ' >"$1" & receiver=$!
            : >>"$1"; until grep -q ready "$1"; do sleep 0.01; done
            for n in 5 -6 7; do "$ipc" kill -s RTMIN+2 --value=$n $receiver; done
            wait $receiver; cat "$1"
            """#
        try await withTemporaryFolder { folder in
            let run = try await Tool.script(script.replacing("            ", with: ""), folder.appending("out").string)
            #expect(run.error == "")
            #expect(run.output == "ready\n2 -1 5\n2 -1 -6\n2 -1 7\n")
        }
    }

    @Test("S-11: alive 0, gone 1, another's 2, a zombie 3")
    func alive() async throws {
        let child = try ForeignProcess(testChild: "sleep", "1000")
        let run = try await Tool.run("alive", "\(child.pid)")
        #expect(run.status == 0 && run.output == "\(child.pid) is running\n")
        kill(child.pid, SIGSTOP)
        var information = siginfo_t()
        #expect(waitid(P_PID, id_t(child.pid), &information, WSTOPPED) == 0)
        let stopped = try await Tool.run("alive", "\(child.pid)", "--json")
        #expect(stopped.status == 0 && stopped.output == #"{"pid":\#(child.pid),"state":"stopped"}"# + "\n")
        kill(child.pid, SIGKILL)
        #expect(waitid(P_PID, id_t(child.pid), &information, WEXITED | WNOWAIT) == 0)
        let zombie = try await Tool.run("alive", "\(child.pid)")
        #expect(zombie.status == 3 && zombie.output == "\(child.pid) has ended and was not waited for\n")
        try await child.wait()
        let gone = try await Tool.run("alive", "\(child.pid)", "--json")
        #expect(gone.status == 1 && gone.output == #"{"pid":\#(child.pid),"state":"gone"}"# + "\n")
    }

    @Test("S-11: a process of another user", .enabled(if: getuid() == 0))
    func notOurs() async throws {
        let words = ["--reuid=65534", "--regid=65534", "--clear-groups", Tool.path, "alive", "1"]
        let run = try await Tool.start("setpriv", words)
        #expect(run.status == 2 && run.output == "1 is another user's\n")
    }
}
