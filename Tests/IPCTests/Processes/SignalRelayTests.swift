// Signals to this process that are a program's for the time of its run; in a process of their own.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite struct SignalRelayTests {
    @Test(
        "Signals are passed on to the program, before its start and while it runs, and mean afterwards what they meant before",
        .guarded)
    func passedOn() async throws {
        let (status, output) = try await InnerRun.of("signalsArePassedOn")
        #expect(status == 0, "\(output)")
        #expect(output.contains("1 test"))
    }

    private let answering = Command.script(
        #"trap "echo answered; exit 6" USR1; echo ready; while :; do sleep 0.01; done"#)

    /// What the signal does to this process: 0 its default, 1 nothing, else a handler.
    private func disposition(_ signal: Signal) -> UInt {
        var action = sigaction()
        sigaction(signal.number, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
    }

    /// Sends ourselves a signal again and again until the body is done; one alone may come too early for the shell's trap.
    private func sending<Value: Sendable>(_ signal: Signal, _ body: () async throws -> Value) async throws -> Value {
        let sender = Task {
            while !Task.isCancelled {
                try ProcessID.current.send(signal)
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        defer { sender.cancel() }
        return try await body()
    }

    @Test(.inner) func signalsArePassedOn() async throws {
        signal(SIGUSR1, SIG_IGN)
        for place in Place.allCases {
            try await place.run {
                let result = try await sending(.user1) { try await answering.unchecked().capture(passingOn: [.user1]) }
                #expect(result.status == .exited(6) || result.status == .signalled(.user1, coreDumped: false))
                #expect(disposition(.user1) == 1)
                let run = try await sending(.user1) {
                    try await answering.output(.discard).unchecked().run(passingOn: [.user1])
                }
                #expect(!run.status.isSuccess)
                #expect(disposition(.user1) == 1)
            }
        }
        try await beforeTheStart()
        try await severalAtATime()
        try await refused()
    }

    private func beforeTheStart() async throws {
        let relay = try SignalRelay([.user1])
        #expect(disposition(.user1) > 1)
        try ProcessID.current.send(.user1)
        let child = try await answering.output(.pipe).start()
        #expect(try await child.standardOutput?.readLine() == "ready")
        relay.direct(to: [child])
        #expect(try await child.standardOutput?.readLine() == "answered")
        #expect(try await child.wait() == .exited(6))
        relay.end()
        #expect(disposition(.user1) == 1)
    }

    private func severalAtATime() async throws {
        let statuses = try await sending(.user1) {
            try await withThrowingTaskGroup(of: IPC.ExitStatus.self) { group in
                for _ in 0..<3 {
                    group.addTask { try await answering.unchecked().capture(passingOn: [.user1, .user2]).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(statuses.count == 3 && statuses.allSatisfy { !$0.isSuccess })
        #expect(disposition(.user1) == 1)
        #expect(disposition(.user2) == 0)
    }

    private func refused() async throws {
        try await withTemporaryFolder { folder in
            for signal in [Signal.kill, .stop] {
                let error = await failure {
                    try await Command("touch", folder.appending("file")).run(passingOn: [.user1, signal])
                }
                #expect((error as? SystemError)?.errno == .invalidArgument)
                #expect(disposition(.user1) == 1)
            }
            await #expect(throws: StartError.self) { try await Command("/no/such/program").run(passingOn: [.user1]) }
            #expect(disposition(.user1) == 1)
            #expect(Folder.names(in: folder.string) == [])
        }
        #expect(Leftovers.children().isEmpty)
    }
}
