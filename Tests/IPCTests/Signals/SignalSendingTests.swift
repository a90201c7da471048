// Sending to processes and groups, and the numbers that never become one.
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct SignalSendingTests {
    @Test("S16: zero, negative numbers and, for groups, 1 are refused by type")
    func refused() {
        for number: Int32 in [0, -1, -17, .min] {
            #expect(ProcessID(number) == nil)
            #expect(ProcessGroupID(number) == nil)
        }
        #expect(ProcessGroupID(1) == nil)
        #expect(ProcessID(1)?.rawValue == 1)
        #expect(ProcessGroupID(2)?.rawValue == 2)
        #expect(ProcessID.current.rawValue == getpid())
        #expect(ProcessID.parent.rawValue == getppid())
        #expect(ProcessGroupID.current?.rawValue == getpgrp())
        #expect("\(ProcessID.current)" == "\(getpid())")
    }

    @Test func aSignalReachesAProcess() async throws {
        let child = try await Command.testChild("sleep", 1_000).start()
        #expect(child.processID.exists)
        try child.processID.send(.user2)
        #expect(try await child.wait() == .signalled(.user2, coreDumped: false))
        #expect(!child.processID.exists)
        let error = try #require(throws: SystemError.self) { try child.processID.send(.terminate) }
        #expect(error.errno == .noSuchProcess)
        #expect("\(error)" == "send SIGTERM process \(child.processID): no such process (ESRCH)")
    }

    @Test func aZombieExistsAndTakesSignalsWithoutEffect() async throws {
        let child = try await Command.testChild("exit", 3).start()
        #expect(ends(child.processID.rawValue))
        #expect(child.processID.exists)
        try child.processID.send(.kill)
        #expect(try await child.wait() == .exited(3))
    }

    @Test func aSignalReachesEveryProcessOfAGroup() async throws {
        let child = try await Command.script("sleep 1000 & sleep 1000 & echo $!; wait").output(.pipe).start()
        let last = try #require(Int32(try await child.standardOutput?.readLine() ?? ""))
        let group = try #require(ProcessGroupID(child.processID.rawValue))
        try group.send(.kill)
        #expect(try await child.wait() == .signalled(.kill, coreDumped: false))
        #expect(ends(last))
    }

    @Test func aGroupThatDoesNotExistIsAnError() async throws {
        let child = try await Command.testChild("exit", 0).inCallersGroup().start()
        _ = try await child.wait()
        let group = try #require(ProcessGroupID(child.processID.rawValue))
        let error = try #require(throws: SystemError.self) { try group.send(.kill) }
        #expect("\(error)" == "send SIGKILL process group \(group): no such process (ESRCH)")
    }

    @Test("A process that belongs to somebody else exists, and may not be signalled", .enabled(if: getuid() == 0))
    func notOurs() async throws {
        let parent = ProcessID.current
        let script = #"kill -0 "$1" 2>&1; true"#
        let words = ["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script, "sh", "\(parent)"]
        let said = try await Command("setpriv", arguments: words).read()
        #expect(said.lowercased().contains("permitted"))
        #expect(ProcessID(1)?.exists == true)
    }
}
