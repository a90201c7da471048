// Programs joined by pipes: what is written arrives, and how each stage has ended is known.
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct PipelineTests {
    @Test("S-24: three programs in a row, as a shell has them", arguments: Place.allCases)
    func three(_ place: Place) async throws {
        try await place.run {
            let words = Command("printf", #"b\na\nb\n"#).piped(to: Command("sort")).piped(to: Command("uniq"))
            #expect(words.description == #"printf 'b\na\nb\n' | sort | uniq"#)
            #expect(try await words.read() == "a\nb")
            let counted = try #require(Pipeline([Command("cat").input("one\ntwo"), Command("wc", "-c")]))
            #expect(try await counted.read() == "7")
        }
        #expect(Pipeline([Command]()) == nil)
        #expect(try await Pipeline(Command("echo", "alone")).read() == "alone")
    }

    @Test("P44: each stage has its own number, status and standard error")
    func stages() async throws {
        let stage = { (number: Int) in Command.script("cat; echo stage $1 >&2; exit $1", number) }
        let pipeline = stage(1).input("text").piped(to: stage(0)).piped(to: stage(3))
        let result = try await pipeline.unchecked().capture()
        #expect(result.output.text == "text")
        #expect(result.stages.map(\.status) == [.exited(1), .exited(0), .exited(3)])
        #expect(result.stages.map(\.error.text) == ["stage 1\n", "stage 0\n", "stage 3\n"])
        #expect(result.stages.map(\.position) == [1, 2, 3])
        #expect(result.stages.allSatisfy { $0.failure == nil && !$0.wasCutOff && $0.usage.peakMemory > 0 })
        #expect(Set(result.stages.compactMap(\.processID)).count == 3)
        #expect(result.status == .exited(3) && result.failedStage?.position == 3)
    }

    @Test("P44: the stage that fails is named, be it the first, the middle or the last", arguments: 0..<3)
    func failing(_ place: Int) async throws {
        let stages = (0..<3).map {
            Command.script("cat; test $1 = 0 || { echo why >&2; exit 7; }", $0 == place ? 1 : 0)
        }
        let pipeline = try #require(Pipeline(stages))
        let error = try await #require(throws: PipelineError.self) { try await pipeline.capture() }
        #expect(error.stage.position == place + 1)
        #expect(error.status == .exited(7) && !error.isOutputLimitExceeded)
        #expect(error.result.stages.filter(\.isSuccess).count == 2)
        #expect("\(error)" == "stage \(place + 1) of 3, \(stages[place]): exited with status 7: why")
    }

    @Test("S-28: a stage that ends because the next wants no more is no failure")
    func cutOff() async throws {
        let result = try await Command("yes").piped(to: Command("cat")).piped(to: Command("head", "-n", 2)).capture()
        #expect(result.output.text == "y\ny\n")
        #expect(result.stages.map(\.wasCutOff) == [true, true, false])
        #expect(result.stages[0].status == .signalled(.brokenPipe, coreDumped: false))
        #expect(result.status == .exited(0))
        // By way of a shell, which says so in its own manner.
        let shell = try await Command.script("yes; exit $?").piped(to: Command("head", "-n", 1)).capture()
        #expect(shell.stages[0].status == .exited(141) && shell.stages[0].wasCutOff)
    }

    @Test("P44: the first stage writes, the middle one dies of a signal, and the last is slow: all is known")
    func killed() async throws {
        let last = Command.script("cat >/dev/null; sleep 0.05; echo done")
        let pipeline = Command("yes").piped(to: Command.script("read line; kill -USR1 $$")).piped(to: last)
        let error = try await #require(throws: PipelineError.self) { try await pipeline.capture() }
        #expect(error.stage.position == 2)
        #expect(error.status == .signalled(.user1, coreDumped: false))
        #expect(error.result.stages.map(\.wasCutOff) == [true, false, false])
        #expect(error.result.output.text == "done\n")
        // The last stage's SIGPIPE is nobody's wish.
        let own = Command("true").piped(to: .testChild("kill-self", "PIPE"))
        let cut = try await #require(throws: PipelineError.self) { try await own.capture() }
        #expect(cut.stage.position == 2)
    }

    @Test("P21: ten megabytes pass three stages whole", arguments: Place.allCases)
    func large(_ place: Place) async throws {
        try await place.run {
            let cat = Command.testChild("cat")
            let result = try await Command.testChild("flood", "out", 10_000_000).piped(to: cat).piped(to: cat).capture()
            expectSame(result.output.bytes, floodedBytes(10_000_000))
            let given = try await cat.input(floodedBytes(10_000_000)).piped(to: cat).piped(to: cat).capture()
            expectSame(given.output.bytes, floodedBytes(10_000_000))
        }
    }

    @Test("P22: complaints of every stage are taken in, however many")
    func complaints() async throws {
        let stage = Command.script(#"cat; "$0" flood err 1000000"#)
        let result = try await stage.piped(to: stage).piped(to: stage).capture()
        for stage in result.stages { expectSame(stage.error.tail, Array(floodedBytes(1_000_000).suffix(8192))) }
        let merged = Command.script("echo out; echo err >&2").mergingError().piped(to: Command("cat"))
        #expect(try await merged.read() == "out\nerr")
    }

    @Test(
        "H-07: a stage that cannot be started is an error of its kind, and nothing of the others is left",
        arguments: 0..<3)
    func failingStart(_ place: Int) async throws {
        var stages = [Command.testChild("sleep", 1_000), .testChild("sleep", 1_000), .testChild("sleep", 1_000)]
        stages[place] = Command("/no/such/program")
        let pipeline = try #require(Pipeline(stages)).piped { _, _ in Issue.record("a function of it runs") }
        for form in [{ _ = try await pipeline.capture() }, { _ = try await pipeline.run() }]
            as [() async throws -> Void]
        {
            let error = try await within(.seconds(1)) {
                try await #require(throws: StartError.self) { try await form() }
            }
            #expect(error.kind == .notFound)
        }
    }

    @Test func theOuterStreamsAreThoseOfTheCommands() async throws {
        try await withTemporaryFolder { folder in
            let (source, target) = (folder.appending("in"), folder.appending("out"))
            try await Command("echo", "from a file").output(.file(source)).run()
            let first = Command("cat").input(.file(source))
            try await first.piped(to: Command("tr", "a-z", "A-Z").output(.file(target))).run()
            #expect(Folder.text(of: target.string) == "FROM A FILE\n")
        }
    }

    @Test("P23: output beyond the limit is an error, or dropped, as asked")
    func limits() async throws {
        let endless = Command("yes").piped(to: .testChild("cat"))
        let error = try await within(.seconds(5)) {
            try await #require(throws: PipelineError.self) { try await endless.capture(limit: .failing(beyond: 1_000)) }
        }
        #expect(error.isOutputLimitExceeded && error.stage.position == 2)
        #expect(error.result.output.head.count == 1_000)
        let flood = Command.testChild("flood", "out", 1_000_000).piped(to: .testChild("cat"))
        let kept = try await flood.capture(limit: .keeping(head: 10, tail: 20)).output
        #expect(kept.head.count == 10 && kept.tail.count == 20 && kept.dropped == 999_970)
    }

    @Test("S-24: what is written to a pipeline arrives; a sink that leaves is named with its status")
    func input() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("out")
            let pipeline = Command("cat").piped(to: Command("tr", "a-z", "A-Z").output(.file(file)))
            let result = try await pipeline.withInput { try await $0.write("text") }
            #expect(result.status == .exited(0))
            #expect(Folder.text(of: file.string) == "TEXT")
        }
        let endless: @Sendable (ByteWriter) async throws -> Void = { writer in
            while true { try await writer.write([UInt8](repeating: 0, count: 65_536)) }
        }
        let sink = Command.testChild("read", 100)
        for (pipeline, position) in [(Pipeline(sink), 1), (Command.testChild("cat").piped(to: sink), 2)] {
            let error = try await #require(throws: PipelineError.self) { try await pipeline.withInput(endless) }
            #expect(error.stage.position == position && error.status == .exited(3))
        }
        let satisfied = Command.testChild("cat").piped(to: Command("head", "-c", 10).output(.discard))
        let error = try await #require(throws: SystemError.self) { try await satisfied.withInput(endless) }
        #expect(error.errno == .brokenPipe)
    }

    @Test("An error of the body ends all stages, and is the call's, a limit of its own among them")
    func bodyThrows() async throws {
        let stage = Command.script(#"trap "" TERM; cat; while :; do sleep 0.01; done"#)
        let pipeline = stage.piped(to: stage.output(.discard))
        await #expect(throws: Failed.self) {
            try await pipeline.withInput(grace: .milliseconds(50)) { _ in throw Failed() }
        }
        let error = try await #require(throws: TimeoutError.self) {
            let pipe = try AnonymousPipe()
            try await pipeline.withInput(timeout: .seconds(50), grace: .milliseconds(50)) { _ in
                _ = try await pipe.reader.read(upTo: 1, timeout: .milliseconds(10))
            }
        }
        #expect(error.operation == "read" && error.limit == .milliseconds(10))
    }

    @Test("P20: the limit ends stages of which the first listens no more, and is the error")
    func limitOfTheDeaf() async throws {
        let sign = try Sign()
        let first = Command.script("exec <&-; echo closed >&2; exec sleep 1000").error(sign.output)
        let limit = Duration.milliseconds(300) * Watchdog.patience
        let error = await failure {
            try await first.piped(to: Command("cat")).withInput(timeout: limit) { writer in
                try await sign.wait()
                while true { try await writer.write("nobody reads this") }
            }
        }
        #expect((error as? TimeoutError)?.limit == limit, "\(String(describing: error))")
    }
}
