// The sending side of records.
import CIPC
import Synchronization
public import SystemPackage

/// Sends records over a FIFO that other processes write to as well.
///
/// ```swift
/// let records = RecordWriter(try await fifo.openForWriting())
/// try await records.send("started")
/// ```
///
/// The kernel takes 4,096 bytes (`PIPE_BUF`) at once, between which no other writer's come. Longer records can be torn by others'
/// bytes: they are refused, unless the writer was given a lock, which all writers then have to take, for records of every
/// length. Several tasks may send; their records go one after the other.
public final class RecordWriter: Sendable {
    /// The longest record that can be sent without a lock, in bytes.
    public static let longestWithoutLock = RecordHeader.mostAtOnce - RecordHeader.size

    /// The number that this writer has drawn for itself, ``Record/writer``.
    public let identifier = UInt64.random(in: 0 ... .max)

    private let stream: ByteWriter
    private let lock: FilePath?
    private let next = Atomic<UInt64>(0)

    /// Sends to a stream, which the writer keeps.
    ///
    /// - Parameters:
    ///   - stream: what the reader reads, such as a FIFO.
    ///   - lock: a file to be locked for each record, so that records can be longer than 4,056 bytes; at the most 1 GiB.
    public init(_ stream: ByteWriter, lockedBy lock: FilePath? = nil) {
        self.stream = stream
        self.lock = lock
    }

    /// Sends a record; gives its number, ``Record/sequence``.
    ///
    /// - Throws: ``FramingError`` with `messageTooLong`, and nothing was sent then; ``SystemError``, with `EPIPE` if nobody reads any
    ///   more; ``TimeoutError``, `CancellationError`. A record that was cut short is found to be torn by the reader.
    @discardableResult
    public func send(_ bytes: [UInt8], timeout: Duration? = nil) async throws -> UInt64 {
        try await send(bytes.span.bytes, Deadline.after(timeout))
    }

    /// Sends a record, as ``send(_:timeout:)-([UInt8],_)`` does, until a deadline.
    @discardableResult
    public func send(_ bytes: [UInt8], deadline: Deadline) async throws -> UInt64 {
        try await send(bytes.span.bytes, deadline)
    }

    /// Sends a text in UTF-8 as a record, as ``send(_:timeout:)-([UInt8],_)`` does.
    @discardableResult
    public func send(_ text: String, timeout: Duration? = nil) async throws -> UInt64 {
        try await send(text.utf8.span.bytes, Deadline.after(timeout))
    }

    /// Closes the stream.
    ///
    /// - Throws: as ``ByteWriter/close()`` does.
    public func close() throws { try stream.close() }

    private func send(_ bytes: RawSpan, _ deadline: Deadline?) async throws -> UInt64 {
        let most = lock == nil ? RecordWriter.longestWithoutLock : 1 << 30
        guard bytes.byteCount <= most else { throw FramingError(.messageTooLong, on: stream.name, at: most) }
        let sequence = next.add(1, ordering: .relaxed).oldValue
        let frame = RecordHeader.frame(
            bytes, process: UInt32(bitPattern: ipc_process_id()), writer: identifier, sequence: sequence)
        if let lock {
            try await FileLock.hold(try await FileLock.acquire(.exclusive, on: lock, until: deadline)) {
                try await stream.write(frame, until: deadline)
            }
        } else {
            try await stream.write(frame, until: deadline)
        }
        return sequence
    }
}
