// One run of a command from its start to its end: its streams are served while it runs, and nothing of it is left.
import CIPC
import SystemPackage

/// How a run is to go, apart from the command itself.
struct Execution: Sendable {
    let command: Command
    var outputLimit = CaptureLimit.failing(beyond: 64 << 20)
    var errorLimit = CaptureLimit.errorTail
    var deadline: Deadline?
    var grace: Duration

    /// Serves a started child until it has ended, while `body` uses its streams.
    ///
    /// However the run ends, the child's tree has ended and is reaped when this returns or throws.
    ///
    /// - Throws: ``TimeoutError`` with what was captured, `CancellationError`, ``CommandError``, what `body` throws.
    func complete(
        _ child: Child, began: ContinuousClock.Instant, feeding input: [UInt8]?,
        _ body: (Child) async throws -> Void = { _ in }
    ) async throws -> CommandResult {
        if child.hasNoPipes { return try await completeAlone(child, began: began) }
        async let output = Execution.collect(child.standardOutput, outputLimit, command.told(.output)) {
            child.endSoon(grace: grace)
        }
        async let error = Execution.collect(child.standardError, errorLimit, command.told(.error)) {
            child.endSoon(grace: grace)
        }
        async let left = feed(input, to: child.standardInput)
        async let end = ended(child)
        var failure: Failure?
        do {
            if let deadline { try await deadline.run { try await body(child) } } else { try await body(child) }
            if input == nil { try child.standardInput?.close() }
        } catch {
            failure = .ofBody(error)
            try? child.standardInput?.close()
            if !isBrokenPipe(error, of: child) { await child.end(grace: grace) }
        }
        do { _ = try await end } catch {
            // That the program took no input is not why it had to be ended.
            if failure.map({ isBrokenPipe($0.error, of: child) }) ?? true { failure = .ofRun(error) }
            await child.end(grace: grace)
            child.finishStreams()
        }
        let (out, err, rest) = (await output, await error, await left)
        // Output that could not be read to its end is not a result.
        if failure == nil { failure = (out.failure ?? err.failure).map { .ofRun($0) } }
        let known = try await child.ended(nil, endingTree: command.endsTree)
        let result = CommandResult(
            processID: child.processID, status: known.status, output: out.output, error: err.output, usage: known.usage,
            duration: .now - began, inputLeft: rest)
        if let failure, isBrokenPipe(failure.error, of: child) {
            let kind: CommandError.Kind = result.status.isSuccess ? .inputNotTaken : .failed
            throw CommandError(kind, command: command.description, result: result)
        }
        try check(result, failure, isExceeded: out.isExceeded || err.isExceeded)
        return result
    }

    /// Waits for the child's end without serving anything: what a run needs that shares our streams.
    private func completeAlone(_ child: Child, began: ContinuousClock.Instant) async throws -> CommandResult {
        var failure: Failure?
        do { _ = try await child.ended(deadline, endingTree: command.endsTree) } catch {
            failure = .ofRun(error)
            await child.end(grace: grace)
        }
        let known = try await child.ended(nil, endingTree: command.endsTree)
        let result = CommandResult(
            processID: child.processID, status: known.status, output: CapturedOutput(), error: CapturedOutput(),
            usage: known.usage, duration: .now - began, inputLeft: 0)
        try check(result, failure, isExceeded: false)
        return result
    }

    /// What went wrong: in what the body did, or in the run itself.
    private enum Failure {
        case ofBody(any Error)
        case ofRun(any Error)

        var error: any Error {
            switch self {
            case .ofBody(let error), .ofRun(let error): error
            }
        }
    }

    private func check(_ result: CommandResult, _ failure: Failure?, isExceeded: Bool) throws {
        if case .ofRun(let timeout as TimeoutError) = failure {
            throw TimeoutError(
                "run", on: command.description, limit: timeout.limit, output: result.output.bytes,
                error: result.error.bytes)
        }
        if let failure { throw failure.error }
        if isExceeded { throw CommandError(.outputLimitExceeded, command: command.description, result: result) }
        if command.isChecked, !result.status.isSuccess {
            throw CommandError(.failed, command: command.description, result: result)
        }
    }

    /// Whether the child would not take its input; an error of another stream in the body is not that.
    private func isBrokenPipe(_ error: any Error, of child: Child) -> Bool {
        guard let error = error as? SystemError else { return false }
        return error.errno == .brokenPipe && error.subject == child.standardInput?.name
    }

    // MARK: What goes on while it runs

    /// The child's end. What was left of its tree is gone then, and its streams end with what is in them.
    private func ended(_ child: Child) async throws -> ExitStatus {
        let end = try await child.ended(deadline, endingTree: command.endsTree)
        child.finishStreams()
        return end.status
    }

    private func feed(_ bytes: [UInt8]?, to writer: ByteWriter?) async -> Int {
        guard let bytes, let writer else { return 0 }
        // Whoever does not read it all, or is ended before, is told by the number that is left.
        try? await writer.write(bytes)
        try? writer.close()
        return bytes.count - writer.bytesWritten
    }

    /// Reads an output to its end and keeps what the limit says; `onExcess` is called once, if there is more.
    static func collect(
        _ reader: ByteReader?, _ limit: CaptureLimit, _ observe: (@Sendable ([UInt8]) -> Void)? = nil,
        onExcess: @Sendable () -> Void
    ) async -> Collected {
        guard let reader else { return Collected(output: CapturedOutput()) }
        var buffer = CaptureBuffer(limit)
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        var isEnding = false
        var failure: (any Error)?
        do {
            // A deadline of the task's is for the program, which is ended by it; and with the program what there is to read.
            try await Deadline.$ambient.withValue(nil) {
                while case let count = try await reader.read(into: &chunk), count > 0 {
                    buffer.append(chunk[..<count])
                    observe?(Array(chunk[..<count]))
                    if buffer.isExceeded, !isEnding {
                        isEnding = true
                        onExcess()
                    }
                }
            }
        } catch { failure = error }
        return Collected(output: buffer.finished(), isExceeded: buffer.isExceeded, failure: failure)
    }
}

/// What was kept of an output.
struct Collected: Sendable {
    let output: CapturedOutput
    var isExceeded = false
    /// Why it could not be read to its end.
    var failure: (any Error)?
}

extension Child {
    /// The child has ended: what it wrote is still read, and nobody waits for processes that have left its tree and hold its
    /// pipes open.
    func finishStreams() {
        standardOutput?.descriptor.endWhenEmpty()
        standardError?.descriptor.endWhenEmpty()
        standardInput?.breakOff()
    }

    var hasNoPipes: Bool { standardInput == nil && standardOutput == nil && standardError == nil }
}
