// The lines of a stream as an asynchronous sequence.

/// The lines of a stream, as they come; made by ``ByteReader/lines(keepingEnds:decoding:limit:timeout:)``.
///
/// The sequence does not close the stream: what is left when a loop is left early can still be read.
public struct LineSequence: AsyncSequence, Sendable {
    let reader: ByteReader
    let format: LineFormat
    let timeout: Duration?

    /// Goes through the lines.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let reader: ByteReader
        let format: LineFormat
        let timeout: Duration?

        /// The next line; `nil` at the end.
        ///
        /// - Throws: as ``ByteReader/readLine(keepingEnds:decoding:limit:timeout:)`` does.
        public mutating func next() async throws -> String? {
            if let line = try reader.lineAtOnce(format) { return line }
            return try await reader.nextLine(format, Deadline.after(timeout))
        }

        /// The next line, as ``next()`` gives it, for a loop in an actor's code.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> String? {
            if let line = try reader.lineAtOnce(format) { return line }
            return try await reader.nextLine(format, Deadline.after(timeout))
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(reader: reader, format: format, timeout: timeout)
    }
}
