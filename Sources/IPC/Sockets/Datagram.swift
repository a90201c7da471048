// One message without a connection, and what can become of it.
public import SystemPackage

/// A message without a connection: its bytes, and from whom it came or to whom it goes.
public struct Datagram: Hashable, Sendable {
    /// What it holds; empty is as good as anything.
    public var bytes: [UInt8]
    /// Where it came from, or goes to.
    public var address: SocketAddress

    /// A datagram for an address.
    public init(_ bytes: [UInt8], to address: SocketAddress) { (self.bytes, self.address) = (bytes, address) }
}

/// What became of a datagram, other than that it arrived whole.
public struct DatagramError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The ways in which it did not.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// One that came is larger than the room for it. It is gone; its size is ``DatagramError/size``.
        public static let truncated = Kind(description: "truncated")
        /// The network has reported that one which was sent earlier did not reach its address.
        public static let notDelivered = Kind(description: "notDelivered")
    }

    /// What became of it.
    public let kind: Kind
    /// From whom it came, or to whom it went.
    public let address: SocketAddress
    /// The size that it had, in bytes, where that is known; else 0.
    public let size: Int
    /// What the network reported: `ECONNREFUSED` where nobody listens.
    public let errno: Errno

    public var description: String {
        kind == .truncated
            ? "receive from \(address): a datagram of \(size) bytes is larger than the room for it"
            : "send to \(address): \(errno.reason) (\(errno.name))"
    }
}
