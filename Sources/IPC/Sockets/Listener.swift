// Where a server waits for clients: on one endpoint or several, of any stream family.
import CIPC
import Synchronization
public import SystemPackage

/// Sockets that listen for clients.
///
/// ```swift
/// let listener = try await Listener(on: .tcp(port: 8080), .unix("app.sock"))
/// try await listener.serve { client in
///     try await client.write("hello\n")
/// }
/// ```
///
/// A Unix socket's file has mode 0600 from the beginning, whatever the umask. One that nobody listens on any more is replaced, if it
/// is our own user's; a live one, and whatever else lies there, is not. Addresses of TCP can be used again at once
/// (`SO_REUSEADDR`).
///
/// It closes with ``close()``, or when nobody holds it any more; the files of its Unix sockets go with it.
public final class Listener: Sendable {
    /// Where it listens, in the order of the endpoints; with the ports that the kernel chose where 0 was asked for.
    public let addresses: [SocketAddress]

    let sockets: [ListeningSocket]

    /// Listens on endpoints.
    ///
    /// A port of this machine's loop or of all its addresses is listened on in both families, as far as the machine has them.
    ///
    /// - Parameters:
    ///   - endpoints: where clients find it, of TCP and Unix sockets alike.
    ///   - backlog: how many clients may wait to be accepted; the kernel's own limit is `net.core.somaxconn`.
    ///   - permissions: of Unix sockets' files: who may write may connect.
    ///   - sharesPort: whether other processes of this user may listen on the same port (`SO_REUSEPORT`); the kernel
    ///     then gives each some of the clients.
    /// - Throws: ``SystemError``, with `EADDRINUSE` where somebody listens already, with `EACCES` for ports below 1024 without the
    ///   right to them; ``EndpointError``; `CancellationError`. Nothing listens then.
    public convenience init(
        on endpoints: Endpoint..., backlog: Int = 4096, permissions: FilePermissions = .ownerReadWrite,
        sharesPort: Bool = false
    ) async throws {
        try await self.init(on: endpoints, backlog: backlog, permissions: permissions, sharesPort: sharesPort)
    }

    /// Listens on an array of endpoints, as ``init(on:backlog:permissions:sharesPort:)-(Endpoint...,_,_,_)`` does.
    public init(
        on endpoints: [Endpoint], backlog: Int = 4096, permissions: FilePermissions = .ownerReadWrite,
        sharesPort: Bool = false
    ) async throws {
        guard !endpoints.isEmpty else { throw EndpointError(.invalidText, "no endpoint") }
        var sockets: [ListeningSocket] = []
        do {
            for endpoint in endpoints {
                guard endpoint.kind == .stream else {
                    throw EndpointError(.unsuitable, "\(endpoint)", detail: "a listener takes streams, tcp: or unix:")
                }
                sockets += try await ListeningSocket.all(
                    of: endpoint, backlog: backlog, permissions: permissions, sharesPort: sharesPort)
            }
        } catch {
            for socket in sockets { socket.close() }
            throw error
        }
        self.sockets = sockets
        addresses = sockets.map(\.address)
    }

    /// Takes over sockets that listen already: those that a service manager or a predecessor hands over.
    ///
    /// The files of Unix sockets are whoever's made them.
    ///
    /// - Throws: ``SystemError`` with `EINVAL` for what is no listening stream socket. All are closed then.
    public init(adopting descriptors: [Int32]) throws {
        let owned = try descriptors.map { DescriptorBox(try Descriptor(adopting: $0)) }
        sockets = try owned.map { try ListeningSocket($0) }
        addresses = sockets.map(\.address)
    }

    deinit { close() }

    /// Waits for a client.
    ///
    /// A connection that is gone before it could be accepted is not an error; the next one is waited for.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`, ``SystemError`` with `EMFILE` if there are no descriptors left, with
    ///   `ECANCELED` once the listener is closed.
    public func accept(timeout: Duration? = nil) async throws -> Connection { try await next(Deadline.after(timeout)) }

    /// Waits for a client, as ``accept(timeout:)`` does, until a deadline.
    public func accept(deadline: Deadline) async throws -> Connection { try await next(deadline) }

    private func next(_ deadline: Deadline?) async throws -> Connection {
        if sockets.count == 1 { return try await sockets[0].accept(deadline) }
        while true {
            for socket in sockets { if let client = try socket.acceptAtOnce() { return client } }
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                for socket in sockets { group.addTask { try await socket.waitForClient(deadline) } }
                try await group.next()
            }
        }
    }

    /// Whether the files of its Unix sockets are still there: without its file a socket listens on, and nobody finds it.
    ///
    /// Files that were handed over with their sockets are not looked for.
    public var filesAreInPlace: Bool { sockets.allSatisfy(\.fileIsInPlace) }

    /// Closes the sockets, and removes the files of Unix sockets. Who waits for clients is woken with `ECANCELED`; clients that
    /// were accepted stay. Closing again does nothing.
    public func close() { for socket in sockets { socket.close() } }
}

/// One socket that listens.
final class ListeningSocket: Sendable {
    let address: SocketAddress
    let descriptor: SharedDescriptor
    private let file: UnixSocketFile?

    private init(_ descriptor: SharedDescriptor, _ address: SocketAddress, _ file: UnixSocketFile?) {
        (self.descriptor, self.address, self.file) = (descriptor, address, file)
    }

    deinit { close() }

    var fileIsInPlace: Bool { file?.isInPlace ?? true }

    /// One that was handed over.
    init(_ box: DescriptorBox) throws {
        let name = "descriptor \(box.number)"
        guard ipc_is_listening(box.number) == 1, ipc_socket_kind(box.number) == SocketKind.stream.number else {
            throw SystemError("listen on", on: name, .invalidArgument)
        }
        address = try SocketAddress.local(of: box.number, name)
        let own = try box.descriptor.duplicate()
        try SystemCall.perform("listen on", on: name) {
            ipc_set_status_flags(own.number, ipc_get_status_flags(own.number) | IPC_O_NONBLOCK)
        }
        descriptor = SharedDescriptor(own, .socket, subject: "\(address)")
        file = nil
    }

    static func all(
        of endpoint: Endpoint, backlog: Int, permissions: FilePermissions, sharesPort: Bool
    ) async throws -> [ListeningSocket] {
        var sockets: [ListeningSocket] = []
        var failure: (any Error)?
        for address in try await endpoint.resolve(toListen: true, nil) {
            // Where the kernel chose a port for the first, the other family is to have the same.
            let port = sockets.first?.address.port
            let wanted = address.port == 0 ? port.map { address.with(port: $0) } ?? address : address
            do {
                sockets.append(try await make(wanted, endpoint, backlog, permissions, sharesPort))
            } catch let error as SystemError
                where endpoint.mayLackFamily
                && (error.errno == .addressFamilyNotSupported || error.errno == .addressNotAvailable)
            {
                failure = error  // a machine with one family only
            } catch {
                for socket in sockets { socket.close() }
                throw error
            }
        }
        if sockets.isEmpty, case .all(let port) = endpoint.place {
            let other = try SocketAddress(numeric: "0.0.0.0", port: try port.number())
            return [try await make(other, endpoint, backlog, permissions, sharesPort)]
        }
        if sockets.isEmpty, let failure { throw failure }
        return sockets
    }

    private static func make(
        _ address: SocketAddress, _ endpoint: Endpoint, _ backlog: Int, _ permissions: FilePermissions,
        _ sharesPort: Bool
    ) async throws -> ListeningSocket {
        let name = "\(endpoint)"
        let number = try SystemCall.perform("listen on", on: name) {
            ipc_socket(Int32(address.family.rawValue), endpoint.kind.number, 1)
        }
        let socket = SharedDescriptor(try Descriptor(fresh: number, "listen on", on: name), .socket, subject: name)
        let own = socket.number
        func listen(_ number: Int32) throws {
            try SystemCall.perform("listen on", on: name) { ipc_listen(number, Int32(clamping: backlog)) }
        }
        func set(_ option: ipc_option, _ value: Int32) throws {
            try SystemCall.perform("listen on", on: name) { ipc_set_option(own, Int32(option.rawValue), value) }
        }
        do {
            if case .path(let path) = endpoint.place {
                let file = try await UnixSocketFile.bind(
                    own, to: address, at: path, endpoint.kind, permissions: permissions, listen: listen)
                return ListeningSocket(socket, address, file)
            }
            if address.port != nil { try set(IPC_OPTION_REUSE_ADDRESS, 1) }
            if sharesPort { try set(IPC_OPTION_REUSE_PORT, 1) }
            // `*` is one socket for both families; other addresses of IPv6 are for IPv6 alone.
            if address.isIPv6 { try set(IPC_OPTION_ONLY_6, endpoint.isForAll ? 0 : 1) }
            try SystemCall.perform("listen on", on: name) { address.withKernels { ipc_bind(own, $0) } }
            try listen(own)
            return ListeningSocket(socket, try SocketAddress.local(of: own, name), nil)
        } catch {
            socket.close()
            throw error
        }
    }

    func close() {
        if !descriptor.isClosed { file?.remove() }
        descriptor.close()
    }

    /// The file is a successor's from now on.
    func leaveFile() { file?.leave() }

    // MARK: Clients

    func waitForClient(_ deadline: Deadline?) async throws {
        guard descriptor.enter() else { throw descriptor.closedError("accept") }
        defer { descriptor.leave() }
        try await descriptor.wait(.reading, deadline: deadline, "accept")
    }

    func accept(_ deadline: Deadline?) async throws -> Connection {
        try await SharedDescriptor.beginCall("accept", on: descriptor.subject, deadline: deadline)
        while true {
            if let client = try acceptAtOnce() { return client }
            try await waitForClient(deadline)
        }
    }

    /// A client that waits; `nil` if there is none.
    func acceptAtOnce() throws(SystemError) -> Connection? {
        guard let (socket, address) = try take() else { return nil }
        let name = address.port == nil ? "client of \(descriptor.subject)" : "client \(address)"
        return Connection(try Descriptor(fresh: socket, "accept", on: descriptor.subject), peer: address, subject: name)
    }

    /// A client's bare socket, waiting for it.
    func acceptDescriptor(_ deadline: Deadline?) async throws -> Descriptor {
        try await SharedDescriptor.beginCall("accept", on: descriptor.subject, deadline: deadline)
        while true {
            if let (socket, _) = try take() { return try Descriptor(fresh: socket, "accept", on: descriptor.subject) }
            try await waitForClient(deadline)
        }
    }

    private func take() throws(SystemError) -> (Int32, SocketAddress)? {
        guard descriptor.enter() else { throw descriptor.closedError("accept") }
        defer { descriptor.leave() }
        while true {
            var peer = ipc_address()
            let number = ipc_accept(descriptor.number, &peer)
            if number >= 0 { return (number, SocketAddress(peer)) }
            switch Errno(rawValue: -number) {
            case .wouldBlock: return nil
            // Gone before we came, or the network says something of it: accept(2) wants these taken as nothing.
            case .interrupted, .connectionAbort, .protocolError, .networkDown, .protocolNotAvailable, .hostIsDown,
                .noRouteToHost, .notSupportedOnSocket, .networkUnreachable, .notPermitted:
                continue
            case let errno: throw SystemError("accept", on: descriptor.subject, errno)
            }
        }
    }
}

extension Endpoint {
    /// Whether it means several addresses, of which a machine may lack some.
    fileprivate var mayLackFamily: Bool {
        switch place {
        case .loopback, .all: true
        case .host, .path, .abstract: false
        }
    }

    fileprivate var isForAll: Bool { if case .all = place { true } else { false } }
}
