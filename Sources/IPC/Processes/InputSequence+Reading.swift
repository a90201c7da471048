// Reading an input of several sources: by lines that know where they are from, and as bytes.
import SystemPackage

extension InputSequence {
    /// The lines of all sources, each with its source and its number.
    ///
    /// A last line without an end is a line, and the next source begins with one of its own. Leaving the loop ends a command
    /// that runs: SIGTERM at once, SIGKILL after two seconds, reaping in the background.
    ///
    /// - Parameters:
    ///   - keepingEnds: whether the lines keep their LF or CR LF.
    ///   - decoding: what becomes of bytes that are not UTF-8.
    ///   - limit: the most bytes that a line may have, its end not counted.
    ///   - timeout: how long to wait for each line, and for the end of a command after its last.
    public func lines(
        keepingEnds: Bool = false, decoding: TextDecoding = .strict, limit: Int = 1 << 20, timeout: Duration? = nil
    ) -> InputLines {
        InputLines(
            input: self, format: LineFormat(keepsEnds: keepingEnds, decoding: decoding, limit: limit), timeout: timeout)
    }

    /// Writes all sources to a stream, byte for byte, and gives what could not be read.
    ///
    /// - Parameters:
    ///   - writer: where they go; it stays open.
    ///   - timeout: how long it may take.
    /// - Returns: what was passed over in this call; ``failures`` has it too.
    /// - Throws: what writing throws, ``SystemError`` with `EPIPE` if the stream's reader has left; ``TimeoutError``;
    ///   `CancellationError`. A command that runs is ended then.
    public func copy(to writer: ByteWriter, timeout: Duration? = nil) async throws -> [InputFailure] {
        try await copy(to: writer, Deadline.after(timeout))
    }

    /// Writes all sources to a stream, as ``copy(to:timeout:)`` does, until a deadline.
    public func copy(to writer: ByteWriter, deadline: Deadline) async throws -> [InputFailure] {
        try await copy(to: writer, deadline)
    }

    private func copy(to writer: ByteWriter, _ deadline: Deadline?) async throws -> [InputFailure] {
        guard let deadline else { return try await copy(to: writer) }
        return try await deadline.run { try await copy(to: writer) }
    }

    private func copy(to writer: ByteWriter) async throws -> [InputFailure] {
        let before = failures.count
        var cursor = InputCursor(self)
        var chunk = [UInt8](repeating: 0, count: 256 * 1024)
        while let open = try await cursor.current(nil) {
            let count: Int
            do { count = try await open.reader.read(into: &chunk) } catch {
                try cursor.leave(error)
                continue
            }
            if count == 0 {
                try await cursor.finish(nil)
            } else {
                try await writer.write(chunk.span.extracting(0..<count).bytes)
            }
        }
        return Array(failures.dropFirst(before))
    }
}

/// The lines of an ``InputSequence``; made by ``InputSequence/lines(keepingEnds:decoding:limit:timeout:)``.
public struct InputLines: AsyncSequence, Sendable {
    let input: InputSequence
    let format: LineFormat
    let timeout: Duration?

    /// Goes through the lines, and ends a command that runs when it goes away.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let lines: InputLines
        private var cursor: InputCursor
        private var source: InputCursor.OpenSource?
        private var number = 0
        private var overallNumber = 0
        private var isDone = false

        init(_ lines: InputLines) {
            self.lines = lines
            cursor = InputCursor(lines.input)
        }

        /// The next line; `nil` after the last of the last source.
        ///
        /// - Throws: ``ReadError`` for a line that is too long or not UTF-8, ``TimeoutError``, `CancellationError`. Nothing
        ///   more comes after one of them. What cannot be opened or read is no error here, see ``InputSequence/failures``.
        public mutating func next() async throws -> InputLine? {
            if let line = try lineAtOnce() { return line }
            return try await step()
        }

        /// The next line, as ``next()`` gives it, for a loop in an actor's code.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> InputLine? {
            if let line = try lineAtOnce() { return line }
            return try await step()
        }

        @inline(__always)
        private mutating func lineAtOnce() throws -> InputLine? {
            guard let source else { return nil }
            do { return try source.reader.lineAtOnce(lines.format).map { line($0, of: source.source) } } catch {
                guard error is SystemError else {
                    leave()
                    throw error
                }
                return nil  // what comes next meets it again
            }
        }

        private mutating func line(_ text: String, of source: InputSource) -> InputLine {
            number += 1
            overallNumber += 1
            return InputLine(text: text, source: source, number: number, overallNumber: overallNumber)
        }

        private mutating func leave() {
            isDone = true
            source = nil
            cursor = InputCursor(lines.input)
        }

        private mutating func step() async throws -> InputLine? {
            if isDone { return nil }
            do {
                let deadline = Deadline.after(lines.timeout)
                while true {
                    if source == nil {
                        number = 0
                        source = try await cursor.current(deadline)
                    }
                    guard let open = source else { break }
                    do {
                        if let text = try await open.reader.nextLine(lines.format, deadline) {
                            return line(text, of: open.source)
                        }
                        source = nil
                        try await cursor.finish(deadline)
                    } catch {
                        source = nil
                        try cursor.leave(error)
                    }
                }
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
