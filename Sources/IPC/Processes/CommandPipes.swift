// A program that is read and written at the same time.

/// What joins this program to one that it both reads and writes.
public enum TwoWayTransport: Hashable, Sendable {
    /// Two pipes.
    case pipes
    /// One pair of Unix stream sockets, which is the program's standard input and its standard output. Some programs buffer
    /// less on a socket; some refuse it.
    case socketPair
}

/// A program that runs for the body of ``Command/withPipes(over:bufferLimit:timeout:grace:_:)``, with both its streams.
///
/// While a call here waits for the program to read, what the program writes is read into memory, so that the two cannot wait
/// for each other.
public final class CommandPipes: Sendable {
    /// What the program reads. Closing it is how the program learns of the end.
    public let standardInput: ByteWriter

    /// What the program writes.
    public let standardOutput: ByteReader

    /// What the program writes to its standard error, if the command says `.error(.pipe)`. It is read into memory as it
    /// comes, so that nobody has to read it in time.
    public let standardError: ByteReader?

    /// The program's number.
    public let processID: ProcessID

    private let child: Child

    init(_ child: Child, input: ByteWriter, output: ByteReader, error: ByteReader?) {
        self.child = child
        processID = child.processID
        standardInput = input
        standardOutput = output
        standardError = error
    }

    /// The program's name, as errors give it.
    public var name: String { child.name }

    /// Sends the program a signal.
    ///
    /// - Throws: as ``Child/send(_:)`` does.
    public func send(_ signal: Signal) throws { try child.send(signal) }

    /// Writes a line and reads a line: a question and its answer.
    ///
    /// A program that does not answer within the limit has most likely put its answer into a buffer, as C's standard library
    /// does unless it writes to a terminal; the error says so.
    ///
    /// - Parameters:
    ///   - question: the line, without its end.
    ///   - timeout: how long the answer may take; as long as it wants for `nil`.
    /// - Returns: the answer, without its end.
    /// - Throws: ``NoAnswerError``; ``SystemError`` with `EPIPE` if the program reads no more; ``ReadError``;
    ///   `CancellationError`.
    public func ask(_ question: String, timeout: Duration? = .seconds(10)) async throws -> String {
        try await ask(question, Deadline.after(timeout))
    }

    /// Writes a line and reads a line, as ``ask(_:timeout:)`` does, until a deadline.
    public func ask(_ question: String, deadline: Deadline) async throws -> String {
        try await ask(question, .some(deadline))
    }

    private func ask(_ question: String, _ deadline: Deadline?) async throws -> String {
        func error(_ kind: NoAnswerError.Kind) -> NoAnswerError {
            let limit = Deadline.earliest(deadline, Deadline.ambient)?.limit
            return NoAnswerError(kind, program: name, question: question, limit: limit)
        }
        do {
            let line = question + "\n"
            guard let deadline else {
                try await standardInput.write(line)
                guard let answer = try await standardOutput.readLine() else { throw error(.ended) }
                return answer
            }
            try await standardInput.write(line, deadline: deadline)
            guard let answer = try await standardOutput.readLine(deadline: deadline) else { throw error(.ended) }
            return answer
        } catch is TimeoutError { throw error(.timedOut) }
    }
}

/// A question that a program did not answer.
public struct NoAnswerError: Error, Sendable, CustomStringConvertible {
    /// The ways in which an answer does not come.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// None came within the limit; it probably lies in the program's buffer.
        public static let timedOut = Kind(description: "timedOut")
        /// The program ended, or closed its output.
        public static let ended = Kind(description: "ended")
    }

    /// Why there is no answer.
    public let kind: Kind

    /// The program's name.
    public let program: String

    /// What was asked.
    public let question: String

    /// The limit that passed; `nil` if there was none.
    public let limit: Duration?

    /// How the program ended, where it is known.
    public internal(set) var status: ExitStatus?

    init(_ kind: Kind, program: String, question: String, limit: Duration?) {
        self.kind = kind
        self.program = program
        self.question = question
        self.limit = limit
    }

    public var description: String {
        if kind == .ended { return "ask \(program): no answer: it \(status.map { "\($0)" } ?? "closed its output")" }
        let time = limit.map { " within \($0.inWords)" } ?? ""
        return "ask \(program): no answer\(time); it probably buffers its output, and would not on a terminal"
    }
}
