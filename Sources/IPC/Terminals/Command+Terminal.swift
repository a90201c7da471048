// Running a program on a terminal for the time of a body.
import CIPC
import SystemPackage

extension Command {
    /// Runs the program on a terminal of its own while `body` talks with it.
    ///
    /// ```swift
    /// try await Command("passwd", user).withTerminal { session in
    ///     for _ in 1...2 {
    ///         try await session.expect(.pattern("(?i)password:"), timeout: .seconds(5))
    ///         try await session.send(line: secret)
    ///     }
    ///     try await session.wait()
    /// }
    /// ```
    ///
    /// The terminal is the program's controlling one, which `/dev/tty` opens, and all its standard streams, unless the command
    /// says otherwise: `.error(.pipe)` keeps the errors apart, as ``Child/standardError`` of ``TerminalSession/program``.
    /// This process's terminal, if it has one, is out of the program's reach.
    ///
    /// When the body returns or throws, the terminal is hung up: the program is sent `SIGHUP` and has `grace` to end. What is left
    /// of its session then is killed, in whatever groups, unless the command is ``keepingTree()``. How it ended is no error;
    /// a body that wants to know calls ``TerminalSession/wait(timeout:)``.
    ///
    /// - Parameters:
    ///   - size: of the window.
    ///   - echo: whether the terminal shows what is typed. It does not unless told so, so that what is expected cannot be found in
    ///     what was sent. Programs change that as they like.
    ///   - bufferLimit: the most bytes of output to keep that nobody has taken; the oldest go first.
    ///   - recording: where to write what is shown and typed.
    ///   - timeout: how long the body may take; its waits throw then.
    ///   - grace: how long the program may take to end when it is hung up.
    ///   - body: talks with the program; what it gives is given.
    /// - Throws: what the body throws; ``StartError``; ``SystemError``, with `ENOSPC` if there are no more terminals, and if a
    ///   recording could not be written.
    @discardableResult
    public func withTerminal<Result>(
        size: TerminalSize = .standard, echo: Bool = false, bufferLimit: Int = 1 << 20,
        recording: TerminalRecording? = nil, timeout: Duration? = nil, grace: Duration = .seconds(2),
        _ body: (TerminalSession) async throws -> Result
    ) async throws -> Result {
        try await withTerminal(size, echo, bufferLimit, recording, Deadline.after(timeout), grace, body)
    }

    /// Runs the program on a terminal of its own, as
    /// ``withTerminal(size:echo:bufferLimit:recording:timeout:grace:_:)`` does, until a deadline.
    @discardableResult
    public func withTerminal<Result>(
        size: TerminalSize = .standard, echo: Bool = false, bufferLimit: Int = 1 << 20,
        recording: TerminalRecording? = nil, deadline: Deadline, grace: Duration = .seconds(2),
        _ body: (TerminalSession) async throws -> Result
    ) async throws -> Result {
        try await withTerminal(size, echo, bufferLimit, recording, deadline, grace, body)
    }

    private func withTerminal<Result>(
        _ size: TerminalSize, _ echo: Bool, _ bufferLimit: Int, _ recording: TerminalRecording?, _ deadline: Deadline?,
        _ grace: Duration, _ body: (TerminalSession) async throws -> Result
    ) async throws -> Result {
        let terminal = try PseudoTerminal(size: size) { $0.echoes = echo }
        let recorder = try recording.map { try SessionRecorder($0, size: size, command: description) }
        let modes = try terminal.modes
        // A program that has the terminal by its name alone shall find it, whenever it opens it.
        let kept = input != nil && output != nil && (error != nil || mergesError) ? try terminal.openOtherSide() : nil
        let child = try await onTerminal(terminal).start()
        if endsTree { child.endTreeAtEnd() }
        let session = TerminalSession(
            terminal, name: shortName, child: child, bufferLimit: bufferLimit, modes: modes, recorder: recorder)
        async let followed: Void = session.followEnd()
        var outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await deadline.runs { try await body(session) }) } catch {
            outcome = .failure(error)
        }
        // Detached, since neither a cancellation nor a limit of ours ends the program's last words.
        let rest = Task.detached(executorPreference: EventLoop.current) { await session.dropRest() }
        let steps = teardown ?? [TeardownStep(signal: .hangup, allowance: grace)]
        // The program may be ending still, and a tree that is to stay does so then too.
        await child.end(steps, keepingTree: !endsTree && (try? outcome.get()) != nil)
        terminal.output.descriptor.endWhenEmpty()
        await rest.value
        await followed
        terminal.close()
        withExtendedLifetime(kept) {}
        do { try recorder?.finish() } catch  where (try? outcome.get()) != nil { outcome = .failure(error) } catch {}
        return try outcome.get()
    }
}

extension TerminalSession {
    /// The program, for what a session does not offer itself.
    public var program: Child? { child }

    /// The program's end is the output's, whoever else has the terminal open.
    fileprivate func followEnd() async {
        guard (try? await child?.waitUntilOver(nil)) != nil else { return }
        output.descriptor.endWhenEmpty()
    }

    /// Reads on while the program ends, so that it does not wait for us.
    fileprivate func dropRest() async {
        guard (try? output.begin("read")) != nil else { return }
        defer { output.end() }
        while (try? await advance(nil, "read")) == true { output.drop(output.buffer.count) }
    }
}
