// Processes that a program leaves behind: they delay nobody, and whether they are ended is as documented.
import IPC
import Testing

@Suite(.guarded)
struct GrandchildTests {
    @Test(
        "P24: a grandchild that holds the pipes delays no status and is ended with the run", arguments: Place.allCases)
    func inTheGroup(_ place: Place) async throws {
        let result = try await within(.seconds(1)) {
            try await place.run { try await Command.testChild("grandchild", 1_000).capture() }
        }
        #expect(result.status == .exited(0))
        #expect(result.numbers.count == 1)
        for pid in result.numbers { #expect(ends(pid)) }
    }

    @Test(
        "P40: one in a session of its own delays nobody either; it has left the tree and lives",
        arguments: Place.allCases)
    func inItsOwnSession(_ place: Place) async throws {
        let result = try await within(.seconds(1)) {
            try await place.run { try await Command.testChild("grandchild-session", 1_000).capture() }
        }
        #expect(result.status == .exited(0))
        #expect(result.numbers.count == 1)
        for pid in result.numbers {
            #expect(runs(pid))
            dispatch(pid)
        }
    }

    @Test("P24: every form is done with the program, whoever holds its pipes", arguments: [true, false])
    func everyForm(inItsGroup: Bool) async throws {
        let verb = inItsGroup ? "grandchild" : "grandchild-session"
        let command = Command.testChild(verb, 1_000)
        let pids = try await withTemporaryFolder { folder in
            let list = folder.appending("pids")
            try await within(.seconds(3)) {
                let written = command.output(.file(list, .append))
                try await written.run()
                try await written.withInput { _ in }
                try await command.read().write(to: list)
                for try await line in command.lines() { try await line.write(to: list) }
                let failing = Command.script(#""$0" "$1" 1000; exit 3"#, verb)
                let error = try await #require(throws: CommandError.self) {
                    for try await line in failing.lines() { try await line.write(to: list) }
                }
                #expect(error.status == .exited(3))
            }
            return (Folder.text(of: list.string) ?? "").split(separator: "\n").compactMap { Int32($0) }
        }
        #expect(pids.count == 5)
        for pid in pids {
            if inItsGroup { #expect(ends(pid)) } else { dispatch(pid) }
        }
    }

    @Test("P24: what was written before the end is complete, also while a stranger holds the pipe")
    func complete() async throws {
        let script = Command.script(#"exec 3>&1; "$0" grandchild-session 1000 >&2 3>&1; "$0" flood out 60000; exit 3"#)
        for _ in 0..<20 {
            let result = try await script.unchecked().capture()
            expectSame(result.output.bytes, floodedBytes(60_000))
            #expect(result.status == .exited(3))
            let pids = result.error.text.split(separator: "\n").compactMap { Int32($0) }
            #expect(pids.count == 1)
            for pid in pids { dispatch(pid) }
        }
    }

    @Test("P24: a stranger that floods the pipe does not keep the run going")
    func flood() async throws {
        let script = Command.script("setsid yes & echo $! >&2; read line; exit 3")
        for _ in 0..<5 {
            let result = try await within(.seconds(2)) {
                try await script.unchecked().input("go\n").capture(limit: .keeping(head: 100, tail: 100))
            }
            #expect(result.status == .exited(3))
            // Once nobody reads the pipe, SIGPIPE ends it.
            for pid in result.error.text.split(separator: "\n").compactMap({ Int32($0) }) { #expect(ends(pid)) }
        }
    }

    @Test("P25: a handle's wait leaves the tree alone; ending the handle ends it")
    func handle() async throws {
        let child = try await Command.testChild("grandchild", 1_000).output(.pipe).start()
        let pid = try #require(Int32(try await child.standardOutput?.readLine() ?? ""))
        #expect(try await within(.seconds(1)) { try await child.wait() } == .exited(0))
        #expect(runs(pid))
        dispatch(pid)
        let other = try await Command.script("sleep 1000 & echo $!; wait").output(.pipe).start()
        let second = try #require(Int32(try await other.standardOutput?.readLine() ?? ""))
        await other.end()
        #expect(ends(second))
    }

    @Test("P25: ending a handle ends the tree also while another task waits for the child")
    func endWhileAnotherWaits() async throws {
        let script = #"(trap "" TERM; echo ready; while :; do sleep 0.01; done) & echo $!; wait"#
        for _ in 0..<10 {
            let child = try await Command.script(script).output(.pipe).start()
            let output = try #require(child.standardOutput)
            let lines = [try await output.readLine(), try await output.readLine()].compactMap { $0 }
            let pid = try #require(lines.compactMap { Int32($0) }.first)
            async let waiting = child.wait()
            await Task.yield()
            #expect(await child.end() == .signalled(.terminate, coreDumped: false))
            #expect(try await waiting == .signalled(.terminate, coreDumped: false))
            #expect(ends(pid))
        }
    }

    @Test func aTreeThatIsToBeKeptIsKeptUnlessTheRunIsCutShort() async throws {
        let kept = try await Command.testChild("grandchild", 1_000).keepingTree().capture()
        #expect(kept.numbers.count == 1)
        for pid in kept.numbers {
            #expect(runs(pid))
            dispatch(pid)
        }
        let script = Command.script(#"(trap "" TERM; echo ready; while :; do sleep 0.01; done) & echo $!; wait"#)
            .keepingTree()
        var seen: [String] = []
        for try await line in script.lines(grace: .seconds(1)) {
            seen.append(line)
            if seen.count == 2 { break }
        }
        var pids = seen.compactMap { Int32($0) }
        let error = try await #require(throws: TimeoutError.self) {
            try await script.capture(timeout: .milliseconds(300) * Watchdog.patience)
        }
        pids += String(decoding: error.output, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
        #expect(pids.count == 2)
        for pid in pids { #expect(ends(pid), "\(pid) is left") }
    }
}

extension String {
    fileprivate func write(to file: FilePath) async throws {
        try await ByteWriter(Descriptor.open(file, for: .append)).write(self + "\n")
    }
}
