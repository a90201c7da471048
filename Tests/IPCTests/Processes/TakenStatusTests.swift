// Somebody else in the process takes the status of our children: the right status or none, and never a hang.
import Glibc
import IPC
import Testing

@Suite struct TakenStatusTests {
    private func check(_ inner: String) async throws {
        let (status, output) = try await InnerRun.of(inner)
        #expect(status == 0, "\(output)")
        #expect(output.contains("1 test"))
    }

    @Test("S8: a process that ignores SIGCHLD, whose children the kernel reaps", .guarded)
    func ignored() async throws { try await check("childrenWhileSIGCHLDIsIgnored") }

    @Test("S7: another thread that takes the status of every child", .guarded)
    func thief() async throws { try await check("childrenWhileAThreadTakesEveryStatus") }

    /// In a process of its own.
    @Test(.inner) func childrenWhileSIGCHLDIsIgnored() async throws {
        signal(SIGCHLD, SIG_IGN)
        try await useChildren()
    }

    /// In a process of its own, which it leaves running its thief.
    @Test(.inner) func childrenWhileAThreadTakesEveryStatus() async throws {
        startThread(named: "thief", nil) { _ in
            while true { if waitpid(-1, nil, 0) < 0 { usleep(100) } }
        }
        try await useChildren()
    }

    private func useChildren() async throws {
        for place in Place.allCases {
            try await place.run {
                var known = 0
                func check(_ status: IPC.ExitStatus, _ right: IPC.ExitStatus) {
                    #expect(status == right || status == .unknown)
                    if status == right { known += 1 }
                }
                for _ in 0..<20 {
                    let result = try await Command.script("echo x; exit 3").unchecked().capture()
                    #expect(result.output.text == "x\n")
                    check(result.status, .exited(3))
                    check(
                        try await Command.testChild("kill-self", "KILL").unchecked().run().status,
                        .signalled(.kill, coreDumped: false))
                    let child = try await Command.testChild("sleep", 1_000).start()
                    check(await child.end(), .signalled(.terminate, coreDumped: false))
                    #expect(throws: SystemError.self) { try child.sendToTree(.kill) }
                    let error = await failure { try await Command.testChild("exit", 1).run() } as? CommandError
                    #expect(error?.kind == .failed)
                    await #expect(throws: StartError.self) { try await Command("/no/such/program").run() }
                    _ = try await Command.testChild("exit", 0).start()
                }
                print("known statuses:", known)
            }
        }
    }
}
