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
    private let family: ipc_family
    private let file: UnixSocketFile?

    /// A socket that receives at an endpoint.
    ///
    /// `udp:PORT` is this machine's IPv4 loop, or, if broadcasts are allowed, all IPv4 addresses; `udp:*:PORT` is all addresses of
    /// both families. Port 0 has the kernel choose.
    ///
    /// - Parameters:
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
    public var localAddress: SocketAddress {
        get throws { try use("address of") { try SocketAddress.local(of: $0, name) } }
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
        guard endpoint.kind == .datagram else {
            throw EndpointError(.unsuitable, "\(endpoint)", detail: "datagrams go to udp: or unix-datagram:")
        }
        let addresses = try await endpoint.resolve(deadline)
        guard let address = addresses.first(where: { reachable($0) != nil }) else {
            throw SystemError("send", on: "\(endpoint)", .addressFamilyNotSupported)
        }
        try await send(bytes, address, deadline)
    }

    /// Sends a text in UTF-8 as a datagram.
    public func send(_ text: String, to endpoint: Endpoint, timeout: Duration? = nil) async throws {
        try await send(Array(text.utf8), to: endpoint, timeout: timeout)
    }

    /// Sends a datagram to an address.
    public func send(_ bytes: [UInt8], to address: SocketAddress, timeout: Duration? = nil) async throws {
        try await send(bytes, address, Deadline.after(timeout))
    }

    /// Sends a datagram to the address that the socket is connected to.
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
    /// - Parameter limit: the most bytes that it may have.
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
                // What comes in small pieces shall not hold on to the memory of large ones.
                return Datagram(Array(bytes), to: address)
            }
            let errno = Errno(rawValue: Int32(-result))
            if let report = report() { throw report }
            guard errno == .wouldBlock else { throw SystemError("receive", on: name, errno) }
            try await descriptor.wait(.reading, deadline: deadline, "receive")
        }
    }

    /// What the network has reported of one that was sent.
    private func report() -> DatagramError? {
        guard family != IPC_FAMILY_UNIX else { return nil }
        var to = ipc_address()
        let errno = ipc_receive_error(descriptor.number, &to)
        guard errno > 0 else { return nil }
        return DatagramError(
            kind: .notDelivered, address: SocketAddress(to).unmapped, size: 0, errno: Errno(rawValue: errno))
    }

    // MARK: Many at once

    /// Sends datagrams, as many as go at once, by few calls; gives how many that were, at least one. The C function is `sendmmsg`.
    ///
    /// - Throws: as ``send(_:to:timeout:)-([UInt8],SocketAddress,_)`` does, if the first cannot be sent.
    public func send(_ datagrams: [Datagram], timeout: Duration? = nil) async throws -> Int {
        guard !datagrams.isEmpty else { return 0 }
        let deadline = Deadline.after(timeout)
        try await SharedDescriptor.beginCall("send", on: name, deadline: deadline)
        guard descriptor.enter() else { throw descriptor.closedError("send") }
        defer { descriptor.leave() }
        let batch = datagrams.prefix(DatagramSocket.mostAtOnce)
        let targets = try batch.map { datagram in
            guard let target = reachable(datagram.address) else {
                throw SystemError("send", on: "\(datagram.address)", .addressFamilyNotSupported)
            }
            return target
        }
        var all = batch.flatMap(\.bytes)
        while true {
            let result = all.withUnsafeMutableBytes { space in
                var (list, start) = ([ipc_datagram](), 0)
                for (datagram, target) in zip(batch, targets) {
                    let count = datagram.bytes.count
                    list.append(
                        ipc_datagram(
                            bytes: space.baseAddress.map { $0 + start }, count: count, whole: count,
                            address: target.kernels))
                    start += count
                }
                return SystemCall.retrying { ipc_send_many(descriptor.number, &list, Int32(list.count), 1) }
            }
            if result > 0 { return Int(result) }
            if let report = report() { throw report }
            guard result == -Errno.wouldBlock.rawValue else {
                throw SystemError("send", on: "\(batch[batch.startIndex].address)", Errno(rawValue: -result))
            }
            try await descriptor.wait(.writing, deadline: deadline, "send")
        }
    }

    /// Receives all datagrams that are there, at most `count`, waiting for the first. The C function is `recvmmsg`.
    ///
    /// - Parameters:
    ///   - count: at most 64 come at a time.
    ///   - limit: the most bytes that each may have.
    /// - Throws: as ``receive(limit:timeout:)`` does. If one is too large, all that came with it are gone too.
    public func receive(atMost count: Int, limit: Int = 2048, timeout: Duration? = nil) async throws -> [Datagram] {
        let deadline = Deadline.after(timeout)
        try await SharedDescriptor.beginCall("receive", on: name, deadline: deadline)
        guard descriptor.enter() else { throw descriptor.closedError("receive") }
        defer { descriptor.leave() }
        let (number, room) = (min(max(1, count), DatagramSocket.mostAtOnce), max(1, limit))
        var space = [UInt8](repeating: 0, count: number * room)
        while true {
            var list = [ipc_datagram](
                repeating: ipc_datagram(bytes: nil, count: room, whole: 0, address: ipc_address()), count: number)
            let result = space.withUnsafeMutableBytes { all in
                for index in 0..<number { list[index].bytes = all.baseAddress.map { $0 + index * room } }
                return SystemCall.retrying { ipc_receive_many(descriptor.number, &list, Int32(number)) }
            }
            if result > 0 {
                return try (0..<Int(result)).map { index in
                    let (one, address) = (list[index], SocketAddress(list[index].address).unmapped)
                    guard one.whole <= limit else {
                        throw DatagramError(kind: .truncated, address: address, size: one.whole, errno: .messageTooLong)
                    }
                    return Datagram(Array(space[(index * room)..<(index * room + one.count)]), to: address)
                }
            }
            if let report = report() { throw report }
            guard result == -Errno.wouldBlock.rawValue else {
                throw SystemError("receive", on: name, Errno(rawValue: -result))
            }
            try await descriptor.wait(.reading, deadline: deadline, "receive")
        }
    }

    private static let mostAtOnce = 64

    // MARK: Groups

    /// Joins a multicast group: what is sent to it, at our port, is received from now on.
    ///
    /// - Parameters:
    ///   - group: the group's address.
    ///   - interface: the network to join on, as `eth0`; the system's choice for `nil`.
    /// - Throws: ``SystemError``, with `EADDRINUSE` if it is joined already, with `ENODEV` if there is no such interface.
    public func join(_ group: SocketAddress, on interface: String? = nil) throws {
        try change(group, interface, joins: true)
    }

    /// Leaves a multicast group.
    ///
    /// - Throws: ``SystemError``, with `EADDRNOTAVAIL` if it is not joined.
    public func leave(_ group: SocketAddress, on interface: String? = nil) throws {
        try change(group, interface, joins: false)
    }

    private func change(_ group: SocketAddress, _ interface: String?, joins: Bool) throws {
        let index = try DatagramSocket.index(of: interface)
        try use(joins ? "join" : "leave") { number in
            try SystemCall.perform(joins ? "join" : "leave", on: "\(group.host ?? "\(group)")") {
                group.withKernels { ipc_multicast(number, $0, index, joins ? 1 : 0) }
            }
        }
    }

    private static func index(of interface: String?) throws -> UInt32 {
        guard let interface else { return 0 }
        let index = interface.utf8.contains(0) ? 0 : ipc_interface_index(interface)
        guard index > 0 else { throw SystemError("find", on: "interface \(interface)", .operationNotSupportedByDevice) }
        return index
    }

    /// How multicasts are sent from now on.
    ///
    /// - Parameters:
    ///   - hops: how many routers they may pass, 0 to 255; 1 is the local network.
    ///   - loops: whether this machine's own members get them.
    ///   - interface: the network they go out on; the system's choice for `nil`.
    /// - Throws: ``SystemError`` with `EINVAL` for hops out of range.
    public func setMulticast(hops: Int = 1, loops: Bool = true, interface: String? = nil) throws {
        let index = try DatagramSocket.index(of: interface)
        let (hopsOption, loopOption) =
            family == IPC_FAMILY_4
            ? (IPC_OPTION_MULTICAST_TTL_4, IPC_OPTION_MULTICAST_LOOP_4)
            : (IPC_OPTION_MULTICAST_HOPS_6, IPC_OPTION_MULTICAST_LOOP_6)
        try use("set multicast of") { number in
            func set(_ call: () -> Int32) throws { try SystemCall.perform("set multicast of", on: name, call) }
            guard 0...255 ~= hops else { throw SystemError("set \(hops) hops of", on: name, .invalidArgument) }
            try set { ipc_set_option(number, Int32(hopsOption.rawValue), Int32(hops)) }
            try set { ipc_set_option(number, Int32(loopOption.rawValue), loops ? 1 : 0) }
            if index > 0 { try set { ipc_multicast_interface(number, Int32(family.rawValue), index) } }
        }
    }

    // MARK: Addresses

    /// The address as this socket's family has it; `nil` if it cannot reach it.
    private func reachable(_ address: SocketAddress) -> SocketAddress? {
        if address.family == family { return address }
        guard family == IPC_FAMILY_6, address.family == IPC_FAMILY_4 else { return nil }
        return address.mappedToIPv6
    }

    @discardableResult
    func use<Result>(_ operation: String, _ body: (Int32) throws -> Result) throws -> Result {
        guard descriptor.enter() else { throw descriptor.closedError(operation) }
        defer { descriptor.leave() }
        return try body(descriptor.number)
    }
}

extension SocketAddress {
    /// An IPv6 address that stands for an IPv4 one as that.
    fileprivate var unmapped: SocketAddress {
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
