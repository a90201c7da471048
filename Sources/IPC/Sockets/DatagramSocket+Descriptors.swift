// Handing descriptors over with a datagram, between Unix sockets.
import CIPC
import SystemPackage

extension DatagramSocket {
    /// Sends a datagram, and descriptors with it, to a Unix socket. They stay the caller's.
    ///
    /// Whoever does not ask for descriptors has them closed by the kernel. The C function is `sendmsg` with `SCM_RIGHTS`.
    ///
    /// - Parameters:
    ///   - sent: 1 to 253 descriptors.
    ///   - bytes: what the datagram holds; may be empty.
    ///   - endpoint: `unix-datagram:PATH`; `nil` is the address that the socket is connected to.
    ///   - timeout: how long to wait for room; as long as it takes for `nil`.
    /// - Throws: ``SystemError``, with `ECONNREFUSED` if nobody receives there any more, with `EINVAL` for numbers out of range and
    ///   for a socket that is none of Unix; ``EndpointError``, ``TimeoutError``, `CancellationError`. Nothing was sent then.
    public func sendDescriptors(
        _ sent: [SentDescriptor], with bytes: [UInt8] = [], to endpoint: Endpoint? = nil, timeout: Duration? = nil
    ) async throws {
        let deadline = Deadline.after(timeout)
        try await SharedDescriptor.beginCall("send", on: name, deadline: deadline)
        guard 1...Int(IPC_MOST_DESCRIPTORS) ~= sent.count, family == IPC_FAMILY_UNIX else {
            throw SystemError("send \(sent.count) descriptors by", on: name, .invalidArgument)
        }
        var target: SocketAddress?
        if let endpoint { target = try await address(of: endpoint, deadline) }
        _ = try await descriptor.send(bytes, with: sent, to: target, deadline)
    }

    /// Receives a datagram, and the descriptors that came with it; they may be none.
    ///
    /// No descriptor is ever received without being asked for: other calls have the kernel close them.
    ///
    /// - Parameters:
    ///   - most: the most descriptors to take, 1 to 253.
    ///   - limit: the most bytes that it may have.
    ///   - timeout: how long to wait; as long as it takes for `nil`.
    /// - Throws: ``SystemError`` with `EMSGSIZE` if there were more descriptors, or this process has no room for them;
    ///   ``DatagramError`` with `truncated` for one that is larger. Both are gone then, and what came is closed.
    ///   ``TimeoutError``, `CancellationError`.
    public func receiveDescriptors(
        atMost most: Int, limit: Int = 65_535, timeout: Duration? = nil
    ) async throws -> (datagram: Datagram, descriptors: [SentDescriptor]) {
        let deadline = Deadline.after(timeout)
        try await SharedDescriptor.beginCall("receive", on: name, deadline: deadline)
        guard 1...Int(IPC_MOST_DESCRIPTORS) ~= most, limit >= 0, family == IPC_FAMILY_UNIX else {
            throw SystemError("receive \(most) descriptors by", on: name, .invalidArgument)
        }
        let message = try await descriptor.receiveMessage(limit: limit, descriptors: most, deadline)
        guard message.size <= limit else {
            throw DatagramError(kind: .truncated, address: message.from, size: message.size, errno: .messageTooLong)
        }
        return (Datagram(message.bytes, to: message.from), message.descriptors)
    }
}
