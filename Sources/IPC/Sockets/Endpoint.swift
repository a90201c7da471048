// Where something listens, as people write it: `tcp:example.org:80`, `unix:app.sock`.
public import SystemPackage

/// Where something listens or is to be reached, by name; the addresses behind it are looked up when it is used.
///
/// As text, which ``init(_:)`` reads and ``description`` gives:
///
/// | text | is |
/// |---|---|
/// | `tcp:HOST:PORT`, `udp:HOST:PORT` | a host by name or address; IPv6 in brackets, `tcp:[fe80::1%eth0]:80` |
/// | `tcp:PORT`, `udp:PORT` | this machine's loop, in both families |
/// | `tcp:*:PORT`, `udp:*:PORT` | all addresses of this machine, to listen on |
/// | `unix:PATH`, `unix-seqpacket:PATH`, `unix-datagram:PATH` | a Unix socket with a file |
/// | `abstract:NAME` | a Unix socket in the kernel's own name space, which has no rights |
///
/// A port is a number, the name of a service, or both, as `daytime(13)`.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    enum Place: Hashable, Sendable {
        /// This machine's loop.
        case loopback(Port)
        /// All addresses of this machine.
        case all(Port)
        case host(String, Port)
        case path(FilePath)
        case abstract(String)
    }

    /// How what is sent is carried.
    public let kind: SocketKind
    let place: Place

    init(_ kind: SocketKind, _ place: Place) { (self.kind, self.place) = (kind, place) }

    /// A port of this machine's loop, in both families.
    public static func tcp(port: Port) -> Endpoint { Endpoint(.stream, .loopback(port)) }

    /// A port of a host, by its name or address; `"*"` for all addresses of this machine.
    public static func tcp(_ host: String, port: Port) -> Endpoint { Endpoint(.stream, place(host, port)) }

    /// A port for datagrams on this machine's loop.
    public static func udp(port: Port) -> Endpoint { Endpoint(.datagram, .loopback(port)) }

    /// A port for datagrams of a host, by its name or address; `"*"` for all addresses of this machine.
    public static func udp(_ host: String, port: Port) -> Endpoint { Endpoint(.datagram, place(host, port)) }

    /// A port of all machines on the local network, for datagrams of a socket that allows broadcasts.
    public static func broadcast(port: Port) -> Endpoint { Endpoint(.datagram, .host("255.255.255.255", port)) }

    /// A Unix stream socket at a path.
    public static func unix(_ path: FilePath) -> Endpoint { Endpoint(.stream, .path(path)) }

    /// A Unix socket at a path that carries messages in order.
    public static func unixSequenced(_ path: FilePath) -> Endpoint { Endpoint(.sequenced, .path(path)) }

    /// A Unix socket at a path that carries datagrams.
    public static func unixDatagram(_ path: FilePath) -> Endpoint { Endpoint(.datagram, .path(path)) }

    /// A Unix stream socket with a name in the kernel's own name space.
    ///
    /// Such names belong to whoever takes them first, and have no rights: any user of the machine can connect. Listeners ask who
    /// the peer is, as for paths.
    public static func abstract(_ name: String) -> Endpoint { Endpoint(.stream, .abstract(name)) }

    private static func place(_ host: String, _ port: Port) -> Place { host == "*" ? .all(port) : .host(host, port) }

    /// Reads an endpoint's text.
    ///
    /// - Throws: ``EndpointError`` with `invalidText`. Ports and hosts are looked at when the endpoint is used.
    public init(_ text: String) throws {
        func defect(_ detail: String) -> EndpointError { EndpointError(.invalidText, text, detail: detail) }
        guard let colon = text.firstIndex(of: ":") else {
            throw defect("say tcp:HOST:PORT, udp:HOST:PORT, unix:PATH or abstract:NAME")
        }
        let rest = String(text[text.index(after: colon)...])
        guard !rest.isEmpty, !rest.utf8.contains(0) else { throw defect("nothing behind the colon") }
        switch text[..<colon] {
        case "tcp": self.init(.stream, try Endpoint.internet(rest, text))
        case "udp": self.init(.datagram, try Endpoint.internet(rest, text))
        case "unix": self.init(.stream, .path(FilePath(rest)))
        case "unix-seqpacket": self.init(.sequenced, .path(FilePath(rest)))
        case "unix-datagram": self.init(.datagram, .path(FilePath(rest)))
        case "abstract": self.init(.stream, .abstract(rest))
        default: throw defect("'\(text[..<colon])' is none of tcp, udp, unix, unix-seqpacket, unix-datagram, abstract")
        }
    }

    /// `HOST:PORT`, `[ADDRESS]:PORT`, `*:PORT` or `PORT`.
    private static func internet(_ text: String, _ whole: String) throws -> Place {
        func defect(_ detail: String) -> EndpointError { EndpointError(.invalidText, whole, detail: detail) }
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]"), text[text.index(after: close)...].first == ":" else {
                throw defect("a bracket without its end, or without a port behind it")
            }
            let host = String(text[text.index(after: text.startIndex)..<close])
            let port = String(text[text.index(after: close)...].dropFirst())
            guard !host.isEmpty, !port.isEmpty else { throw defect("a host and a port are needed") }
            return .host(host, Port(port))
        }
        guard let colon = text.lastIndex(of: ":") else { return .loopback(Port(text)) }
        let (host, port) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
        guard !host.isEmpty, !port.isEmpty else { throw defect("a host and a port are needed") }
        guard !host.contains(":") else { throw defect("an IPv6 address stands in brackets") }
        return place(host, Port(port))
    }

    public var description: String {
        let scheme =
            switch (kind, place) {
            case (_, .abstract): "abstract"
            case (.stream, .path): "unix"
            case (.sequenced, .path): "unix-seqpacket"
            case (.datagram, .path): "unix-datagram"
            case (.datagram, _): "udp"
            default: "tcp"
            }
        return switch place {
        case .loopback(let port): "\(scheme):\(port)"
        case .all(let port): "\(scheme):*:\(port)"
        case .host(let host, let port): host.contains(":") ? "\(scheme):[\(host)]:\(port)" : "\(scheme):\(host):\(port)"
        case .path(let path): "\(scheme):\(path)"
        case .abstract(let name): "\(scheme):\(name)"
        }
    }
}
