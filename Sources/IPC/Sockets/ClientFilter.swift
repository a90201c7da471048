// Whom a server lets in: by network, and by user.
import CIPC

/// Whom a server lets in. Who is not let in is gone before a byte of his is read.
public struct ClientFilter: Sendable {
    /// The networks whose clients are let in; all for `nil`.
    public var allowedNetworks: [Network]?
    /// The networks whose clients are not, whatever else is said.
    public var deniedNetworks: [Network] = []
    /// The users whose processes may connect to a Unix socket; all for `nil`.
    public var allowedUsers: Set<UInt32>?

    /// Clients of all networks; of Unix sockets those of our own user and root.
    public init() { allowedUsers = [ipc_effective_user_id(), 0] }

    /// Clients of all networks; of Unix sockets those of our own user and root.
    public static var standard: ClientFilter { ClientFilter() }

    /// Everybody.
    public static var everybody: ClientFilter {
        var filter = ClientFilter()
        filter.allowedUsers = nil
        return filter
    }

    func admits(_ address: SocketAddress, _ credentials: @autoclosure () -> PeerCredentials?) -> Bool {
        guard address.port != nil else {
            guard let allowedUsers else { return true }
            return credentials().map { allowedUsers.contains($0.userID) } ?? false
        }
        guard !deniedNetworks.isEmpty || allowedNetworks != nil else { return true }
        if deniedNetworks.contains(where: { $0.contains(address) }) { return false }
        return allowedNetworks.map { $0.contains { $0.contains(address) } } ?? true
    }
}

/// A range of addresses, as `10.0.0.0/8` and `fe80::/10`.
public struct Network: Hashable, Sendable, CustomStringConvertible {
    private let octets: [UInt8]
    private let length: Int

    /// Reads a network: an address, and behind a slash how many of its bits count; all without one.
    ///
    /// - Throws: ``EndpointError`` with `invalidText`.
    public init(_ text: String) throws {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let address = try? SocketAddress(numeric: String(parts[0]), port: 0)
        guard parts.count <= 2, let octets = address?.octets else {
            throw EndpointError(.invalidText, text, detail: "a network is an address and perhaps /BITS")
        }
        let length = parts.count == 2 ? Int(parts[1]) : octets.count * 8
        guard let length, 0...(octets.count * 8) ~= length else {
            throw EndpointError(.invalidText, text, detail: "0 to \(octets.count * 8) bits can count")
        }
        self.length = length
        self.octets = octets.enumerated().map { $1 & Network.mask(length - 8 * $0) }
    }

    private static func mask(_ bits: Int) -> UInt8 { bits >= 8 ? 255 : bits <= 0 ? 0 : 255 << UInt8(8 - bits) }

    /// Whether an address is one of the network's. An IPv4 address that has come over IPv6 is one of IPv4.
    public func contains(_ address: SocketAddress) -> Bool {
        guard let own = address.mapped ?? address.octets, own.count == octets.count else { return false }
        return zip(own, octets).enumerated().allSatisfy { $1.0 & Network.mask(length - 8 * $0) == $1.1 }
    }

    public var description: String {
        var address = ipc_address()
        octets.withUnsafeBufferPointer { bytes in
            if let base = bytes.baseAddress { ipc_address_make(&address, base, Int32(bytes.count), 0, 0) }
        }
        return "\(SocketAddress(address).host ?? "")/\(length)"
    }
}
