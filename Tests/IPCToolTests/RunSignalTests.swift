// Signals to ipc run are the program's: it answers them, and its status is the tool's.
import CIPC
import Glibc
import Testing

@testable import IPCTests

@Suite(.guarded)
struct RunSignalTests {
    /// Starts the tool with a script, waits until the script says `ready`, sends the signals, and gives status and output.
    private func answer(
        _ signals: [Int32], _ script: String, _ options: [String] = [], starting program: [String] = [Tool.path]
    ) async throws -> (status: Int32, output: String) {
        var (reader, writer): (Int32, Int32) = (-1, -1)
        try #require(ipc_pipe(&reader, &writer) == 0)
        defer { close(reader) }
        let process: ForeignProcess
        do {
            defer { close(writer) }
            let words = program.dropFirst() + ["run"] + options + ["--", "sh", "-c", script]
            process = try ForeignProcess(program[0], Array(words), output: writer)
        }
        let text = try await OwnThread.shared.run { [reader] in
            var text = ""
            var bytes = [UInt8](repeating: 0, count: 4096)
            var isSent = false
            while case let count = read(reader, &bytes, bytes.count), count > 0 {
                text += String(decoding: bytes[..<count], as: UTF8.self)
                guard !isSent, text.contains("ready") else { continue }
                isSent = true
                for signal in signals { kill(process.pid, signal) }
            }
            return text
        }
        return (try await process.wait(), text)
    }

    @Test(
        "INT, TERM and HUP reach the program, which answers",
        arguments: [(SIGINT, "INT"), (SIGTERM, "TERM"), (SIGHUP, "HUP")])
    func answered(_ signal: Int32, _ name: String) async throws {
        let script = "trap 'echo got \(name); exit 9' \(name); echo ready; while :; do sleep 0.01; done"
        let (status, output) = try await answer([signal], script)
        #expect(status == 9)
        #expect(output == "ready\ngot \(name)\n")
    }

    @Test(
        "A program that does not answer dies of the signal, and the status says so",
        arguments: [SIGINT, SIGTERM, SIGHUP])
    func fatal(_ signal: Int32) async throws {
        let (status, _) = try await answer([signal], "echo ready; exec sleep 1000")
        #expect(status == 128 + signal)
    }

    @Test("The signal reaches the whole tree")
    func tree() async throws {
        let script =
            "trap 'wait; exit 4' TERM; (trap 'echo child; exit' TERM; echo ready; while :; do sleep 0.01; done) & wait"
        let (status, output) = try await answer([SIGTERM], script)
        #expect(status == 4)
        #expect(output == "ready\nchild\n")
    }

    @Test("A signal that comes before the program has been started ends no tool that has a program")
    func early() async throws {
        let seconds = "1000.00\(getpid())"  // like no other's
        for delay in 0..<40 {
            let process = try ForeignProcess(Tool.path, ["run", "--", "sh", "-c", "exec sleep \(seconds)"])
            try await Task.sleep(for: .microseconds(delay * 500))
            kill(process.pid, SIGTERM)
            #expect(try await process.wait() == 128 + SIGTERM)
        }
        let left = Folder.names(in: "/proc").compactMap { Int32($0) }.filter { pid in
            Folder.text(of: "/proc/\(pid)/cmdline")?.contains(seconds) == true
        }
        #expect(left.filter { !ends($0, within: .milliseconds(500)) } == [])
        for pid in left { kill(pid, SIGKILL) }
    }

    @Test("SIGKILL cannot be passed on: the program runs on")
    func killed() async throws {
        let (status, output) = try await answer([SIGKILL], "echo ready $$; exec sleep 1000 >/dev/null 2>&1")
        #expect(status == 128 + SIGKILL)
        let pid = try #require(Int32(output.split(separator: " ").last?.dropLast() ?? ""))
        #expect(runs(pid))
        dispatch(pid)
    }

    @Test("Signals during the grace do not change how a limit ends")
    func duringTheGrace() async throws {
        let script = "trap '' TERM INT; echo ready; while :; do sleep 0.01; done"
        let (status, _) = try await answer([SIGTERM, SIGINT], script, ["--timeout", "0.5", "--kill-after", "0.2"])
        #expect(status == 124)
    }

    @Test("Started with every signal blocked, it passes them on all the same, and its program has none blocked")
    func blocked() async throws {
        let blocking = "my $s = POSIX::SigSet->new; $s->fillset; sigprocmask(SIG_BLOCK, $s); exec @ARGV"
        let script = "trap 'grep SigBlk /proc/self/status; exit 9' TERM; echo ready; while :; do sleep 0.01; done"
        let (status, output) = try await answer(
            [SIGTERM], script, starting: ["perl", "-MPOSIX", "-e", blocking, Tool.path])
        #expect(status == 9)
        #expect(output == "ready\nSigBlk:\t0000000000000000\n")
    }
}
