// Messages into a stream: each framed and written by one call.

extension ByteWriter {
    /// Sends a message: what frames it and itself in one write, so that other writers' bytes cannot come between.
    ///
    /// With ``Framing/untilEnd`` the stream is closed behind it.
    ///
    /// - Throws: ``FramingError`` with `notRepresentable` if the message contains what would end it, with `messageTooLong` if
    ///   its length does not fit into its prefix, and nothing was sent then; and as ``write(_:timeout:)-(RawSpan,_)`` does.
    public func sendMessage(_ message: [UInt8], framedBy framing: Framing, timeout: Duration? = nil) async throws {
        try await send(message.span.bytes, framing, Deadline.after(timeout))
    }

    /// Sends a message, as ``sendMessage(_:framedBy:timeout:)-([UInt8],_,_)`` does, until a deadline.
    public func sendMessage(_ message: [UInt8], framedBy framing: Framing, deadline: Deadline) async throws {
        try await send(message.span.bytes, framing, deadline)
    }

    /// Sends a text in UTF-8 as a message, as ``sendMessage(_:framedBy:timeout:)-([UInt8],_,_)`` does.
    public func sendMessage(_ text: String, framedBy framing: Framing, timeout: Duration? = nil) async throws {
        try await send(text.utf8.span.bytes, framing, Deadline.after(timeout))
    }

    /// Sends a text in UTF-8 as a message until a deadline.
    public func sendMessage(_ text: String, framedBy framing: Framing, deadline: Deadline) async throws {
        try await send(text.utf8.span.bytes, framing, deadline)
    }

    private func send(_ message: RawSpan, _ framing: Framing, _ deadline: Deadline?) async throws {
        let bytes: [UInt8]
        do { bytes = try framing.framed(message) } catch {
            switch error {
            case .tooLong(let limit): throw FramingError(.messageTooLong, on: name, at: limit)
            case .containsItsEnd(let place): throw FramingError(.notRepresentable, on: name, at: place)
            }
        }
        try await write(bytes, until: deadline)
        if framing == .untilEnd { try close() }
    }
}
