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
        return CommandLines(format: format, timeout: timeout) { try CommandLineSource(self, grace) }
    }
}

/// The lines of a program's output; made by ``Command/lines(keepingEnds:decoding:limit:timeout:grace:)`` and
/// ``Pipeline/lines(keepingEnds:decoding:limit:timeout:grace:)``.
///
/// Each loop over the sequence starts the program anew.
public struct CommandLines: AsyncSequence, Sendable {
    let format: LineFormat
    let timeout: Duration?
    let start: @Sendable () throws -> any LineSource

    /// Goes through the lines, and ends the program when it goes away.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let sequence: CommandLines
        private var source: (any LineSource)?
        /// The source's, kept by itself since most lines need nothing else.
        private var reader: ByteReader?
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
            do { return try reader?.lineAtOnce(sequence.format) } catch {
                leave()
                throw error
            }
        }

        /// There is nothing more: the program is ended, if it has not ended by itself.
        private mutating func leave() {
            isDone = true
            source = nil
            reader = nil
        }

        private mutating func step() async throws -> String? {
            if isDone { return nil }
            do {
                let source = try self.source ?? sequence.start()
                self.source = source
                reader = source.reader
                let deadline = Deadline.after(sequence.timeout)
                if let line = try await source.reader.nextLine(sequence.format, deadline) { return line }
                try await source.finish(deadline)
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
