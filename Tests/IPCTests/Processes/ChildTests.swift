// A started program by its handle: one status for everybody, no zombie, no signal to a stranger.
import CIPC
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct ChildTests {
    @Test("P29: eight tasks that wait, and whoever waits later, get the same status", arguments: Place.allCases)
    func waitingTogether(_ place: Place) async throws {
        let statuses = try await place.run {
            let child = try await Command.script("read line; exit 7").input(.pipe).start()
            return try await withThrowingTaskGroup(of: IPC.ExitStatus.self) { group in
                for _ in 0..<8 { group.addTask { try await child.wait() } }
                await Task.yield()
                try await child.standardInput?.write("go\n")
                var statuses: [IPC.ExitStatus] = []
                for try await status in group { statuses.append(status) }
                return statuses + [try await child.wait(), try await child.wait(timeout: .zero), await child.end()]
            }
        }
        #expect(statuses == [IPC.ExitStatus](repeating: .exited(7), count: 11))
    }

    @Test("A cancelled wait leaves the others alone")
    func oneOfManyIsCancelled() async throws {
        let child = try await Command.script("read line; exit 7").input(.pipe).start()
        async let other = child.wait()
        #expect(try await cancelling({ _ = try await child.wait() }, when: { await Task.yield() }) is CancellationError)
        try child.standardInput?.close()
        #expect(try await other == .exited(7))
    }

    @Test func theStatusIsThereWithoutWaitingOnceTheChildHasEnded() async throws {
        let child = try await Command.script("read line; exit 7").input(.pipe).start()
        #expect(child.status == nil)
        #expect(child.usage == nil)
        #expect(child.processID.exists)
        #expect(child.name == "sh")
        try child.standardInput?.close()
        #expect(ends(child.processID.rawValue))
        #expect(child.status == .exited(7))
        #expect(child.usage != nil)
        #expect(try await child.wait() == .exited(7))
    }

    @Test(
        "P31: a thousand dropped handles, of running and of ended programs: all are reaped", arguments: Place.allCases)
    func dropped(_ place: Place) async throws {
        try await place.run {
            for number in 0..<340 {
                let child = try await Command.testChild("exit", 0).start()
                if number % 2 == 0 { #expect(ends(child.processID.rawValue)) }
            }
        }
    }

    @Test("P31: the handle of a program that runs on is dropped; it is reaped when it ends")
    func droppedWhileRunning() async throws {
        var pids: [Int32] = []
        for _ in 0..<50 {
            // Its input goes with the handle, so it ends then.
            let child = try await Command.script("read line").input(.pipe).start()
            pids.append(child.processID.rawValue)
        }
        for pid in pids { #expect(ends(pid)) }
    }

    @Test("P30: after the end there is nobody to signal")
    func signalsAfterTheEnd() async throws {
        for command in [Command.testChild("exit", 0), .testChild("exit", 0).inCallersGroup()] {
            let child = try await command.start()
            _ = try await child.wait()
            for send in [child.send, child.sendToTree] {
                let error = try #require(throws: SystemError.self) { try send(.kill) }
                #expect(error.errno == .noSuchProcess)
                #expect("\(error)" == "send SIGKILL TestChild: no such process (ESRCH)")
            }
        }
    }

    @Test("P30: signals that race with the end reach the child or nobody")
    func signalsRacingWithTheEnd() async throws {
        for _ in 0..<100 {
            let child = try await Command.testChild("exit", 0).start()
            async let status = child.wait()
            for _ in 0..<20 {
                let error = await failure { try child.sendToTree(.user1) } as? SystemError
                #expect(error == nil || error?.errno == .noSuchProcess)
            }
            let seen = try await status
            #expect(seen == .exited(0) || seen == .signalled(.user1, coreDumped: false))
        }
    }

    @Test func aSignalReachesTheChildAloneOrItsTree() async throws {
        let script =
            #"trap "echo parent" USR1; (trap "echo child" USR1; echo ready; while :; do sleep 0.01; done) & while :; do sleep 0.01; done"#
        let child = try await Command.script(script).output(.pipe).start()
        let output = try #require(child.standardOutput)
        #expect(try await output.readLine() == "ready")
        try child.send(.user1)
        #expect(try await output.readLine() == "parent")
        try child.sendToTree(.user1)
        let both = [try await output.readLine(), try await output.readLine()].compactMap { $0 }.sorted()
        #expect(both == ["child", "parent"])
        await child.end()
    }

    @Test("P26: ending asks first, and a polite program ends politely")
    func politeEnd() async throws {
        let script = #"trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.01; done"#
        let child = try await Command.script(script).output(.pipe).start()
        #expect(try await child.standardOutput?.readLine() == "ready")
        #expect(await within(.seconds(1)) { await child.end(grace: .seconds(20)) } == .exited(5))
        #expect(try await child.standardOutput?.readLine() == "bye")
        #expect(await child.end() == .exited(5), "ending again is harmless")
    }

    @Test func endingIsNotCutShortByCancellationAndAllWhoEndAgree() async throws {
        let child = try await Command.testChild("ignore", "TERM").output(.pipe).start()
        #expect(try await child.standardOutput?.readLine() == "ready")
        let statuses = await withTaskGroup(of: IPC.ExitStatus.self) { group in
            for _ in 0..<4 { group.addTask { await child.end(grace: .milliseconds(50)) } }
            group.cancelAll()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == [IPC.ExitStatus](repeating: .signalled(.kill, coreDumped: false), count: 4))
        let other = try await Command.testChild("sleep", 1_000).start()
        let ended = await Deadline(in: .zero).runIgnoringItself { await other.end() }
        #expect(ended == .signalled(.terminate, coreDumped: false))
    }

    @Test("P42: a child that shares our group is its own tree: we are not hit")
    func inOurGroup() async throws {
        let child = try await Command.testChild("sleep", 1_000).inCallersGroup().start()
        #expect(await child.end() == .signalled(.terminate, coreDumped: false))
        await #expect(throws: TimeoutError.self) {
            try await Command.testChild("sleep", 1_000).inCallersGroup().run(timeout: .milliseconds(10))
        }
    }

    @Test("S7: a child that somebody else started stays his to wait for")
    func foreignChild() async throws {
        let foreign = try ForeignProcess(testChild: "exit", "9")
        let running = try ForeignProcess(testChild: "sleep", "1000")
        for _ in 0..<50 { try await Command.testChild("exit", 0).run() }
        #expect(try await foreign.wait() == 9)
        try await running.end()
    }

    @Test("P32: two thousand starts, sixteen at a time, half of the handles dropped")
    func many() async throws {
        try await runOnLoop {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for starter in 0..<16 {
                    group.addTask {
                        for number in 0..<125 {
                            let child = try await Command.testChild("exit", starter).start()
                            if number % 2 == 0 {
                                let status = try await child.wait()
                                #expect(status == .exited(Int32(starter)))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}

extension Deadline {
    /// Runs a body that does not throw, whatever its waits do.
    fileprivate func runIgnoringItself<Result>(_ body: () async -> Result) async -> Result? {
        try? await run { await body() }
    }
}
