// Copying a stream to another one, as it comes.

extension ByteReader {
    /// Copies what comes to a writer until the end, each piece as soon as it is there; returns how many bytes that were.
    ///
    /// Neither stream is closed.
    ///
    /// - Throws: what reading and writing throw. What was read and could not be written is put back, unless the writer has taken
    ///   a part of it.
    @discardableResult
    public func copy(to writer: ByteWriter, timeout: Duration? = nil) async throws -> Int {
        try await copy(to: writer, Deadline.after(timeout))
    }

    /// Copies what comes to a writer, as ``copy(to:timeout:)`` does, until a deadline.
    @discardableResult
    public func copy(to writer: ByteWriter, deadline: Deadline) async throws -> Int {
        try await copy(to: writer, .some(deadline))
    }

    private func copy(to writer: ByteWriter, _ deadline: Deadline?) async throws -> Int {
        var total = 0
        while true {
            let bytes = try await readBytes(64 * 1024, deadline)
            if bytes.isEmpty { return total }
            let before = writer.bytesWritten
            do { try await writer.write(bytes, until: deadline) } catch {
                if writer.bytesWritten == before { try? unread(bytes) }
                throw error
            }
            total += bytes.count
        }
    }
}
