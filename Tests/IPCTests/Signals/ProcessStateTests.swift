// Whether a process is there, in five answers; handles that hold on to one; the group without its sender.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct ProcessStateTests {
    @Test("S-11: running, stopped, a zombie, gone")
    func states() async throws {
        let child = try ForeignProcess(testChild: "sleep", "1000")
        let process = try #require(ProcessID(child.pid))
        let handle = try ProcessHandle(process)
        #expect(process.state == .running)
        try handle.send(.stop)
        var information = siginfo_t()
        #expect(waitid(P_PID, id_t(child.pid), &information, WSTOPPED) == 0)
        #expect(process.state == .stopped && handle.state == .stopped)
        try handle.send(.resume)
        try handle.send(.kill)
        try await handle.waitUntilEnded(timeout: .seconds(10))
        #expect(process.state == .zombie && handle.state == .zombie)
        #expect(try await child.wait() == 128 + SIGKILL)
        #expect(process.state == .gone && handle.state == .gone)
        let error = #expect(throws: SystemError.self) { try handle.send(.terminate, value: 1) }
        #expect(error?.errno == .noSuchProcess)
        #expect(throws: SystemError.self) { _ = try ProcessHandle(process) }
    }

    @Test func aHandleWaitsWithALimit() async throws {
        let handle = try ProcessHandle(.parent)
        #expect(handle.processID == .parent)
        await #expect(throws: TimeoutError.self) { try await handle.waitUntilEnded(timeout: .milliseconds(20)) }
        await #expect(throws: TimeoutError.self) {
            try await handle.waitUntilEnded(deadline: Deadline(in: .milliseconds(20)))
        }
    }

    @Test("A program's name may be anything, and a process goes on without its first thread")
    func parsed() {
        let rest = " 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0"
        #expect(ProcessID.state(in: "7 (a) Z (b) S" + rest + " 1 0") == .running)
        #expect(ProcessID.state(in: "7 (x) Z" + rest + " 1 0") == .zombie)
        #expect(ProcessID.state(in: "7 (x) Z" + rest + " 3 0") == .running)
        #expect(ProcessID.state(in: "7 (x) t" + rest + " 1 0") == .stopped)
        #expect(ProcessID.state(in: "") == .running)
    }

    @Test("S-11: a process of another user", .enabled(if: getuid() == 0))
    func notOurs() async throws {
        let script = #"exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@""#
        try await expectInner("theFirstProcessIsNotOurs", script: script)
    }

    @Test(.inner) func theFirstProcessIsNotOurs() throws {
        let first = try #require(ProcessID(1))
        #expect(first.state == .notOurs)
        #expect(try ProcessHandle(first).state == .notOurs)
        let error = #expect(throws: SystemError.self) { try first.send(.terminate) }
        #expect(error?.errno == .notPermitted)
    }

    @Test("S-10: a signal to the group but not to its sender", arguments: ["", "env --block-signal=HUP"])
    func others(_ prefix: String) async throws {
        try await expectInner("theOthersOfTheGroup", script: #"exec setsid -w \#(prefix) "$@""#)
    }

    @Test(.inner) func theOthersOfTheGroup() async throws {
        let children = try await (0..<3).asyncMap { _ in
            try await Command.testChild("sleep", 1000).inCallersGroup().start()
        }
        let outsider = try await Command.testChild("sleep", 1000).start()
        try ProcessGroupID.sendToOthers(.hangup)
        for child in children { #expect(try await child.wait() == .signalled(.hangup, coreDumped: false)) }
        #expect(outsider.status == nil)
        #expect(disposition(.hangup) == 0)
        #expect(!isPending(.hangup))
        let stream = try Signal.stream(.hangup)
        try ProcessGroupID.sendToOthers(.hangup)
        await #expect(throws: TimeoutError.self) { try await stream.next(timeout: .milliseconds(50)) }
        for signal in [Signal.kill, .stop] {
            let error = #expect(throws: SystemError.self) { try ProcessGroupID.sendToOthers(signal) }
            #expect(error?.errno == .invalidArgument)
        }
        await outsider.end(grace: .zero)
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
