// A stream between two: connected, written, read, ended on either side.
import CIPC
import SystemPackage

/// A connection of TCP or of a Unix stream socket.
///
/// ```swift
/// let web = try await Connection(to: .tcp("example.org", port: "http(80)"), timeout: .seconds(3))
/// try await web.write("GET / HTTP/1.0\r\n\r\n")
/// for try await line in web.lines() { print(line) }
/// ```
///
/// Nothing is buffered on the way out. Each direction is one of the streams ``input`` and ``output``; what most programs need of
/// them stands here too. Writing to a peer that has left throws, and raises no signal.
///
/// It is closed by ``close()``, or when nobody holds it any more.
public final class Connection: Sendable {
    /// What the peer sends.
    public let input: ByteReader

    /// What goes to the peer. Closing it ends this direction alone, see ``closeOutput()``.
    public let output: ByteWriter

    /// The peer's address; a Unix socket that connects has none, as a rule.
    public let peer: SocketAddress

    let descriptor: SharedDescriptor
    /// The most bytes of a line where a call does not say. Safe because it is set before the connection is shared, and never again.
    nonisolated(unsafe) var lineLimit = 1 << 20

    /// Connects to an endpoint.
    ///
    /// The name is looked up, and all its addresses are tried, the next one when the former has failed or has not answered for
    /// 250 ms; the first that answers is taken. The limit holds for all of it. A Unix listener whose queue is full is waited for.
    ///
    /// - Throws: ``ConnectError`` with every address's reason; ``EndpointError`` for a name or port that there is not;
    ///   ``TimeoutError``; `CancellationError`; ``SystemError`` if there are no descriptors left. Nothing is left behind then.
    public convenience init(to endpoint: Endpoint, timeout: Duration? = nil) async throws {
        try await self.init(endpoint, Deadline.after(timeout))
    }

    /// Connects to an endpoint, as ``init(to:timeout:)`` does, until a deadline.
    public convenience init(to endpoint: Endpoint, deadline: Deadline) async throws {
        try await self.init(endpoint, deadline)
    }

    private convenience init(_ endpoint: Endpoint, _ deadline: Deadline?) async throws {
        guard endpoint.kind == .stream else {
            throw EndpointError(.unsuitable, "\(endpoint)", detail: "a connection is a stream, tcp: or unix:")
        }
        let (socket, peer) = try await Connecting.connect(to: endpoint, deadline)
        self.init(socket, peer: peer)
    }

    /// A connected stream socket that belongs to the connection from now on.
    ///
    /// - Throws: ``SystemError`` with `ENOTSOCK`, or `ENOTCONN` if it is not connected.
    public convenience init(_ socket: consuming Descriptor) throws {
        let peer = try SocketAddress.peer(of: socket.number, "descriptor \(socket.number)")
        self.init(socket, peer: peer, subject: "connection with \(peer)")
    }

    convenience init(_ socket: consuming Descriptor, peer: SocketAddress, subject: String) {
        self.init(SharedDescriptor(socket, .socket, subject: subject), peer: peer)
    }

    private init(_ descriptor: SharedDescriptor, peer: SocketAddress) {
        self.peer = peer
        self.descriptor = descriptor
        input = ByteReader(descriptor)
        output = ByteWriter(descriptor, isHalf: true)
        // Answers do not wait for more to fill a packet with.
        if peer.port != nil { _ = ipc_set_option(descriptor.number, Int32(IPC_OPTION_NO_DELAY.rawValue), 1) }
    }

    /// Two connections that are joined with each other. The C function is `socketpair`.
    ///
    /// - Throws: ``SystemError`` if there are no descriptors left.
    public static func pair() throws -> (Connection, Connection) {
        var (one, other): (Int32, Int32) = (-1, -1)
        try SystemCall.perform("socketpair", on: "connection") { ipc_stream_socket_pair(&one, &other) }
        let first = try Descriptor(fresh: one, "socketpair", on: "connection")
        let second = try Descriptor(fresh: other, "socketpair", on: "connection")
        return (try Connection(first), try Connection(second))
    }

    /// What the connection is, as errors name it.
    public var name: String { descriptor.subject }

    /// Our own address. The C function is `getsockname`.
    ///
    /// - Throws: ``SystemError`` with `ECANCELED` once it is closed.
    public var localAddress: SocketAddress {
        get throws { try descriptor.use("address of") { number in try SocketAddress.local(of: number, name) } }
    }

    /// Ends what goes to the peer, who reads the end and may go on sending. The C function is `shutdown` with `SHUT_WR`.
    ///
    /// - Throws: ``SystemError`` if something written earlier was not sent.
    public func closeOutput() throws { try output.close() }

    /// Closes both directions. Whoever waits on it is woken with `ECANCELED`; closing again does nothing.
    public func close() { descriptor.close() }

    /// Closes the connection so that the peer is told it was broken off (`RST`), and nothing more is sent.
    public func reset() {
        if descriptor.enter() {
            _ = ipc_reset_on_close(descriptor.number)
            descriptor.leave()
        }
        descriptor.close()
    }

    // MARK: The streams' own

    /// Reads what is there, as ``ByteReader/read(upTo:timeout:)`` does.
    public func read(upTo count: Int, timeout: Duration? = nil) async throws -> [UInt8] {
        try await input.read(upTo: count, timeout: timeout)
    }

    /// Reads what is there until a deadline.
    public func read(upTo count: Int, deadline: Deadline) async throws -> [UInt8] {
        try await input.read(upTo: count, deadline: deadline)
    }

    /// Reads until the end, as ``ByteReader/readAll(limit:timeout:)`` does.
    public func readAll(limit: Int, timeout: Duration? = nil) async throws -> [UInt8] {
        try await input.readAll(limit: limit, timeout: timeout)
    }

    /// Reads one line, as ``ByteReader/readLine(keepingEnds:decoding:limit:timeout:)`` does, of 1 MiB at most unless `limit` or the
    /// server's limits say otherwise.
    public func readLine(limit: Int? = nil, timeout: Duration? = nil) async throws -> String? {
        try await input.readLine(limit: limit ?? lineLimit, timeout: timeout)
    }

    /// Reads one line until a deadline.
    public func readLine(limit: Int? = nil, deadline: Deadline) async throws -> String? {
        try await input.readLine(limit: limit ?? lineLimit, deadline: deadline)
    }

    /// The lines that the peer sends, as ``ByteReader/lines(keepingEnds:decoding:limit:timeout:)`` gives them.
    public func lines(limit: Int? = nil, timeout: Duration? = nil) -> LineSequence {
        input.lines(limit: limit ?? lineLimit, timeout: timeout)
    }

    /// Writes all bytes, as ``ByteWriter/write(_:timeout:)-([UInt8],_)`` does.
    public func write(_ bytes: [UInt8], timeout: Duration? = nil) async throws {
        try await output.write(bytes, timeout: timeout)
    }

    /// Writes all bytes until a deadline.
    public func write(_ bytes: [UInt8], deadline: Deadline) async throws {
        try await output.write(bytes, deadline: deadline)
    }

    /// Writes a text in UTF-8, as it is.
    ///
    /// - Throws: as for bytes.
    public func write(_ text: String, timeout: Duration? = nil) async throws {
        try await output.write(text, timeout: timeout)
    }

    /// Writes a text in UTF-8 until a deadline.
    public func write(_ text: String, deadline: Deadline) async throws {
        try await output.write(text, deadline: deadline)
    }

    /// A second descriptor for the same socket, for somebody else to use. What ``input`` has read ahead is not in it.
    ///
    /// - Throws: ``SystemError`` if there are no descriptors left.
    public func duplicateDescriptor() throws -> Descriptor {
        guard descriptor.enter() else { throw descriptor.closedError("duplicate") }
        defer { descriptor.leave() }
        let copy = try SystemCall.perform("duplicate", on: name) { ipc_duplicate(descriptor.number, 3) }
        return try Descriptor(fresh: copy, "duplicate", on: name)
    }

    /// Has waits for the peer look again and again for so long before they sleep: answers come faster, and a processor is busy
    /// meanwhile. For two that have a processor each, and nothing else to do; not at all unless asked for. To be called before
    /// the connection is shared.
    public func spin(for duration: Duration) { descriptor.spin = duration.nanosecondsRoundedUp }
}
