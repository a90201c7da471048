// How a program ended, exactly: every status, every signal, with and without a core dump.
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct ExitStatusTests {
    /// Without the runtime's handlers for crashes, which would take their time and say much.
    private static let quiet = Environment.inherited.setting("SWIFT_BACKTRACE", to: "enable=no")

    private func child(_ arguments: any ProgramArgument...) -> Command {
        Command(TestChild.path, arguments: arguments).environment(ExitStatusTests.quiet)
    }

    @Test("P28: every exit status from 0 to 255 is what the program said")
    func everyStatus() async throws {
        try await runOnLoop {
            for status in Int32(0)...255 {
                let result = try await child("exit", Int(status)).unchecked().run()
                #expect(result.status == .exited(status))
                #expect(result.status.isSuccess == (status == 0))
                #expect(result.status.shellStatus == status)
            }
        }
    }

    @Test("P28: every signal that ends a program is named", arguments: Int32(1)...64)
    func everySignal(_ number: Int32) async throws {
        let harmless = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH]
        if [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU].contains(number) { return }
        let result = try await child("kill-self", Int(number)).unchecked().run()
        if harmless.contains(number) {
            #expect(result.status == .exited(0))
            return
        }
        guard case .signalled(let signal, coreDumped: false) = result.status else {
            Issue.record("\(result.status)")
            return
        }
        #expect(signal.number == number)
        #expect(result.status.shellStatus == 128 + number)
        #expect(!result.status.isSuccess)
    }

    @Test("P28: the flag of the core dump is the kernel's")
    func coreDump() async throws {
        try await withTemporaryFolder { folder in
            func status(_ core: String) async throws -> IPC.ExitStatus {
                let command = Command("prlimit", "--core=\(core)", TestChild.path, "kill-self", "QUIT")
                    .environment(ExitStatusTests.quiet)
                return try await command.directory(folder).unchecked().run().status
            }
            // The reference: the same program, waited for without the library.
            func reference(_ core: String) async throws -> Bool {
                let script = """
                    import os, sys
                    os.chdir(sys.argv[1])
                    child = os.spawnvp(os.P_NOWAIT, "prlimit", sys.argv[2:])
                    sys.exit(os.WCOREDUMP(os.waitpid(child, 0)[1]))
                    """
                let words = ["prlimit", "--core=\(core)", TestChild.path, "kill-self", "QUIT"]
                let command = Command("python3", arguments: ["-c", script, folder] + words)
                    .environment(ExitStatusTests.quiet)
                return try await command.unchecked().run().status == .exited(1)
            }
            guard ForeignProcess.exists("python3"), ForeignProcess.exists("prlimit") else { return }
            for core in ["0", "unlimited"] {
                let (seen, expected) = (try await status(core), try await reference(core))
                #expect(seen == .signalled(.quit, coreDumped: expected))
            }
        }
    }

    @Test func aStatusTellsItselfInWords() {
        #expect("\(IPC.ExitStatus.exited(3))" == "exited with status 3")
        #expect("\(IPC.ExitStatus.signalled(.terminate, coreDumped: false))" == "ended by SIGTERM")
        #expect("\(IPC.ExitStatus.signalled(.abort, coreDumped: true))" == "ended by SIGABRT (core dumped)")
        #expect(IPC.ExitStatus.unknown.shellStatus == 255)
        #expect(!IPC.ExitStatus.unknown.isSuccess)
    }

    @Test func whatTheProgramHasUsedIsCounted() async throws {
        let busy = try await Command.script("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done").run()
        #expect(busy.usage.userTime + busy.usage.systemTime > .milliseconds(1))
        #expect(busy.usage.userTime + busy.usage.systemTime < busy.duration * 2)
        #expect(busy.usage.peakMemory > 100_000)
        let child = try await child("exit", "0").start()
        _ = try await child.wait()
        #expect(child.usage != nil)
        #expect(child.usage == child.usage)
    }
}
