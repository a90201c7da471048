// Running a program to its end and keeping what it writes.
import IPC
import Testing

@Suite(.guarded)
struct CaptureTests {
    @Test("Everything that there is to know of a run is in its result, wherever it runs", arguments: Place.allCases)
    func result(_ place: Place) async throws {
        let result = try await place.run { try await Command.script("echo out; echo err >&2").capture() }
        #expect(result.status == .exited(0))
        #expect(result.output.text == "out\n")
        #expect(result.error.text == "err\n")
        #expect(result.output.dropped == 0 && result.error.dropped == 0)
        #expect(result.inputLeft == 0)
        #expect(result.duration > .zero && result.duration < .seconds(20))
    }

    @Test("A failure is an error with status and outputs, wherever it runs", arguments: Place.allCases)
    func failure(_ place: Place) async throws {
        let error = try await #require(throws: CommandError.self) {
            try await place.run { try await Command.script("echo out; echo first >&2; echo why >&2; exit 3").capture() }
        }
        #expect(error.kind == .failed)
        #expect(error.status == .exited(3))
        #expect(error.result.output.text == "out\n")
        #expect(error.result.error.text == "first\nwhy\n")
        #expect("\(error)".hasPrefix("/bin/sh -c "))
        #expect("\(error)".hasSuffix(": exited with status 3: why"))
    }

    @Test func uncheckedTakesTheFailureBackInEveryForm() async throws {
        let failing = Command.script("echo out; exit 3").unchecked()
        #expect(try await failing.output(.discard).run().status == .exited(3))
        #expect(try await failing.capture().status == .exited(3))
        #expect(try await failing.read() == "out")
        var lines: [String] = []
        for try await line in failing.lines() { lines.append(line) }
        #expect(lines == ["out"])
        #expect(try await failing.output(.discard).withInput { _ in 7 } == 7)
        let killed = try await Command.testChild("kill-self", "KILL").unchecked().capture()
        #expect(killed.status == .signalled(.kill, coreDumped: false))
    }

    @Test func runGivesOurStreamsAndThrowsWhatFails() async throws {
        #expect(try await Command.testChild("exit", "0").run().status.isSuccess)
        let error = try await #require(throws: CommandError.self) { try await Command.testChild("exit", 9).run() }
        #expect(error.status == .exited(9))
        #expect(error.result.output.count == 0)
        #expect("\(error)" == "\(TestChild.path) exit 9: exited with status 9")
    }

    @Test func readGivesTheTextWithoutLineEndsAtItsEnd() async throws {
        let cases = ["": "", "a": "a", "a\n": "a", "a\r\n": "a", "a\n\n\r\n": "a", "\na \n": "\na ", "a\0b\n": "a\0b"]
        for (input, output) in cases {
            let read = try await Command.testChild("cat").input(input).read()
            #expect(read == output)
        }
        let error = try await #require(throws: CommandError.self) {
            _ = try await Command.script("echo out; echo why >&2; exit 1").read()
        }
        #expect(error.result.error.text == "why\n")
        #expect(error.result.output.text == "out\n")
    }

    @Test func readThrowsForWhatIsNotTextAndSaysWhere() async throws {
        let bytes = Array("fine\nand ".utf8) + [0xFF] + Array(" not\n".utf8)
        let error = try await #require(throws: ReadError.self) {
            _ = try await Command.testChild("cat").input(bytes).read()
        }
        #expect(error.kind == .invalidText)
        #expect(error.line == 2)
        #expect(error.offset == 4)
        #expect(error.subject.contains("TestChild"))
        let capture = try await Command.testChild("cat").input(bytes).capture()
        #expect(capture.output.bytes == bytes)
    }

    @Test("Only the end of standard error is kept where nobody asked for all of it")
    func errorTail() async throws {
        let error = try await #require(throws: CommandError.self) {
            _ = try await Command.script(#""$0" flood err 100000; exit 1"#).read()
        }
        expectSame(error.result.error.bytes, Array(floodedBytes(100_000).suffix(8 * 1024)))
        #expect(error.result.error.dropped == 100_000 - 8 * 1024)
    }

    @Test("P23: more output than the limit ends the program; the error has what was kept", arguments: ["out", "err"])
    func limitExceeded(_ stream: String) async throws {
        let error = try await #require(throws: CommandError.self) {
            try await within(.seconds(5)) {
                try await Command.script(#"while :; do "$0" flood $1 100000; done"#, stream).capture(
                    limit: .failing(beyond: 5_000))
            }
        }
        #expect(error.kind == .outputLimitExceeded)
        #expect(error.status == .signalled(.terminate, coreDumped: false))
        let (full, other) =
            stream == "out" ? (error.result.output, error.result.error) : (error.result.error, error.result.output)
        expectSame(full.bytes, floodedBytes(5_000))
        #expect(full.dropped > 0)
        #expect(other.count == 0)
        #expect("\(error)".contains("wrote more than its limit"))
    }

    @Test("P23: a program that ends by itself over the limit, or that ignores SIGTERM, is over the limit all the same")
    func limitExceededAtTheEnd() async throws {
        for script in [#"exec "$0" flood out 5001"#, #"trap "" TERM; while :; do "$0" flood out 9999; done"#] {
            let error = try await #require(throws: CommandError.self) {
                _ = try await Command.script(script).unchecked().capture(
                    limit: .failing(beyond: 5_000), grace: .milliseconds(50))
            }
            #expect(error.kind == .outputLimitExceeded)
        }
        let exact = try await Command.testChild("flood", "out", 5_000).capture(limit: .failing(beyond: 5_000))
        expectSame(exact.output.bytes, floodedBytes(5_000))
    }

    @Test("P23: head and tail are kept, and the program runs on")
    func headAndTail() async throws {
        let result = try await Command.testChild("flood", "both", 1_000_000).capture(
            limit: .keeping(head: 1_000, tail: 3_000))
        let all = floodedBytes(1_000_000)
        for output in [result.output, result.error] {
            expectSame(output.head, Array(all.prefix(1_000)))
            expectSame(output.tail, Array(all.suffix(3_000)))
            #expect(output.dropped == 996_000)
        }
        #expect(result.status.isSuccess)
    }
}
