// Multicast: what is sent to a group comes to all who have joined it.
import CIPC
import SystemPackage

extension DatagramSocket {
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
        try descriptor.use(joins ? "join" : "leave") { number in
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
        try descriptor.use("set multicast of") { number in
            func set(_ call: () -> Int32) throws { try SystemCall.perform("set multicast of", on: name, call) }
            guard 0...255 ~= hops else { throw SystemError("set \(hops) hops of", on: name, .invalidArgument) }
            try set { ipc_set_option(number, Int32(hopsOption.rawValue), Int32(hops)) }
            try set { ipc_set_option(number, Int32(loopOption.rawValue), loops ? 1 : 0) }
            if index > 0 { try set { ipc_multicast_interface(number, Int32(family.rawValue), index) } }
        }
    }
}
