// What is wrong with the name of an endpoint.

/// An endpoint that cannot be one: its text, its port, its path, or the name of its host.
public struct EndpointError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The ways in which it cannot.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// The text is none of an endpoint.
        public static let invalidText = Kind(description: "invalidText")
        /// A port is no number from 0 to 65,535 and no name.
        public static let invalidPort = Kind(description: "invalidPort")
        /// The system knows no service of that name.
        public static let unknownService = Kind(description: "unknownService")
        /// A host's name is empty, too long, or has characters that none has.
        public static let invalidHost = Kind(description: "invalidHost")
        /// No host has that name, or it has no address.
        public static let hostNotFound = Kind(description: "hostNotFound")
        /// The name servers do not answer; later they may.
        public static let lookupFailed = Kind(description: "lookupFailed")
        /// A path or a name is longer than the 107 bytes that a Unix address has room for.
        public static let pathTooLong = Kind(description: "pathTooLong")
        /// The endpoint is of a kind that cannot be used so.
        public static let unsuitable = Kind(description: "unsuitable")
    }

    /// What is wrong.
    public let kind: Kind

    /// The part that is wrong: a text, a port, a host, a path.
    public let subject: String

    /// More of the reason, for people; empty if there is no more.
    public let detail: String

    init(_ kind: Kind, _ subject: String, detail: String = "") {
        (self.kind, self.subject, self.detail) = (kind, subject, detail)
    }

    public var description: String { "'\(subject)': \(reason)\(detail.isEmpty ? "" : ": \(detail)")" }

    private var reason: String {
        switch kind {
        case .invalidText: "no endpoint"
        case .invalidPort: "no port"
        case .unknownService: "no service of that name is known here"
        case .invalidHost: "no name of a host"
        case .hostNotFound: "no host of that name"
        case .lookupFailed: "the name could not be looked up"
        case .pathTooLong: "a Unix address has room for 107 bytes"
        case .unsuitable: "an endpoint of another kind is needed here"
        default: "\(kind)"
        }
    }
}
