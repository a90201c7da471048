// A port: a number, or a service whose number is looked up.
import CIPC

/// A port of TCP or UDP: a number, the name of a service, or both, `"daytime(13)"`, where the number is used if the system does
/// not know the name.
public struct Port: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, CustomStringConvertible
{
    let text: String

    /// A port by its number, from 0 to 65,535; 0 has the kernel choose one where something listens.
    public init(_ number: Int) { text = String(number) }

    /// A port by number, name or both.
    public init(_ text: String) { self.text = text }

    /// A port by its number.
    public init(integerLiteral number: Int) { self.init(number) }

    /// A port by number, name or both.
    public init(stringLiteral text: String) { self.init(text) }

    /// As it was stated.
    public var description: String { text }

    /// The number of the port, looked up among the system's services if need be. The C function is `getservbyname_r`.
    ///
    /// - Throws: ``EndpointError`` with `invalidPort` for numbers out of range, with `unknownService` for a name that the
    ///   system does not know and that has no number behind it.
    public func number(for kind: SocketKind = .stream) throws -> Int {
        func invalid() -> EndpointError {
            EndpointError(.invalidPort, text, detail: "ports are 0 to 65535, or names of services")
        }
        if !text.isEmpty, text.utf8.allSatisfy({ 48...57 ~= $0 }) {
            guard let number = Int(text), number <= 65535 else { throw invalid() }
            return number
        }
        let parts = text.split(separator: "(", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard !name.isEmpty, name.utf8.allSatisfy({ 33...126 ~= $0 }), name.first != "-" else { throw invalid() }
        var fallback: Int?
        if parts.count == 2 {
            guard parts[1].last == ")", let number = Int(parts[1].dropLast()), 0...65535 ~= number else {
                throw invalid()
            }
            fallback = number
        }
        let found = ipc_service_port(name, kind == .datagram ? "udp" : "tcp")
        guard let number = found >= 0 ? Int(found) : fallback else { throw EndpointError(.unknownService, name) }
        return number
    }
}

/// How a socket carries what is sent.
public enum SocketKind: Hashable, Sendable {
    /// A stream of bytes between two (`SOCK_STREAM`).
    case stream
    /// Single messages without a connection (`SOCK_DGRAM`).
    case datagram
    /// Messages between two, in order (`SOCK_SEQPACKET`).
    case sequenced

    var number: Int32 {
        switch self {
        case .stream: Int32(IPC_SOCKET_STREAM.rawValue)
        case .datagram: Int32(IPC_SOCKET_DATAGRAM.rawValue)
        case .sequenced: Int32(IPC_SOCKET_SEQUENCED.rawValue)
        }
    }
}
