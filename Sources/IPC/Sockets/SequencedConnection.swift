// Messages between two over a Unix socket, in order, with descriptors.
import CIPC
public import SystemPackage

/// A Unix socket that carries messages in order between two (`SOCK_SEQPACKET`): each arrives whole, or not at all.
///
/// It closes with ``close()``, or when nobody holds it any more.
public final class SequencedConnection: Sendable {
    let descriptor: SharedDescriptor

    /// Connects to `unix-seqpacket:PATH`.
    ///
    /// - Throws: ``ConnectError``, ``EndpointError``, ``TimeoutError``, `CancellationError`, ``SystemError``.
    public convenience init(to endpoint: Endpoint, timeout: Duration? = nil) async throws {
        guard endpoint.kind == .sequenced else {
            throw EndpointError(.unsuitable, "\(endpoint)", detail: "messages in order go to unix-seqpacket:")
        }
        self.init(try await Connecting.connect(to: endpoint, Deadline.after(timeout)).socket)
    }

    convenience init(_ socket: consuming Descriptor, _ name: String) {
        self.init(SharedDescriptor(socket, .socket, subject: name))
    }

    private init(_ descriptor: SharedDescriptor) { self.descriptor = descriptor }

    /// Two that are joined with each other. The C function is `socketpair`.
    ///
    /// - Throws: ``SystemError`` if there are no descriptors left.
    public static func pair() throws -> (SequencedConnection, SequencedConnection) {
        var (one, other): (Int32, Int32) = (-1, -1)
        let name = "sequenced connection"
        try SystemCall.perform("socketpair", on: name) { ipc_sequenced_socket_pair(&one, &other) }
        let first = try Descriptor(fresh: one, "socketpair", on: name)
        let second = try Descriptor(fresh: other, "socketpair", on: name)
        return (SequencedConnection(first, name), SequencedConnection(second, name))
    }

    /// What the connection is, as errors name it.
    public var name: String { descriptor.subject }

    /// Who is at the other end. The C option is `SO_PEERCRED`.
    ///
    /// - Throws: ``SystemError`` with `ECANCELED` once it is closed.
    public var credentials: PeerCredentials {
        get throws {
            try descriptor.use("credentials of") { try PeerCredentials.of($0, name) }
        }
    }

    /// Closes the connection: calls that wait end with `ECANCELED`. Closing again does nothing.
    public func close() { descriptor.close() }

    /// Sends a message, and descriptors with it.
    ///
    /// - Parameters:
    ///   - message: at least one byte: an empty one would be taken for the end.
    ///   - sent: at most 253 descriptors.
    ///   - timeout: how long to wait for room; as long as it takes for `nil`.
    /// - Throws: ``SystemError``, with `EPIPE` if the peer has left, with `EMSGSIZE` for more than the socket has room for, with
    ///   `EINVAL` for an empty message; ``TimeoutError``, `CancellationError`. Nothing was sent then.
    public func send(_ message: [UInt8], with sent: [SentDescriptor] = [], timeout: Duration? = nil) async throws {
        let deadline = Deadline.after(timeout)
        try await SharedDescriptor.beginCall("send", on: name, deadline: deadline)
        guard !message.isEmpty, sent.count <= Int(IPC_MOST_DESCRIPTORS) else {
            throw SystemError(
                "send \(message.count) bytes and \(sent.count) descriptors to", on: name, .invalidArgument)
        }
        _ = try await descriptor.send(message, with: sent, deadline)
    }

    /// Receives a message, and the descriptors that came with it; `nil` is the end.
    ///
    /// - Parameters:
    ///   - limit: the most bytes that it may have.
    ///   - most: the most descriptors to take; those that come unasked are the kernel's to close.
    ///   - timeout: how long to wait; as long as it takes for `nil`.
    /// - Throws: ``SystemError`` with `EMSGSIZE` for a larger message or more descriptors, which are gone and closed then;
    ///   ``TimeoutError``, `CancellationError`.
    public func receive(
        limit: Int = 65_536, descriptors most: Int = 0, timeout: Duration? = nil
    ) async throws -> ReceivedDescriptors? {
        let deadline = Deadline.after(timeout)
        try await SharedDescriptor.beginCall("receive", on: name, deadline: deadline)
        guard 0...Int(IPC_MOST_DESCRIPTORS) ~= most, limit > 0 else {
            throw SystemError("receive \(most) descriptors from", on: name, .invalidArgument)
        }
        do {
            let message = try await descriptor.receiveMessage(limit: limit, descriptors: most, deadline)
            let isEnd = message.size == 0 && message.descriptors.isEmpty
            if isEnd, try descriptor.use("receive", { ipc_is_hung_up($0) == 1 }) { return nil }
            guard message.size <= limit else { throw SystemError("receive", on: name, .messageTooLong) }
            return ReceivedDescriptors(bytes: message.bytes, descriptors: message.descriptors)
        } catch let error as SystemError where error.errno == .connectionReset { return nil }
    }
}

/// Where a server waits for connections with messages in order, at a path.
///
/// Its file is made and removed as that of ``Listener`` is.
public final class SequencedListener: Sendable {
    private let socket: ListeningSocket

    /// Listens at a path.
    ///
    /// - Throws: as ``Listener`` does.
    public init(at path: FilePath, permissions: FilePermissions = .ownerReadWrite) async throws {
        let all = try await ListeningSocket.all(
            of: .unixSequenced(path), backlog: 4096, permissions: permissions, sharesPort: false)
        guard let socket = all.first else { throw SystemError("listen on", on: path.string, .invalidArgument) }
        self.socket = socket
    }

    deinit { close() }

    /// Waits for a client; one whose user the filter does not let in is hung up on, and the next one waited for.
    ///
    /// - Throws: as ``Listener/accept(timeout:)`` does.
    public func accept(
        admitting filter: ClientFilter = .standard, timeout: Duration? = nil
    ) async throws -> SequencedConnection {
        let deadline = Deadline.after(timeout)
        while true {
            let client = try await socket.acceptDescriptor(deadline)
            let name = "client of \(socket.descriptor.subject)"
            let connection = SequencedConnection(client, name)
            if filter.admits(socket.address, try? connection.credentials) { return connection }
            connection.close()
        }
    }

    /// Closes the socket, and removes its file. Closing again does nothing.
    public func close() { socket.close() }
}
