// What runs for the sake of its lines, and ends when nobody wants more of them.

/// A program, or several, started for the lines of its output. Whoever lets go of it ends it.
protocol LineSource: AnyObject, Sendable {
    /// The output.
    var reader: ByteReader { get }

    /// Waits for the end after the last line, and throws if what ran has failed.
    func finish(_ deadline: Deadline?) async throws
}

/// One program.
final class CommandLineSource: LineSource {
    let reader: ByteReader
    private let command: Command
    private let child: Child
    private let grace: Duration
    private let began = ContinuousClock.now
    private let complaints: Task<CapturedOutput, Never>

    init(_ command: Command, _ grace: Duration) throws {
        self.command = command
        self.grace = grace
        child = try command.start(
            input: command.input ?? .discard, output: .pipe, error: command.error ?? .pipe)
        guard let output = child.standardOutput else { throw SystemError("read", on: child.name, .badFileDescriptor) }
        reader = output
        let loop = EventLoop.current
        let (child, endsTree) = (child, command.endsTree)
        // The child's end is not learned from its output: a process that it leaves behind may hold that open.
        Task.detached(executorPreference: loop) {
            _ = try? await child.ended(nil, endingTree: endsTree)
            child.finishStreams()
        }
        if let writer = child.standardInput {
            let bytes = command.givenBytes ?? []  // a pipe that nobody else can write to is at its end
            Task.detached(executorPreference: loop) {
                try? await writer.write(bytes)
                try? writer.close()
            }
        }
        let observe = command.told(.error)
        complaints = Task.detached(executorPreference: loop) {
            await Execution.collect(child.standardError, .errorTail, observe) {}.output
        }
    }

    deinit { child.endSoon(grace: grace) }

    func finish(_ deadline: Deadline?) async throws {
        let end = try await child.ended(deadline, endingTree: command.endsTree)
        child.finishStreams()
        // Also where all is well: nobody is told of standard error when the loop is over.
        let error = await complaints.value
        guard command.isChecked, !end.status.isSuccess else { return }
        let result = CommandResult(
            processID: child.processID, status: end.status, output: CapturedOutput(), error: error,
            usage: end.usage, duration: .now - began, inputLeft: 0)
        throw CommandError(.failed, command: command.description, result: result)
    }
}

/// Several programs and functions.
final class PipelineLineSource: LineSource {
    let reader: ByteReader
    private let pipeline: Pipeline
    private let stages = RunningStages()
    private let grace: Duration
    private let began = ContinuousClock.now
    private let complaints: Task<[Int: CapturedOutput], Never>
    private let end: Task<Void, any Error>

    init(_ pipeline: Pipeline, _ grace: Duration) throws {
        self.pipeline = pipeline
        self.grace = grace
        let stages = stages
        do {
            let streams = PipelineStreams(input: .discard, output: .pipe, error: .pipe)
            try stages.start(pipeline, streams, terminal: nil)
            guard let output = stages.output else {
                throw SystemError("read", on: pipeline.description, .badFileDescriptor)
            }
            reader = output
        } catch {
            stages.endSoon(grace: grace)
            throw error
        }
        stages.startFunctions(nil)
        let loop = EventLoop.current
        complaints = Task.detached(executorPreference: loop) { await stages.collectErrors() }
        end = Task.detached(executorPreference: loop) {
            async let fed: Void = stages.feed()
            try await stages.waitForAll(nil)
            stages.finishStreams()
            await fed
        }
    }

    deinit { stages.endSoon(grace: grace) }

    func finish(_ deadline: Deadline?) async throws {
        try await stages.waitForAll(deadline)
        stages.finishStreams()
        let results = await stages.results(await complaints.value)
        let result = PipelineResult(stages: results, output: CapturedOutput(), duration: .now - began)
        if let failed = result.failedStage, pipeline.isChecked || failed.failure != nil {
            throw PipelineError(stage: failed, result: result, isOutputLimitExceeded: false)
        }
    }
}
