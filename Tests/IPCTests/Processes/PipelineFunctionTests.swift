// Functions of the program itself as stages of a pipeline.
import Synchronization
import Testing

@testable import IPC

@Suite(.guarded)
struct PipelineFunctionTests {
    private static let copy: Pipeline.Function = { input, output in
        while case let bytes = try await input.read(upTo: 65_536), !bytes.isEmpty { try await output.write(bytes) }
    }

    private static let upcase: Pipeline.Function = { input, output in
        for try await line in input.lines() { try await output.write(line.uppercased() + "\n") }
    }

    @Test("A function in the middle, at the end, and at the beginning", arguments: Place.allCases)
    func places(_ place: Place) async throws {
        try await place.run {
            let echo = Command("printf", #"one\ntwo\n"#)
            let middle = echo.piped(through: "upcase", Self.upcase).piped(to: Command("cat", "-n"))
            #expect(middle.description.hasSuffix(" | upcase | cat -n"))
            #expect(try await middle.read() == "     1\tONE\n     2\tTWO")
            let result = try await echo.piped(through: "upcase", Self.upcase).capture()
            #expect(result.output.text == "ONE\nTWO\n")
            #expect(result.stages.map(\.processID).map { $0 == nil } == [false, true])
            #expect(result.stages.map(\.status) == [.exited(0), .exited(0)])
            let first = Pipeline([.function("first", { _, output in try await output.write("x\n") })])
            #expect(try await first.piped(through: "upcase", Self.upcase).piped(to: Command("cat")).read() == "X")
        }
    }

    @Test("P21: large data pass functions and programs in turn", arguments: Place.allCases)
    func large(_ place: Place) async throws {
        try await place.run {
            let pipeline = Command.testChild("flood", "out", 10_000_000).piped(through: "copy", Self.copy)
                .piped(to: .testChild("cat")).piped(through: "copy", Self.copy).piped(through: "copy", Self.copy)
            expectSame(try await pipeline.capture().output.bytes, floodedBytes(10_000_000))
        }
    }

    @Test("P44: a function that throws is the stage that failed, and its error is there", arguments: 0..<2)
    func throwing(_ after: Int) async throws {
        let failing: Pipeline.Function = { input, _ in
            _ = try await input.read(upTo: 1)
            throw Failed()
        }
        var pipeline = Command("yes").piped(through: "failing", failing)
        for _ in 0..<after { pipeline = pipeline.piped(to: .testChild("cat")) }
        for checked in [pipeline, pipeline.unchecked()] {
            let error = try await #require(throws: PipelineError.self) { try await checked.capture() }
            #expect(error.stage.position == 2 && error.stage.name == "failing")
            #expect(error.stage.failure is Failed)
            #expect(error.status == .exited(1))
            #expect(error.result.stages[0].wasCutOff)
            #expect("\(error)" == "stage 2 of \(2 + after), failing: Failed()")
        }
    }

    @Test("S-28: a function whose reader wants no more is cut off, and has not failed")
    func cutOff() async throws {
        let endless: Pipeline.Function = { _, output in while true { try await output.write("line\n") } }
        let result = try await Command("true").piped(through: "endless", endless).piped(to: Command("head", "-n", 1))
            .capture()
        #expect(result.output.text == "line\n")
        #expect(result.stages.map(\.wasCutOff) == [false, true, false])
        #expect(result.stages[1].failure == nil && result.stages[1].isSuccess)
        // A pipe of its own is another matter.
        let another: Pipeline.Function = { _, _ in
            let pipe = try AnonymousPipe()
            pipe.reader.close()
            try await pipe.writer.write("x")
        }
        let error = try await #require(throws: PipelineError.self) {
            try await Command("true").piped(through: "another", another).piped(to: Command("cat")).capture()
        }
        #expect((error.stage.failure as? SystemError)?.errno == .brokenPipe)
    }

    @Test("A function that returns early cuts off who writes to it, and ends who reads from it")
    func early() async throws {
        let result = try await within(.seconds(3)) {
            try await Command("yes").piped { _, _ in }.piped(to: .testChild("cat")).capture()
        }
        #expect(result.stages.map(\.wasCutOff) == [true, false, false])
        #expect(result.output.count == 0)
    }

    @Test("P37: functions are cancelled by the limit and with the pipeline", arguments: Place.allCases)
    func cancelled(_ place: Place) async throws {
        let waits: [Pipeline.Function] = [
            { _, _ in try await Task.sleep(for: .seconds(1_000)) },
            { input, _ in _ = try await input.readAll(limit: 1_000) },
            { _, output in
                try await withTaskCancellationHandler {
                    while true { try await output.write("x") }
                } onCancel: {
                }
            },
            { _, _ in _ = try await Command.testChild("sleep", 1_000).capture() },
        ]
        for wait in waits {
            let began = Latch()
            let pipeline = Command.testChild("sleep", 1_000).piped { input, output in
                began.open()
                try await wait(input, output)
            }.piped(to: .testChild("sleep", 1_000))
            let limited = await within(.seconds(3)) {
                await failure {
                    _ = try await place.run {
                        try await pipeline.capture(timeout: .milliseconds(100) * Watchdog.patience)
                    }
                }
            }
            #expect(limited is TimeoutError, "\(String(describing: limited))")
            let outcome = try await place.run {
                try await cancelling({ _ = try await pipeline.capture() }, when: { await began.wait() })
            }
            #expect(outcome is CancellationError, "\(String(describing: outcome))")
        }
    }

    @Test("A function alone at the end outlives the programs, and the limit counts for it")
    func last() async throws {
        let seen = Counter()
        let slow = Command.testChild("flood", "out", 1_000_000).piped { input, _ in
            while case let bytes = try await input.read(upTo: 10_000), !bytes.isEmpty {
                seen.add(bytes.count)
                await Task.yield()
            }
        }
        _ = try await slow.capture()
        #expect(seen.value == 1_000_000)
        let endless = Command("true").piped { _, _ in try await Task.sleep(for: .seconds(1_000)) }
        let error = try await #require(throws: TimeoutError.self) {
            try await endless.run(timeout: .milliseconds(50))
        }
        #expect(error.subject == endless.description && error.limit == .milliseconds(50))
    }

    @Test("What a body writes goes through functions too")
    func input() async throws {
        let seen = Box<String>()
        let pipeline = Command.testChild("cat").piped(through: "upcase", Self.upcase).piped { input, _ in
            seen.set(try await input.readLine() ?? "")
        }
        try await pipeline.withInput { try await $0.write("text\n") }
        #expect(seen.value == "TEXT")
    }
}
