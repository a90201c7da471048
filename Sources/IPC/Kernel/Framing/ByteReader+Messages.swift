// Messages from a stream: one by one, as a sequence, and as spans of bytes that are nowhere copied.
import CIPC

extension ByteReader {
    /// Receives one message; `nil` is the end of the stream, where no message has begun.
    ///
    /// - Parameters:
    ///   - framing: how a message ends.
    ///   - limit: the most bytes that a message may have, what frames it not counted.
    ///   - timeout: how long to wait; as long as it takes for `nil`.
    /// - Throws: ``FramingError`` with `messageTooLong` or `truncated`, ``SystemError``, ``TimeoutError``,
    ///   `CancellationError`. After each of them nothing was taken.
    public func receiveMessage(
        framedBy framing: Framing, limit: Int = 1 << 20, timeout: Duration? = nil
    ) async throws -> [UInt8]? {
        try await nextMessage(framing, limit) { Deadline.after(timeout) }
    }

    /// Receives one message, as ``receiveMessage(framedBy:limit:timeout:)`` does, until a deadline.
    public func receiveMessage(
        framedBy framing: Framing, limit: Int = 1 << 20, deadline: Deadline
    ) async throws -> [UInt8]? {
        try await nextMessage(framing, limit) { deadline }
    }

    /// The messages of the stream, as they come.
    ///
    /// - Parameters:
    ///   - framing: how a message ends.
    ///   - limit: the most bytes that a message may have, what frames it not counted.
    ///   - timeout: how long to wait for each message; without limit unless given.
    public func messages(
        framedBy framing: Framing, limit: Int = 1 << 20, timeout: Duration? = nil
    ) -> MessageSequence {
        MessageSequence(reader: self, framing: framing, limit: limit, timeout: timeout)
    }

    /// Gives every message to a body as a span of bytes, until the end; returns how many there were.
    ///
    /// The fastest form: a message is not copied, unless dots have to be taken off it. The span is valid inside the body only.
    /// If the body throws, the messages up to the one that it was given are taken, the others can still be received.
    ///
    /// - Throws: what the body throws, and as ``receiveMessage(framedBy:limit:timeout:)`` does.
    @discardableResult
    public func forEachMessage(
        framedBy framing: Framing, limit: Int = 1 << 20, timeout: Duration? = nil, _ body: (RawSpan) throws -> Void
    ) async throws -> Int {
        try await SharedDescriptor.beginCall("read", on: descriptor.subject)
        try begin("read")
        defer { end() }
        var scanner = MessageScanner(framing, limit: limit)
        var (number, isAtEnd) = (0, false)
        while true {
            number += try giveMessages(&scanner, isAtEnd, to: body)
            if isAtEnd { return number }
            isAtEnd = try await !refill(Deadline.after(timeout))
        }
    }

    /// Gives the messages that are whole in the buffer, and drops them together; `scanner` is then that of the one that is not.
    private func giveMessages(
        _ scanner: inout MessageScanner, _ isAtEnd: Bool, to body: (RawSpan) throws -> Void
    ) throws -> Int {
        let bytes = buffer.bytes
        var (start, number) = (0, 0)
        defer { drop(start) }
        while true {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            guard let message = try whole(in: rest, &scanner, isAtEnd) else { return number }
            start &+= message.whole
            number &+= 1
            scanner.restart()
            if message.stuffedDots > 0 {
                try body(message.bytes(from: rest).span.bytes)
            } else {
                try body(UnsafeRawBufferPointer(rebasing: rest[message.content]).bytes)
            }
        }
    }

    @inline(__always)
    func nextMessage(_ framing: Framing, _ limit: Int, _ deadline: () -> Deadline?) async throws -> [UInt8]? {
        var scanner = MessageScanner(framing, limit: limit)
        if let message = try messageAtOnce(&scanner) { return message }
        return try await messageAfterWaiting(scanner, deadline())
    }

    /// The next message if it lies whole in the buffer: without a call to the kernel.
    @inline(__always)
    private func messageAtOnce(_ scanner: inout MessageScanner) throws -> [UInt8]? {
        if ipc_task_is_cancelled() != 0 { throw CancellationError() }
        try beginWithoutCall()
        defer { endWithoutCall() }
        return try takeMessage(&scanner, atEnd: false)
    }

    private func messageAfterWaiting(_ scanner: MessageScanner, _ deadline: Deadline?) async throws -> [UInt8]? {
        var scanner = scanner
        try begin("read")
        defer { end() }
        try await SharedDescriptor.beginCall("read", on: descriptor.subject)
        while try await refill(deadline) {
            if let message = try takeMessage(&scanner, atEnd: false) { return message }
        }
        return try takeMessage(&scanner, atEnd: true)
    }

    @inline(__always)
    private func takeMessage(_ scanner: inout MessageScanner, atEnd: Bool) throws -> [UInt8]? {
        guard let message = try whole(in: buffer.bytes, &scanner, atEnd) else { return nil }
        let bytes = message.bytes(from: buffer.bytes)
        drop(message.whole)
        return bytes
    }

    @inline(__always)
    private func whole(
        in bytes: UnsafeRawBufferPointer, _ scanner: inout MessageScanner, _ atEnd: Bool
    ) throws -> MessageScanner.Message? {
        do { return try scanner.find(in: bytes, atEnd: atEnd) } catch {
            switch error {
            case .tooLong: throw FramingError(.messageTooLong, on: descriptor.subject, at: scanner.limit)
            case .truncated(let count): throw FramingError(.truncated, on: descriptor.subject, at: count)
            }
        }
    }
}

/// The messages of a stream, as they come; made by ``ByteReader/messages(framedBy:limit:timeout:)``.
///
/// The sequence does not close the stream: what is left when a loop is left early can still be read.
public struct MessageSequence: AsyncSequence, Sendable {
    let reader: ByteReader
    let framing: Framing
    let limit: Int
    let timeout: Duration?

    /// Goes through the messages.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let sequence: MessageSequence

        /// The next message; `nil` at the end.
        ///
        /// - Throws: as ``ByteReader/receiveMessage(framedBy:limit:timeout:)`` does.
        public mutating func next() async throws -> [UInt8]? {
            try await sequence.reader.nextMessage(sequence.framing, sequence.limit) { Deadline.after(sequence.timeout) }
        }

        /// The next message, as ``next()`` gives it, for a loop in an actor's code.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            try await sequence.reader.nextMessage(sequence.framing, sequence.limit) { Deadline.after(sequence.timeout) }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(sequence: self) }
}
