// Running a program that is read and written at the same time; the manual's open2 and open3.
import CIPC
import SystemPackage

extension Command {
    /// Runs the program while `body` writes to it and reads from it; its input ends when the body returns.
    ///
    /// ```swift
    /// let answer = try await Command("bc", "-l").withPipes { bc in
    ///     try await bc.standardInput.write("2^10\n")
    ///     return try await bc.standardOutput.readLine()
    /// }
    /// ```
    ///
    /// Neither can wait for the other for ever: while the body waits to write, what the program writes is kept in memory. The
    /// last 8 KiB of its standard error are kept for the error, unless the command says `.error(.pipe)`, whereupon
    /// ``CommandPipes/standardError`` has it, or something else. What the body has not read when it returns is dropped; a
    /// program that writes on has its output closed, and that it ends thereby is no error.
    ///
    /// - Parameters:
    ///   - transport: what joins the two.
    ///   - bufferLimit: the most bytes of each output to keep in memory; a write that would need more fails.
    ///   - timeout: how long program and body may take together.
    ///   - grace: how long the tree may take to comply with SIGTERM before SIGKILL.
    ///   - body: reads and writes. Leaving it by an error ends the program.
    /// - Throws: what the body throws; ``CommandError`` for another status than 0, unless the command is ``unchecked()``, and
    ///   with `inputNotTaken` if the program left before it had read what the body wrote; ``StartError``;
    ///   ``TimeoutError``; ``ReadError`` with `limitExceeded` for more output than the buffer may hold; `CancellationError`.
    public func withPipes<Result>(
        over transport: TwoWayTransport = .pipes, bufferLimit: Int = 64 << 20, timeout: Duration? = nil,
        grace: Duration = .seconds(2), _ body: (CommandPipes) async throws -> Result
    ) async throws -> Result {
        try await withPipes(transport, bufferLimit, Deadline.after(timeout), grace, body)
    }

    /// Runs the program while `body` reads and writes, as ``withPipes(over:bufferLimit:timeout:grace:_:)`` does, until a
    /// deadline.
    public func withPipes<Result>(
        over transport: TwoWayTransport = .pipes, bufferLimit: Int = 64 << 20, deadline: Deadline,
        grace: Duration = .seconds(2), _ body: (CommandPipes) async throws -> Result
    ) async throws -> Result {
        try await withPipes(transport, bufferLimit, deadline, grace, body)
    }

    private func withPipes<Result>(
        _ transport: TwoWayTransport, _ bufferLimit: Int, _ deadline: Deadline?, _ grace: Duration,
        _ body: (CommandPipes) async throws -> Result
    ) async throws -> Result {
        let began = ContinuousClock.now
        let (child, pipes) = try startTwoWay(transport, bufferLimit)
        let isErrorRead = pipes.standardError != nil
        async let complaints = Execution.collect(isErrorRead ? nil : child.standardError, .errorTail, told(.error)) {}
        async let excess = pipes.absorbErrors { child.endSoon(grace: grace) }
        async let end = child.endedFinishing(pipes, deadline, endingTree: endsTree)
        var outcome: Swift.Result<Result, any Error>
        do {
            let value = try await deadline.runs { try await body(pipes) }
            try pipes.standardInput.close()
            outcome = .success(value)
        } catch {
            outcome = .failure(error)
            try? pipes.standardInput.close()
            if !isBrokenPipe(error, of: pipes) { await child.end(grace: grace) }
        }
        async let wasCutOff = pipes.dropRest()
        do { _ = try await end } catch {
            // That the program took no more is not why it had to be ended.
            let isExcused = if case .failure(let former) = outcome { isBrokenPipe(former, of: pipes) } else { true }
            if isExcused { outcome = .failure(error) }
            await child.end(grace: grace)
            pipes.finish()
        }
        if case .success = outcome, let excess = await excess { outcome = .failure(excess) }
        let known = try await child.ended(nil, endingTree: endsTree)
        let result = CommandResult(
            processID: child.processID, status: known.status, output: CapturedOutput(),
            error: await complaints.output, usage: known.usage, duration: .now - began, inputLeft: 0)
        return try judge(outcome, result, pipes, await wasCutOff)
    }

    /// What the caller gets: the value, or the error that says most.
    private func judge<Value>(
        _ outcome: Swift.Result<Value, any Error>, _ result: CommandResult, _ pipes: CommandPipes, _ wasCutOff: Bool
    ) throws -> Value {
        switch outcome {
        case .success(let value):
            // On a socket it is told by an error, and no signal comes: its status then is its own affair.
            let isExcused =
                wasCutOff
                && (result.status == .signalled(.brokenPipe, coreDumped: false)
                    || pipes.standardOutput.descriptor.endsWhenReset)
            guard isChecked, !result.status.isSuccess, !isExcused else { return value }
            throw CommandError(.failed, command: description, result: result)
        case .failure(let error) where isBrokenPipe(error, of: pipes):
            throw CommandError(result.status.isSuccess ? .inputNotTaken : .failed, command: description, result: result)
        case .failure(var error as NoAnswerError) where error.kind == .ended:
            error.status = result.status
            throw error
        case .failure(let error as TimeoutError) where error.subject == pipes.name && error.operation == "wait":
            throw TimeoutError("run", on: description, limit: error.limit, error: result.error.bytes)
        case .failure(let error): throw error
        }
    }

    private func isBrokenPipe(_ error: any Error, of pipes: CommandPipes) -> Bool {
        guard let error = error as? SystemError else { return false }
        return error.errno == .brokenPipe && error.subject == pipes.standardInput.name
    }

    private func startTwoWay(_ transport: TwoWayTransport, _ limit: Int) throws -> (Child, CommandPipes) {
        let (child, input, output): (Child, ByteWriter?, ByteReader?)
        switch transport {
        case .pipes:
            child = try start(input: .pipe, output: .pipe, error: error ?? .pipe)
            (input, output) = (child.standardInput, child.standardOutput)
        case .socketPair:
            var (ours, theirs): (Int32, Int32) = (-1, -1)
            try SystemCall.perform("socketpair", on: shortName) { ipc_stream_socket_pair(&ours, &theirs) }
            let own = try Descriptor(fresh: ours, "socketpair", on: shortName)
            let other = try Descriptor(fresh: theirs, "socketpair", on: shortName)
            let second = try other.duplicate()
            let writer = SharedDescriptor(
                try own.duplicate(), .socket, subject: "standard input of \(shortName)")
            writer.isWritingHalf = true
            child = try start(input: .descriptor(other), output: .descriptor(second), error: error ?? .pipe)
            input = ByteWriter(writer)
            let reader = SharedDescriptor(own, .socket, subject: "standard output of \(shortName)")
            reader.endsWhenReset = true
            output = ByteReader(reader)
        }
        guard let input, let output else { throw SystemError("start", on: shortName, .badFileDescriptor) }
        let isErrorRead = if case .pipe = error?.target { true } else { false }
        let errors = isErrorRead ? child.standardError : nil
        output.absorptionLimit = limit
        errors?.absorptionLimit = limit
        input.descriptor.relief = output
        errors?.descriptor.relief = output
        return (child, CommandPipes(child, input: input, output: output, error: errors))
    }
}

extension CommandPipes {
    /// Reads what the program complains into memory as it comes; the error if that is more than the limit.
    func absorbErrors(onExcess: @Sendable () -> Void) async -> ReadError? {
        do { try await standardError?.absorb() } catch let error as ReadError {
            onExcess()
            return error
        } catch {}
        return nil
    }

    /// The program has ended: what it wrote can still be read, whoever else holds its pipes.
    func finish() {
        standardOutput.descriptor.endWhenEmpty()
        standardError?.descriptor.endWhenEmpty()
        standardInput.breakOff()
    }

    /// Reads and drops what the body has left, and closes the output of a program that does not stop; whether it did.
    func dropRest() async -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        var left = 1 << 20
        while left > 0 {
            guard let count = try? await standardOutput.read(into: &chunk), count > 0 else { return false }
            left -= count
        }
        standardOutput.close()
        return true
    }
}

extension Child {
    /// The child's end; its pipes end with what is in them.
    fileprivate func endedFinishing(
        _ pipes: CommandPipes, _ deadline: Deadline?, endingTree: Bool
    ) async throws -> ExitStatus {
        let end = try await ended(deadline, endingTree: endingTree)
        pipes.finish()
        finishStreams()
        return end.status
    }
}

extension Deadline? {
    /// Runs a body under the deadline, if there is one.
    func runs<Result>(_ body: () async throws -> Result) async throws -> Result {
        if let self { try await self.run(body) } else { try await body() }
    }
}
