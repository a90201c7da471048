// A connection that could not be made: every address that was tried, and why it was not it.
public import SystemPackage

/// No connection could be made to an endpoint.
public struct ConnectError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One address that was tried.
    public struct Attempt: Hashable, Sendable {
        /// The address.
        public let address: SocketAddress
        /// The kernel's reason.
        public let errno: Errno
    }

    /// What was to be reached.
    public let endpoint: Endpoint

    /// Every address that was tried, in order.
    public let attempts: [Attempt]

    /// The kernel's reason: of the first address that says more than that there is no way there.
    public var errno: Errno {
        let telling = attempts.first {
            $0.errno != .networkUnreachable && $0.errno != .addressFamilyNotSupported
                && $0.errno != .addressNotAvailable
        }
        return telling?.errno ?? attempts.first?.errno ?? .noRouteToHost
    }

    public var description: String {
        let reasons = attempts.map {
            "\($0.errno.reason) (\($0.errno.name))" + (attempts.count > 1 ? " at \($0.address)" : "")
        }
        return "connect \(endpoint): \(reasons.joined(separator: ", "))"
    }
}
