// The receiving side of records.
import CIPC

/// Receives the records of all who send to a FIFO by ``RecordWriter``.
///
/// ```swift
/// let records = RecordReader(try await fifo.openForReading(staysOpen: true))
/// while let record = try await records.receive() { print(record.processID, record.sequence) }
/// ```
///
/// Bytes that are no record, or a record with somebody else's bytes in it, are found by a checksum and reported; reading goes on
/// with the next record that is whole. One task receives at a time.
public final class RecordReader: Sendable {
    private let stream: ByteReader
    private let limit: Int

    /// Receives from a stream, which the reader keeps.
    ///
    /// - Parameters:
    ///   - stream: what the writers write to, such as a FIFO.
    ///   - limit: the most bytes that a record may have; what claims to be longer is no record.
    public init(_ stream: ByteReader, limit: Int = 1 << 20) {
        self.stream = stream
        self.limit = max(0, min(limit, 1 << 30))
    }

    /// Receives one record; `nil` is the end of the stream.
    ///
    /// - Throws: ``FramingError`` with `torn` for bytes that are no record: they are skipped, and the next call goes on behind
    ///   them; with `truncated` if the stream ends in a record. ``SystemError``, ``TimeoutError``, `CancellationError`, after which
    ///   nothing was taken.
    public func receive(timeout: Duration? = nil) async throws -> Record? { try await next(Deadline.after(timeout)) }

    /// Receives one record, as ``receive(timeout:)`` does, until a deadline.
    public func receive(deadline: Deadline) async throws -> Record? { try await next(deadline) }

    /// Closes the stream.
    public func close() { stream.close() }

    private func next(_ deadline: Deadline?) async throws -> Record? {
        try stream.begin("read")
        defer { stream.end() }
        try await SharedDescriptor.beginCall("read", on: stream.descriptor.subject)
        var isAtEnd = false
        while true {
            let bytes = stream.buffer.bytes
            switch RecordReader.front(of: bytes, limit: limit, isAtEnd) {
            case .record(let header):
                let whole = RecordHeader.size + header.length
                let content = [UInt8](bytes[RecordHeader.size..<whole])
                guard let process = ProcessID(Int32(bitPattern: header.process)) else { throw skip(whole) }
                stream.drop(whole)
                return Record(
                    bytes: content, processID: process, writer: header.writer, sequence: header.sequence)
            case .nothing(let count): throw skip(count)
            case .incomplete:
                if isAtEnd {
                    if bytes.isEmpty { return nil }
                    throw FramingError(.truncated, on: stream.name, at: bytes.count)
                }
                isAtEnd = try await !stream.refill(deadline)
            }
        }
    }

    private func skip(_ count: Int) -> FramingError {
        stream.drop(count)
        return FramingError(.torn, on: stream.name, at: count)
    }

    enum Front {
        case record(RecordHeader)
        /// So many bytes that are no record, before one that may be.
        case nothing(Int)
        case incomplete
    }

    /// What is at the front of the bytes.
    static func front(of bytes: UnsafeRawBufferPointer, limit: Int, _ isAtEnd: Bool) -> Front {
        guard bytes.count >= RecordHeader.size else { return .incomplete }
        if let header = RecordHeader(bytes, limit: limit) {
            guard bytes.count >= RecordHeader.size + header.length else {
                guard isAtEnd, let next = nextMagic(in: bytes) else { return .incomplete }
                return .nothing(next)
            }
            if header.fits(bytes) { return .record(header) }
        }
        return .nothing(nextMagic(in: bytes) ?? bytes.count - 3)
    }

    /// Where the next record may begin.
    private static func nextMagic(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let found = withUnsafeBytes(of: RecordHeader.magic.littleEndian) { magic in
            magic.baseAddress.map { ipc_find_bytes(base + 1, bytes.count - 1, $0, 4) } ?? -1
        }
        return found < 0 ? nil : found + 1
    }
}
