// Limits: the program is asked, forced after a grace, and with it its whole tree; the error has what it wrote.
import IPC
import Testing

@Suite(.guarded)
struct TimeoutTests {
    /// A program that says `ready` once it cannot be ended politely.
    private let stubborn = Command.testChild("ignore", "TERM", "INT", "HUP", "USR1")

    @Test("A limit ends the program, in every form and wherever it runs", arguments: Place.allCases)
    func everyForm(_ place: Place) async throws {
        let sleeper = Command.testChild("sleep", 1_000)
        let limit = Duration.milliseconds(20)
        try await place.run {
            let forms: [(name: String, body: () async throws -> Void)] = [
                ("run", { try await sleeper.run(timeout: limit) }),
                ("run by deadline", { try await sleeper.run(deadline: Deadline(in: limit)) }),
                ("run in a deadline", { _ = try await Deadline(in: limit).run { try await sleeper.run() } }),
                ("capture", { _ = try await sleeper.capture(timeout: limit) }),
                ("capture by deadline", { _ = try await sleeper.capture(deadline: Deadline(in: limit)) }),
                ("capture in a deadline", { _ = try await Deadline(in: limit).run { try await sleeper.capture() } }),
                (
                    "an earlier deadline outside",
                    {
                        _ = try await Deadline(in: limit).run { try await sleeper.capture(timeout: .seconds(50)) }
                    }
                ),
                ("read", { _ = try await sleeper.read(timeout: limit) }),
                ("read by deadline", { _ = try await sleeper.read(deadline: Deadline(in: limit)) }),
                ("lines", { for try await _ in sleeper.lines(timeout: limit) {} }),
                (
                    "lines in a deadline",
                    { try await Deadline(in: limit).run { for try await _ in sleeper.lines() {} } }
                ),
                ("withInput", { try await sleeper.withInput(timeout: limit) { _ in } }),
                (
                    "withInput by deadline",
                    {
                        try await sleeper.withInput(deadline: Deadline(in: limit)) {
                            try await $0.write([UInt8](repeating: 0, count: 1 << 20))
                        }
                    }
                ),
                ("a limit of zero", { try await sleeper.run(timeout: .zero) }),
                ("a limit that is past", { try await sleeper.run(timeout: .seconds(-1)) }),
            ]
            for form in forms {
                let error = await within(.seconds(5)) { await failure(of: form.body) }
                #expect(error is TimeoutError, "\(form.name): \(String(describing: error))")
            }
        }
    }

    @Test func theErrorNamesCommandAndLimitAndHasWhatWasWritten() async throws {
        let script = Command.script("echo out; echo err >&2; exec sleep 1000")
        let error = try await #require(throws: TimeoutError.self) {
            try await script.capture(timeout: .milliseconds(500) * Watchdog.patience)
        }
        #expect(error.operation == "run")
        #expect(error.subject == script.description)
        #expect(error.limit == .milliseconds(500) * Watchdog.patience)
        #expect(error.output == Array("out\n".utf8))
        #expect(error.error == Array("err\n".utf8))
        let outside = try await #require(throws: TimeoutError.self) {
            try await Deadline(in: .milliseconds(500) * Watchdog.patience).run { try await script.capture() }
        }
        #expect(outside.operation == "run")
        #expect(outside.output == Array("out\n".utf8))
    }

    @Test("P26: what a program writes in its grace is kept, by a timeout as by a deadline outside")
    func lastWords() async throws {
        let script = Command.script(
            #"trap '"$0" flood out 200000; exit 0' TERM; echo ready; while :; do sleep 0.01; done"#)
        let expected = Array("ready\n".utf8) + floodedBytes(200_000)
        let limit = Duration.milliseconds(500) * Watchdog.patience
        let inside = try await #require(throws: TimeoutError.self) { try await script.capture(timeout: limit) }
        expectSame(inside.output, expected)
        let outside = try await #require(throws: TimeoutError.self) {
            try await Deadline(in: limit).run { try await script.capture() }
        }
        expectSame(outside.output, expected)
    }

    @Test("P26: a program that ignores SIGTERM is killed after the grace and not before")
    func grace() async throws {
        let child = try await stubborn.output(.pipe).start()
        #expect(try await child.standardOutput?.readLine() == "ready")
        let began = ContinuousClock.now
        let status = await within(.seconds(3)) { await child.end(grace: .milliseconds(200)) }
        #expect(status == .signalled(.kill, coreDumped: false))
        #expect(ContinuousClock.now - began >= .milliseconds(200))
    }

    @Test("P26: the grace counts after the limit, in a run as well")
    func graceOfARun() async throws {
        let began = ContinuousClock.now
        let error = try await #require(throws: TimeoutError.self) {
            try await within(.seconds(4)) {
                try await stubborn.capture(timeout: .milliseconds(500) * Watchdog.patience, grace: .milliseconds(100))
            }
        }
        #expect(error.output == Array("ready\n".utf8))
        #expect(ContinuousClock.now - began >= .milliseconds(600))
    }

    @Test("P27: a stopped program is ended like a running one", arguments: [Duration.seconds(20), .zero])
    func stopped(_ grace: Duration) async throws {
        let child = try await Command.script("echo ready; kill -STOP $$; echo resumed").output(.pipe).start()
        #expect(try await child.standardOutput?.readLine() == "ready")
        let status = await within(.seconds(5)) { await child.end(grace: grace) }
        #expect(status == .signalled(grace == .zero ? .kill : .terminate, coreDumped: false))
        _ = await failure { try await Command.testChild("stop").run(timeout: .milliseconds(20)) }
    }

    @Test("P25: the tree goes with the program: children and theirs, polite and stubborn ones")
    func tree() async throws {
        let script = """
            sleep 1000 & echo $!; (sleep 1000 & echo $!; sleep 1000) & echo $!
            (trap "" TERM; echo $(sh -c 'echo $PPID'); while :; do sleep 0.01; done) &
            wait
            """
        let limit = Duration.milliseconds(500) * Watchdog.patience
        let error = try await #require(throws: TimeoutError.self) {
            try await within(.seconds(4)) {
                try await Command.script(script).capture(timeout: limit, grace: .milliseconds(100))
            }
        }
        let pids = String(decoding: error.output, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
        #expect(pids.count == 4)
        for pid in pids { #expect(ends(pid), "\(pid) is left") }
    }

    @Test func aProgramThatEndsWithinItsLimitIsNotTouched() async throws {
        let result = try await Command.testChild("echo", "x").capture(timeout: .seconds(30))
        #expect(result.status.isSuccess)
        #expect(try await Deadline(in: .seconds(30)).run { try await Command.testChild("echo", "x").read() } == "x")
    }

    @Test("A handle's wait has a limit of its own; the program runs on")
    func waitOfAHandle() async throws {
        let child = try await Command.testChild("sleep", 1_000).start()
        await #expect(throws: TimeoutError.self) { try await child.wait(timeout: .milliseconds(10)) }
        await #expect(throws: TimeoutError.self) { try await child.wait(deadline: Deadline(in: .milliseconds(10))) }
        await #expect(throws: TimeoutError.self) {
            try await Deadline(in: .milliseconds(10)).run { try await child.wait() }
        }
        #expect(child.status == nil)
        #expect(await child.end() == .signalled(.terminate, coreDumped: false))
    }
}
