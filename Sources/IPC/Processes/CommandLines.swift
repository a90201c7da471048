// The lines of a program's output as it writes them; the program lives as long as the loop that reads them.
import Synchronization

extension Command {
    /// The lines of the program's standard output, as it writes them.
    ///
    /// The program is started by the first `next()`, which is where a failing start throws. It reads from `/dev/null` unless
    /// the command has an input. Leaving the loop early ends the program and its tree: SIGTERM at once, then `grace`, SIGKILL
    /// and reaping in the background; how it ended is then no error. After the last line its status is: one other than 0
    /// throws ``CommandError`` with the last 8 KiB of its standard error, unless the command is ``unchecked()``.
    ///
    /// ```swift
    /// for try await line in Command("journalctl", "-f").lines() { ... }
    /// ```
    ///
    /// - Parameters:
    ///   - keepingEnds: whether the lines keep their LF or CR LF.
    ///   - decoding: what becomes of bytes that are not UTF-8.
    ///   - limit: the most bytes that a line may have, its end not counted.
    ///   - timeout: how long to wait for each line, and for the end after the last.
    ///   - grace: how long the tree may take to comply with SIGTERM before SIGKILL.
    public func lines(
        keepingEnds: Bool = false, decoding: TextDecoding = .strict, limit: Int = 1 << 20, timeout: Duration? = nil,
        grace: Duration = .seconds(2)
    ) -> CommandLines {
        let format = LineFormat(keepsEnds: keepingEnds, decoding: decoding, limit: limit)
        return CommandLines(command: self, format: format, timeout: timeout, grace: grace)
    }
}

/// The lines of a program's output; made by ``Command/lines(keepingEnds:decoding:limit:timeout:grace:)``.
///
/// Each loop over the sequence starts the program anew.
public struct CommandLines: AsyncSequence, Sendable {
    let command: Command
    let format: LineFormat
    let timeout: Duration?
    let grace: Duration

    /// Goes through the lines, and ends the program when it goes away.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let sequence: CommandLines
        private var run: LinesRun?
        private var isDone = false

        init(_ sequence: CommandLines) { self.sequence = sequence }

        /// The next line; `nil` at the end.
        ///
        /// - Throws: ``StartError`` from the first call, ``CommandError`` after the last line, ``ReadError``,
        ///   ``TimeoutError``, `CancellationError`. The program is ended with each of them.
        public mutating func next() async throws -> String? {
            if let line = try lineAtOnce() { return line }
            return try await step()
        }

        /// The next line, as ``next()`` gives it, for a loop in an actor's code.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> String? {
            if let line = try lineAtOnce() { return line }
            return try await step()
        }

        @inline(__always)
        private mutating func lineAtOnce() throws -> String? {
            do { return try run?.reader.lineAtOnce(sequence.format) } catch {
                leave()
                throw error
            }
        }

        /// There is nothing more: the program is ended, if it has not ended by itself.
        private mutating func leave() {
            isDone = true
            run = nil
        }

        private mutating func step() async throws -> String? {
            if isDone { return nil }
            do {
                let run = try self.run ?? LinesRun(sequence)
                self.run = run
                let deadline = Deadline.after(sequence.timeout)
                if let line = try await run.reader.nextLine(sequence.format, deadline) { return line }
                try await run.finish(sequence.command, deadline)
            } catch {
                leave()
                throw error
            }
            leave()
            return nil
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

/// A program that runs for its lines.
private final class LinesRun: Sendable {
    let reader: ByteReader
    private let child: Child
    private let grace: Duration
    private let began = ContinuousClock.now
    private let complaints: Task<CapturedOutput, Never>

    init(_ lines: CommandLines) throws {
        let command = lines.command
        child = try command.start(
            input: command.input ?? .discard, output: .pipe, error: command.error ?? .pipe)
        grace = lines.grace
        guard let output = child.standardOutput else { throw SystemError("read", on: child.name, .badFileDescriptor) }
        reader = output
        let loop = EventLoop.current
        let child = child
        // The child's end is not learned from its output: a process that it leaves behind may hold that open.
        Task.detached(executorPreference: loop) {
            _ = try? await child.ended(nil, endingTree: command.endsTree)
            child.finishStreams()
        }
        if let writer = child.standardInput {
            let bytes = command.givenBytes ?? []  // a pipe that nobody else can write to is at its end
            Task.detached(executorPreference: loop) {
                try? await writer.write(bytes)
                try? writer.close()
            }
        }
        complaints = Task.detached(executorPreference: loop) {
            await Execution.collect(child.standardError, .errorTail) {}.output
        }
    }

    deinit { child.endSoon(grace: grace) }

    /// Waits for the program's end after its last line, and throws if it failed.
    func finish(_ command: Command, _ deadline: Deadline?) async throws {
        let end = try await child.ended(deadline, endingTree: command.endsTree)
        child.finishStreams()
        guard command.isChecked, !end.status.isSuccess else { return }
        let result = CommandResult(
            processID: child.processID, status: end.status, output: CapturedOutput(), error: await complaints.value,
            usage: end.usage, duration: .now - began, inputLeft: 0)
        throw CommandError(.failed, command: command.description, result: result)
    }
}
