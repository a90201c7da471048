// Messages without a connection: UDP and Unix datagrams, one at a time or many.
import CIPC
public import SystemPackage

/// A socket for datagrams: each is sent and received whole, or not at all, and nobody promises that it arrives.
///
/// ```swift
/// let socket = try DatagramSocket(on: .udp("*", port: 0))
/// try await socket.send("time?", to: .udp("example.org", port: "time(37)"))
/// let answer = try await socket.receive(timeout: .seconds(3))
/// ```
///
/// Boundaries are kept, empty datagrams too; one that is larger than the room for it is an error, not a piece. What the network
/// reports of a datagram that was sent is an error of a later call that names the address; the socket can be used on.
///
/// It closes with ``close()``, or when nobody holds it any more; a Unix socket's file goes with it.
public final class DatagramSocket: Sendable {
    let descriptor: SharedDescriptor
    let family: ipc_family
    private let file: UnixSocketFile?

    /// A socket that receives at an endpoint.
    ///
    /// `udp:PORT` is this machine's IPv4 loop, or, if broadcasts are allowed, all IPv4 addresses; `udp:*:PORT` is all addresses of
    /// both families. Port 0 has the kernel choose.
    ///
    /// - Parameters:
    ///   - endpoint: where to receive.
    ///   - allowsBroadcast: whether it may send to ``Endpoint/broadcast(port:)``.
    ///   - sharesPort: whether other sockets may receive at the same port too, as those of a multicast group.
    /// - Throws: ``SystemError``, with `EADDRINUSE`; ``EndpointError`` for a host by name, which has to be looked up first, and for
    ///   endpoints of other kinds.
    public convenience init(on endpoint: Endpoint, allowsBroadcast: Bool = false, sharesPort: Bool = false) throws {
        if case .path = endpoint.place {
            throw EndpointError(.unsuitable, "\(endpoint)", detail: "a path is made by init(at:permissions:)")
        }
        let address = try endpoint.ownDatagramAddress(allowsBroadcast: allowsBroadcast)
        let name = "\(endpoint)"
        let socket = try DatagramSocket.open(address.family, name)
        let number = socket.number
        func set(_ option: ipc_option, _ value: Int32) throws {
            try SystemCall.perform("bind", on: name) { ipc_set_option(number, Int32(option.rawValue), value) }
        }
        if allowsBroadcast { try set(IPC_OPTION_BROADCAST, 1) }
        if sharesPort {
            try set(IPC_OPTION_REUSE_ADDRESS, 1)
            try set(IPC_OPTION_REUSE_PORT, 1)
        }
        if address.isIPv6 { try set(IPC_OPTION_ONLY_6, endpoint.isEverywhere ? 0 : 1) }
        try SystemCall.perform("bind", on: name) { address.withKernels { ipc_bind(number, $0) } }
        self.init(socket, address.family, name, nil)
    }

    /// A Unix datagram socket at a path, with its file's permissions; as ``Listener`` has it, a live one is not taken.
    ///
    /// - Throws: ``SystemError``, with `EADDRINUSE` if somebody receives there; ``EndpointError`` with `pathTooLong`.
    public convenience init(at path: FilePath, permissions: FilePermissions = .ownerReadWrite) async throws {
        let address = try SocketAddress(path: path)
        let socket = try DatagramSocket.open(IPC_FAMILY_UNIX, path.string)
        let number = socket.number
        let file = try await UnixSocketFile.bind(
            number, to: address, at: path, .datagram, permissions: permissions, listen: { _ in })
        self.init(socket, IPC_FAMILY_UNIX, path.string, file)
    }

    /// A socket that talks with one address alone: others' datagrams do not reach it, and the network's reports do.
    ///
    /// - Throws: ``EndpointError``, ``SystemError``, ``TimeoutError``, `CancellationError`.
    public convenience init(connectedTo endpoint: Endpoint, timeout: Duration? = nil) async throws {
        guard endpoint.kind == .datagram else {
            throw EndpointError(.unsuitable, "\(endpoint)", detail: "datagrams go to udp: or unix-datagram:")
        }
        var failure: any Error = EndpointError(.hostNotFound, "\(endpoint)")
        for address in try await endpoint.resolve(Deadline.after(timeout)) {
            let socket = try DatagramSocket.open(address.family, "\(endpoint)")
            let status = SystemCall.retrying { address.withKernels { ipc_connect(socket.number, $0) } }
            guard status == 0 else {
                failure = SystemError("connect", on: "\(endpoint)", Errno(rawValue: -status))
                continue
            }
            self.init(socket, address.family, "\(endpoint)", nil)
            return
        }
        throw failure
    }

    private init(_ socket: consuming Descriptor, _ family: ipc_family, _ name: String, _ file: UnixSocketFile?) {
        descriptor = SharedDescriptor(socket, .socket, subject: name)
        self.family = family
        self.file = file
    }

    deinit { close() }

    private static func open(_ family: ipc_family, _ name: String) throws(SystemError) -> Descriptor {
        let number = try SystemCall.perform("open", on: name) {
            ipc_socket(Int32(family.rawValue), SocketKind.datagram.number, 0)
        }
        let socket = try Descriptor(fresh: number, "open", on: name)
        // Has the network's reports kept with the address that they are about.
        if family == IPC_FAMILY_4 || family == IPC_FAMILY_6 {
            _ = ipc_set_option(socket.number, Int32(IPC_OPTION_RECEIVE_ERRORS_4.rawValue), 1)
        }
        if family == IPC_FAMILY_6 { _ = ipc_set_option(socket.number, Int32(IPC_OPTION_RECEIVE_ERRORS_6.rawValue), 1) }
        return socket
    }

    /// What the socket is, as errors name it.
    public var name: String { descriptor.subject }

    /// Where it receives. The C function is `getsockname`.
    ///
    /// - Throws: ``SystemError`` with `ECANCELED` once it is closed.
    public var localAddress: SocketAddress {
        get throws { try descriptor.use("address of") { try SocketAddress.local(of: $0, name) } }
    }

    /// Closes the socket: calls that wait end with `ECANCELED`. Closing again does nothing.
    public func close() {
        if !descriptor.isClosed { file?.remove() }
        descriptor.close()
    }

    // MARK: Sending

    /// Sends a datagram to an endpoint, whose name is looked up each time; its first address of a family that the socket has gets it.
    ///
    /// - Throws: ``SystemError`` with `EMSGSIZE` for more than a datagram can hold (65,507 bytes for UDP), with `EACCES` for a
    ///   broadcast that is not allowed; ``DatagramError`` with `notDelivered` for an earlier one; ``EndpointError``,
    ///   ``TimeoutError``, `CancellationError`.
    public func send(_ bytes: [UInt8], to endpoint: Endpoint, timeout: Duration? = nil) async throws {
        let deadline = Deadline.after(timeout)
        try await send(bytes, try await address(of: endpoint, deadline), deadline)
    }

    /// Sends a text in UTF-8 as a datagram.
    ///
    /// - Throws: as for bytes.
    public func send(_ text: String, to endpoint: Endpoint, timeout: Duration? = nil) async throws {
        try await send(Array(text.utf8), to: endpoint, timeout: timeout)
    }

    /// Sends a datagram to an address.
    ///
    /// - Throws: as to an endpoint, but for names.
    public func send(_ bytes: [UInt8], to address: SocketAddress, timeout: Duration? = nil) async throws {
        try await send(bytes, address, Deadline.after(timeout))
    }

    /// Sends a datagram to the address that the socket is connected to.
    ///
    /// - Throws: as to an address, with `EDESTADDRREQ` for a socket that is connected to none.
    public func send(_ bytes: [UInt8], timeout: Duration? = nil) async throws {
        try await send(bytes, nil, Deadline.after(timeout))
    }

    private func send(_ bytes: [UInt8], _ address: SocketAddress?, _ deadline: Deadline?) async throws {
        try await SharedDescriptor.beginCall("send", on: name, deadline: deadline)
        let target = try address.map { address in
            guard let target = reachable(address) else {
                throw SystemError("send", on: "\(address)", .addressFamilyNotSupported)
            }
            return target
        }
        guard descriptor.enter() else { throw descriptor.closedError("send") }
        defer { descriptor.leave() }
        while true {
            let result = SystemCall.retrying {
                bytes.withUnsafeBytes { all in
                    guard let target else { return ipc_send_to(descriptor.number, all.baseAddress, all.count, nil) }
                    return target.withKernels { ipc_send_to(descriptor.number, all.baseAddress, all.count, $0) }
                }
            }
            if result >= 0 { return }
            let errno = Errno(rawValue: Int32(-result))
            // A report about an earlier one comes instead of sending this one.
            if let report = report() { throw report }
            guard errno == .wouldBlock else { throw SystemError("send", on: address.map { "\($0)" } ?? name, errno) }
            try await descriptor.wait(.writing, deadline: deadline, "send")
        }
    }

    // MARK: Receiving

    /// Receives a datagram, waiting for it.
    ///
    /// - Parameters:
    ///   - limit: the most bytes that it may have.
    ///   - timeout: how long to wait; as long as it takes for `nil`.
    /// - Throws: ``DatagramError`` with `truncated` for a larger one, which is gone then, with `notDelivered` where the network
    ///   reports that an earlier one did not arrive; ``TimeoutError``, `CancellationError`, ``SystemError``.
    public func receive(limit: Int = 65_535, timeout: Duration? = nil) async throws -> Datagram {
        try await receive(limit, Deadline.after(timeout))
    }

    /// Receives a datagram, as ``receive(limit:timeout:)`` does, until a deadline.
    public func receive(limit: Int = 65_535, deadline: Deadline) async throws -> Datagram {
        try await receive(limit, deadline)
    }

    private func receive(_ limit: Int, _ deadline: Deadline?) async throws -> Datagram {
        try await SharedDescriptor.beginCall("receive", on: name, deadline: deadline)
        guard descriptor.enter() else { throw descriptor.closedError("receive") }
        defer { descriptor.leave() }
        let room = max(1, limit)
        while true {
            var from = ipc_address()
            var (whole, result) = (0, 0)
            let bytes = [UInt8](unsafeUninitializedCapacity: room) { space, used in
                result = SystemCall.retrying {
                    space.baseAddress.map { ipc_receive_from(descriptor.number, $0, room, &from, &whole) } ?? 0
                }
                used = max(0, result)
            }
            if result >= 0 {
                let address = SocketAddress(from).unmapped
                guard whole <= limit else {
                    throw DatagramError(kind: .truncated, address: address, size: whole, errno: .messageTooLong)
                }
                return Datagram(bytes.compacted, to: address)
            }
            let errno = Errno(rawValue: Int32(-result))
            if let report = report() { throw report }
            guard errno == .wouldBlock else { throw SystemError("receive", on: name, errno) }
            try await descriptor.wait(.reading, deadline: deadline, "receive")
        }
    }

    /// What the network has reported of one that was sent.
    func report() -> DatagramError? {
        guard family != IPC_FAMILY_UNIX else { return nil }
        var to = ipc_address()
        let errno = ipc_receive_error(descriptor.number, &to)
        guard errno > 0 else { return nil }
        return DatagramError(
            kind: .notDelivered, address: SocketAddress(to).unmapped, size: 0, errno: Errno(rawValue: errno))
    }

    // MARK: Addresses

    /// The first address of an endpoint that the socket can reach.
    func address(of endpoint: Endpoint, _ deadline: Deadline?) async throws -> SocketAddress {
        guard endpoint.kind == .datagram else {
            throw EndpointError(.unsuitable, "\(endpoint)", detail: "datagrams go to udp: or unix-datagram:")
        }
        guard let address = try await endpoint.resolve(deadline).first(where: { reachable($0) != nil }) else {
            throw SystemError("send", on: "\(endpoint)", .addressFamilyNotSupported)
        }
        return address
    }

    /// The address as this socket's family has it; `nil` if it cannot reach it.
    func reachable(_ address: SocketAddress) -> SocketAddress? {
        if address.family == family { return address }
        guard family == IPC_FAMILY_6, address.family == IPC_FAMILY_4 else { return nil }
        return address.mappedToIPv6
    }
}

extension SocketAddress {
    /// An IPv6 address that stands for an IPv4 one as that.
    var unmapped: SocketAddress {
        guard let octets = mapped, let port else { return self }
        var address = ipc_address()
        octets.withUnsafeBufferPointer {
            if let base = $0.baseAddress { ipc_address_make(&address, base, 4, UInt32(port), 0) }
        }
        return SocketAddress(address)
    }

    fileprivate var mappedToIPv6: SocketAddress? {
        guard let octets, octets.count == 4, let port else { return nil }
        var address = ipc_address()
        let mapped = [UInt8](repeating: 0, count: 10) + [255, 255] + octets
        mapped.withUnsafeBufferPointer {
            if let base = $0.baseAddress { ipc_address_make(&address, base, 16, UInt32(port), 0) }
        }
        return SocketAddress(address)
    }
}

extension Endpoint {
    /// The address to receive datagrams at, which nobody is asked for.
    fileprivate func ownDatagramAddress(allowsBroadcast: Bool) throws -> SocketAddress {
        guard kind == .datagram else {
            throw EndpointError(.unsuitable, "\(self)", detail: "datagrams are received at udp:")
        }
        switch place {
        case .loopback(let port):
            let number = try port.number(for: .datagram)
            return try SocketAddress(numeric: allowsBroadcast ? "0.0.0.0" : "127.0.0.1", port: number)
        case .all(let port):
            let host = allowsBroadcast ? "0.0.0.0" : "::"
            return try SocketAddress(numeric: host, port: try port.number(for: .datagram))
        case .host(let host, let port):
            return try SocketAddress(numeric: host, port: try port.number(for: .datagram))
        case .path(let path): return try SocketAddress(path: path)
        case .abstract(let name): return try SocketAddress(unix: Array(name.utf8), isAbstract: true, text: name)
        }
    }

    fileprivate var isEverywhere: Bool { if case .all = place { true } else { false } }
}
