// The ways to run a pipeline.

extension Pipeline {
    /// Runs the pipeline to its end: the first stage reads this process's standard input, the last one writes to its
    /// standard output, where the commands have no others.
    ///
    /// - Parameters:
    ///   - timeout: how long it may take altogether; then all stages are ended, and ``TimeoutError`` thrown.
    ///   - grace: how long the stages may take to comply with SIGTERM, after a limit or a cancellation, before SIGKILL.
    ///   - passingOn: signals to this process that are the stages' for the time of the run.
    /// - Returns: what came of each stage.
    /// - Throws: ``PipelineError`` if a stage failed, unless the pipeline is ``unchecked()``; ``StartError`` if one cannot be
    ///   started, and then none has run to its end; ``TimeoutError``; `CancellationError`. After each of them nothing of
    ///   any stage is left.
    @discardableResult
    public func run(
        timeout: Duration? = nil, grace: Duration = .seconds(2), passingOn: Set<Signal> = []
    ) async throws -> PipelineResult {
        try await run(Deadline.after(timeout), grace, passingOn)
    }

    /// Runs the pipeline to its end, as ``run(timeout:grace:passingOn:)`` does, until a deadline.
    @discardableResult
    public func run(
        deadline: Deadline, grace: Duration = .seconds(2), passingOn: Set<Signal> = []
    ) async throws -> PipelineResult {
        try await run(deadline, grace, passingOn)
    }

    /// Runs the pipeline and keeps what the last stage writes to its standard output, and the last 8 KiB of what each
    /// writes to its standard error. The first stage reads from `/dev/null`, unless its command has an input.
    ///
    /// - Parameters:
    ///   - limit: how much of the output to keep.
    ///   - timeout: how long it may run.
    ///   - grace: how long the trees may take to comply with SIGTERM before SIGKILL.
    ///   - passingOn: signals that are for the programs rather than for this process.
    /// - Throws: as ``run(timeout:grace:passingOn:)`` does; ``PipelineError`` for more output than the limit.
    public func capture(
        limit: CaptureLimit = .failing(beyond: 64 << 20), timeout: Duration? = nil, grace: Duration = .seconds(2),
        passingOn: Set<Signal> = []
    ) async throws -> PipelineResult {
        try await capture(limit, Deadline.after(timeout), grace, passingOn)
    }

    /// Runs the pipeline and keeps its output, as ``capture(limit:timeout:grace:passingOn:)`` does, until a deadline.
    public func capture(
        limit: CaptureLimit = .failing(beyond: 64 << 20), deadline: Deadline, grace: Duration = .seconds(2),
        passingOn: Set<Signal> = []
    ) async throws -> PipelineResult {
        try await capture(limit, deadline, grace, passingOn)
    }

    /// Runs the pipeline and gives its output as text, without the line ends at its end; the shell's `$(... | ...)`.
    ///
    /// - Throws: as ``capture(limit:timeout:grace:passingOn:)`` does; ``ReadError`` with `invalidText` if the output is not UTF-8.
    public func read(
        limit: Int = 64 << 20, timeout: Duration? = nil, grace: Duration = .seconds(2)
    ) async throws -> String {
        let result = try await capture(.failing(beyond: limit), Deadline.after(timeout), grace, [])
        return try result.output.trimmedText(of: description)
    }

    /// Runs the pipeline and gives its output as text, as ``read(limit:timeout:grace:)`` does, until a deadline.
    public func read(
        limit: Int = 64 << 20, deadline: Deadline, grace: Duration = .seconds(2)
    ) async throws -> String {
        try await capture(.failing(beyond: limit), deadline, grace, []).output.trimmedText(of: description)
    }

    /// The lines of the last stage's standard output, as it writes them; as ``Command/lines(keepingEnds:decoding:limit:timeout:grace:)``
    /// has them.
    ///
    /// The stages are started by the first `next()`. Leaving the loop early ends all of them. After the last line a stage
    /// that has failed throws ``PipelineError``, unless the pipeline is ``unchecked()``.
    public func lines(
        keepingEnds: Bool = false, decoding: TextDecoding = .strict, limit: Int = 1 << 20, timeout: Duration? = nil,
        grace: Duration = .seconds(2)
    ) -> CommandLines {
        let format = LineFormat(keepsEnds: keepingEnds, decoding: decoding, limit: limit)
        return CommandLines(format: format, timeout: timeout) { try PipelineLineSource(self, grace) }
    }

    /// Runs the pipeline while `body` writes to its first stage, whose input ends when the body returns.
    ///
    /// - Throws: what the body throws, and as ``run(timeout:grace:passingOn:)`` does. That the first stage has left before it
    ///   had read everything is the body's `EPIPE`, ``SystemError``, and no failure of the stage that a later one cut off.
    @discardableResult
    public func withInput(
        timeout: Duration? = nil, grace: Duration = .seconds(2), _ body: (ByteWriter) async throws -> Void
    ) async throws -> PipelineResult {
        try await withInput(Deadline.after(timeout), grace, body)
    }

    /// Runs the pipeline while `body` writes to it, as ``withInput(timeout:grace:_:)`` does, until a deadline.
    @discardableResult
    public func withInput(
        deadline: Deadline, grace: Duration = .seconds(2), _ body: (ByteWriter) async throws -> Void
    ) async throws -> PipelineResult {
        try await withInput(deadline, grace, body)
    }

    private func run(
        _ deadline: Deadline?, _ grace: Duration, _ passingOn: Set<Signal>
    ) async throws -> PipelineResult {
        let streams = PipelineStreams(input: .inherit, output: .inherit, error: .inherit)
        let run = PipelineRun(of: self, deadline: deadline, grace: grace)
        return try await run.perform(streams, passingOn) { _ in }
    }

    private func capture(
        _ limit: CaptureLimit, _ deadline: Deadline?, _ grace: Duration, _ passingOn: Set<Signal>
    ) async throws -> PipelineResult {
        let streams = PipelineStreams(input: .discard, output: .pipe, error: .pipe)
        let run = PipelineRun(of: self, deadline: deadline, grace: grace, limit: limit)
        return try await run.perform(streams, passingOn) { _ in }
    }

    private func withInput(
        _ deadline: Deadline?, _ grace: Duration, _ body: (ByteWriter) async throws -> Void
    ) async throws -> PipelineResult {
        let streams = PipelineStreams(input: .pipe, output: .inherit, error: .pipe)
        let run = PipelineRun(of: self, deadline: deadline, grace: grace)
        return try await run.perform(streams, []) { writer in
            if let writer { try await body(writer) }
        }
    }
}

/// What the outer ends of a pipeline are, where its commands do not say.
struct PipelineStreams {
    let input: Command.Input
    let output: Command.Output
    let error: Command.Output
}
