// One run of a pipeline: all stages started, served while they run, ended together.
import SystemPackage

/// How a pipeline is to run.
struct PipelineRun: Sendable {
    let pipeline: Pipeline
    let deadline: Deadline?
    let grace: Duration
    var limit = CaptureLimit.failing(beyond: 64 << 20)

    init(of pipeline: Pipeline, deadline: Deadline?, grace: Duration, limit: CaptureLimit = .failing(beyond: 64 << 20))
    {
        self.pipeline = pipeline
        self.deadline = deadline
        self.grace = grace
        self.limit = limit
    }

    /// Starts the stages, serves them while `body` writes to the first, and says what came of each. However it ends, no
    /// stage is left.
    func perform(
        _ streams: PipelineStreams, _ passingOn: Set<Signal>, _ body: (ByteWriter?) async throws -> Void
    ) async throws -> PipelineResult {
        let began = ContinuousClock.now
        let terminal = pipeline.firstInput(streams).flatMap { ForegroundTerminal(for: $0) }
        let relay = try SignalRelay(passingOn)
        defer { relay.end() }
        let stages = RunningStages()
        defer { if let terminal, terminal.isHeld(by: stages.leader?.processID.rawValue) { terminal.takeBack() } }
        do {
            try stages.start(pipeline, streams, terminal: terminal)
            relay.direct(to: stages.leader.map { [$0] } ?? stages.children)
            if let leader = stages.leader { try terminal?.followStops(of: leader, withGroup: true) }
        } catch {
            await stages.end(grace: grace)
            throw error
        }
        return try await withTaskCancellationHandler {
            try await serve(stages, began, body)
        } onCancel: {
            stages.cancelFunctions()
        }
    }

    private func serve(
        _ stages: RunningStages, _ began: ContinuousClock.Instant, _ body: (ByteWriter?) async throws -> Void
    ) async throws -> PipelineResult {
        let grace = grace
        stages.startFunctions(deadline)  // before anybody waits for them
        async let output = Execution.collect(stages.output, limit, stages.observe) { stages.endSoon(grace: grace) }
        async let errors = stages.collectErrors()
        async let fed: Void = stages.feed()
        async let over: Void = stages.waitForAll(deadline)
        var failure: (any Error)?
        var isOfRun = false
        do {
            if let deadline {
                try await deadline.run { try await body(stages.input) }
            } else {
                try await body(stages.input)
            }
            if !stages.isFed { try stages.input?.close() }
        } catch {
            failure = error
            try? stages.input?.close()
            if !isBrokenPipe(error, of: stages) { await stages.end(grace: grace) }
        }
        do { try await over } catch {
            // That the first stage took no more is not why they had to be ended.
            if failure.map({ isBrokenPipe($0, of: stages) }) ?? true { (failure, isOfRun) = (error, true) }
            await stages.end(grace: grace)
        }
        stages.finishStreams()
        await fed
        let (collected, complaints) = (await output, await errors)
        failure = failure ?? collected.failure
        let results = await stages.results(complaints)
        let result = PipelineResult(stages: results, output: collected.output, duration: .now - began)
        try check(result, failure, isOfRun: isOfRun, isExceeded: collected.isExceeded, stages)
        return result
    }

    private func check(
        _ result: PipelineResult, _ failure: (any Error)?, isOfRun: Bool, isExceeded: Bool, _ stages: RunningStages
    ) throws {
        if isOfRun, let timeout = failure as? TimeoutError {
            throw TimeoutError(
                "run", on: pipeline.description, limit: timeout.limit, output: result.output.bytes,
                error: result.stages.last?.error.bytes ?? [])
        }
        if isExceeded, let last = result.stages.last {
            throw PipelineError(stage: last, result: result, isOutputLimitExceeded: true)
        }
        // Why a stage took no more says more than that it did not.
        if let failed = result.failedStage, pipeline.isChecked || failed.failure != nil,
            failure == nil || failure.map({ isBrokenPipe($0, of: stages) }) == true
        {
            throw PipelineError(stage: failed, result: result, isOutputLimitExceeded: false)
        }
        if let failure { throw failure }
    }

    private func isBrokenPipe(_ error: any Error, of stages: RunningStages) -> Bool {
        guard let error = error as? SystemError else { return false }
        return error.errno == .brokenPipe && error.subject == stages.input?.name
    }
}

extension Pipeline {
    /// What the first stage reads; `nil` if it is a function.
    fileprivate func firstInput(_ streams: PipelineStreams) -> Command.Input? {
        guard case .command(let command) = stages.first, command.isGrouped, command.setup.session == .ours else {
            return nil
        }
        return command.input ?? streams.input
    }
}
