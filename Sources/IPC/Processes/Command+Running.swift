// Running a command to its end: with our own streams, or captured.
import CIPC
import SystemPackage

extension Command {
    /// Runs the program to its end with this process's standard streams, where the command has no others.
    ///
    /// If this process holds the terminal's foreground, the program's group gets it for the time of the run: the program
    /// can read from the terminal, and Ctrl-C reaches it alone. What is left of its tree when it has ended is killed.
    ///
    /// - Parameters:
    ///   - timeout: how long it may take; then it is ended, and ``TimeoutError`` thrown.
    ///   - grace: how long its tree may take to comply with SIGTERM, after a limit or a cancellation, before SIGKILL.
    ///   - passingOn: signals to this process that are the program's for the time of the run. They are sent to its tree, and
    ///     do nothing else here.
    /// - Returns: what came of it. It may be dropped, since a failure is thrown.
    /// - Throws: ``StartError``; ``CommandError`` for another status than 0, unless the command is ``unchecked()``;
    ///   ``TimeoutError``; `CancellationError`. After each of them nothing of the program's tree is left.
    @discardableResult
    public func run(
        timeout: Duration? = nil, grace: Duration = .seconds(2), passingOn: Set<Signal> = []
    ) async throws -> CommandResult {
        try await run(Deadline.after(timeout), grace, passingOn)
    }

    /// Runs the program to its end, as ``run(timeout:grace:passingOn:)`` does, until a deadline.
    @discardableResult
    public func run(
        deadline: Deadline, grace: Duration = .seconds(2), passingOn: Set<Signal> = []
    ) async throws -> CommandResult {
        try await run(deadline, grace, passingOn)
    }

    /// Runs the program to its end and keeps what it writes to its standard output and its standard error.
    ///
    /// It reads from `/dev/null` unless the command has an input. Both outputs are read as they come, so that it never
    /// waits for us. What is left of its tree when it has ended is killed; a process that has left the tree and holds the
    /// outputs open is not waited for.
    ///
    /// - Parameters:
    ///   - limit: how much to keep of each output.
    ///   - timeout: how long it may take; then it is ended, and ``TimeoutError`` thrown with what it wrote.
    ///   - grace: how long its tree may take to comply with SIGTERM before SIGKILL.
    ///   - passingOn: signals to this process that are the program's, as in ``run(timeout:grace:passingOn:)``.
    /// - Throws: ``StartError``; ``CommandError`` for another status than 0, unless the command is ``unchecked()``, and for
    ///   more output than the limit; ``TimeoutError``; `CancellationError`.
    public func capture(
        limit: CaptureLimit = .failing(beyond: 64 << 20), timeout: Duration? = nil, grace: Duration = .seconds(2),
        passingOn: Set<Signal> = []
    ) async throws -> CommandResult {
        try await capture(limit, limit, Deadline.after(timeout), grace, passingOn)
    }

    /// Runs the program and keeps what it writes, as ``capture(limit:timeout:grace:passingOn:)`` does, until a deadline.
    public func capture(
        limit: CaptureLimit = .failing(beyond: 64 << 20), deadline: Deadline, grace: Duration = .seconds(2),
        passingOn: Set<Signal> = []
    ) async throws -> CommandResult {
        try await capture(limit, limit, deadline, grace, passingOn)
    }

    /// Runs the program and gives its standard output as text, without the line ends at its end; the shell's `$(...)`.
    ///
    /// - Throws: as ``capture(limit:timeout:grace:passingOn:)`` does, with the last 8 KiB of standard error in the error; ``ReadError``
    ///   with `invalidText` if the output is not UTF-8.
    public func read(
        limit: Int = 64 << 20, timeout: Duration? = nil, grace: Duration = .seconds(2)
    ) async throws -> String {
        try await capture(.failing(beyond: limit), .errorTail, Deadline.after(timeout), grace)
            .output.trimmedText(of: shortName)
    }

    /// Runs the program and gives its standard output as text, as ``read(limit:timeout:grace:)`` does, until a deadline.
    public func read(
        limit: Int = 64 << 20, deadline: Deadline, grace: Duration = .seconds(2)
    ) async throws -> String {
        try await capture(.failing(beyond: limit), .errorTail, deadline, grace).output.trimmedText(of: shortName)
    }

    /// Runs the program while `body` writes to it; the program's input ends when the body returns.
    ///
    /// The program's output is this process's, unless the command has another; the last 8 KiB of its standard error are kept
    /// for the error. `popen` with `"w"` in C.
    ///
    /// ```swift
    /// try await Command("sendmail", "-t").withInput { mail in try await mail.write(letter) }
    /// ```
    ///
    /// - Parameters:
    ///   - timeout: how long program and body may take together.
    ///   - grace: how long the tree may take to comply with SIGTERM before SIGKILL.
    ///   - body: writes. Leaving it by an error ends the program.
    /// - Throws: what the body throws; ``CommandError`` for another status than 0, and with `inputNotTaken` if the program
    ///   left before it had read what the body wrote; ``StartError``; ``TimeoutError``; `CancellationError`.
    public func withInput<Result>(
        timeout: Duration? = nil, grace: Duration = .seconds(2), _ body: (ByteWriter) async throws -> Result
    ) async throws -> Result {
        try await withInput(Deadline.after(timeout), grace, body)
    }

    /// Runs the program while `body` writes to it, as ``withInput(timeout:grace:_:)`` does, until a deadline.
    public func withInput<Result>(
        deadline: Deadline, grace: Duration = .seconds(2), _ body: (ByteWriter) async throws -> Result
    ) async throws -> Result {
        try await withInput(deadline, grace, body)
    }

    private func withInput<Result>(
        _ deadline: Deadline?, _ grace: Duration, _ body: (ByteWriter) async throws -> Result
    ) async throws -> Result {
        let execution = Execution(command: self, deadline: deadline, grace: grace)
        let began = ContinuousClock.now
        let child = try start(input: .pipe, output: output ?? .inherit, error: error ?? .pipe)
        var value: Result?
        _ = try await execution.complete(child, began: began, feeding: nil) { child in
            if let writer = child.standardInput { value = try await body(writer) }
        }
        guard let value else { throw CancellationError() }
        return value
    }

    private func capture(
        _ outputLimit: CaptureLimit, _ errorLimit: CaptureLimit, _ deadline: Deadline?, _ grace: Duration,
        _ passingOn: Set<Signal> = []
    ) async throws -> CommandResult {
        let execution = Execution(
            command: self, outputLimit: outputLimit, errorLimit: errorLimit, deadline: deadline, grace: grace)
        let plan = Streams(input ?? .discard, output ?? .pipe, error ?? .pipe)
        return try await perform(execution, plan, passingOn)
    }

    private func run(
        _ deadline: Deadline?, _ grace: Duration, _ passingOn: Set<Signal>
    ) async throws -> CommandResult {
        let execution = Execution(command: self, deadline: deadline, grace: grace)
        let plan = Streams(input ?? .inherit, output ?? .inherit, error ?? .inherit)
        return try await perform(execution, plan, passingOn)
    }

    private typealias Streams = (input: Input, output: Output, error: Output)

    /// Starts the program with the terminal, if it is to read from it, and with the signals that are to be its own.
    private func perform(
        _ execution: Execution, _ streams: Streams, _ passingOn: Set<Signal>
    ) async throws -> CommandResult {
        let began = ContinuousClock.now
        let terminal = isGrouped ? ForegroundTerminal(for: streams.input) : nil
        var group: Int32?
        // After a failed start as well: the program is given the foreground before it is executed.
        defer { if let terminal, terminal.isHeld(by: group) { terminal.takeBack() } }
        let relay = try SignalRelay(passingOn)
        defer { relay.end() }
        let child = try start(
            input: streams.input, output: streams.output, error: streams.error,
            foregroundOf: terminal?.number ?? -1)
        group = child.processID.rawValue
        relay.direct(to: [child])
        do { try terminal?.followStops(of: child) } catch {
            await child.end(grace: execution.grace)
            throw error
        }
        return try await execution.complete(child, began: began, feeding: givenBytes)
    }
}
