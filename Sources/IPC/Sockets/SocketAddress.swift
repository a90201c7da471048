// An address that the kernel knows: what names are looked up to, and what accept and receive give.
import CIPC
public import SystemPackage

/// The address of a socket: of the internet, or a Unix path. The C type is `struct sockaddr`.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    let kernels: ipc_address

    init(_ kernels: ipc_address) { self.kernels = kernels }

    /// An address of the internet as text, `127.0.0.1`, `::1` or `fe80::1%eth0`, and a port. Nothing is looked up.
    ///
    /// Older forms, `127.1` and `0x7f.1`, are understood as `inet_aton` understands them.
    ///
    /// - Throws: ``EndpointError`` with `invalidHost` if the text is no address, with `invalidPort`.
    public init(numeric text: String, port: Int) throws {
        guard 0...65535 ~= port else { throw EndpointError(.invalidPort, "\(port)") }
        var address = ipc_address()
        var error: Int32 = 0
        guard !text.isEmpty, !text.utf8.contains(0), ipc_resolve(text, 0, 1, &address, 1, &error) == 1 else {
            throw EndpointError(.invalidHost, text, detail: "not the text of an address")
        }
        ipc_address_set_port(&address, UInt32(port))
        kernels = address
    }

    /// The address of a path.
    ///
    /// - Throws: ``EndpointError`` with `pathTooLong` beyond 107 bytes; nothing is cut.
    public init(path: FilePath) throws {
        let bytes = path.withPlatformString { Array(String(cString: $0).utf8) }
        try self.init(unix: bytes, isAbstract: false, text: path.string)
    }

    init(unix bytes: [UInt8], isAbstract: Bool, text: String) throws {
        var address = ipc_address()
        guard !bytes.isEmpty else { throw EndpointError(.invalidText, "", detail: "a path is needed") }
        let status = bytes.withUnsafeBufferPointer {
            ipc_address_unix(&address, $0.baseAddress, bytes.count, isAbstract ? 1 : 0)
        }
        guard status == 0 else { throw EndpointError(.pathTooLong, text) }
        kernels = address
    }

    /// The port; `nil` where there is none.
    public var port: Int? {
        let family = family
        guard family == IPC_FAMILY_4 || family == IPC_FAMILY_6 else { return nil }
        return withKernels { Int(ipc_address_port($0)) }
    }

    /// The address as text without the port, as `127.0.0.1` and `fe80::1%2`; `nil` where there is none.
    public var host: String? {
        guard port != nil else { return nil }
        return withKernels { address in
            var text = [CChar](repeating: 0, count: 128)
            let count = ipc_address_text(address, &text, text.count)
            return String(decoding: text[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// The path of a Unix socket; `nil` for addresses of the internet, abstract names and sockets without a name.
    public var path: FilePath? {
        guard family == IPC_FAMILY_UNIX, !isAbstract, let name = unixName, !name.isEmpty else { return nil }
        return FilePath(String(decoding: name, as: UTF8.self))
    }

    /// Whether it is an address of this machine's own loop.
    public var isLoopback: Bool {
        guard let octets else { return false }
        if octets.count == 4 { return octets[0] == 127 }
        if octets.dropLast() == [UInt8](repeating: 0, count: 15) { return octets.last == 1 }
        return mapped?[0] == 127
    }

    /// Whether it is an address of IPv6.
    public var isIPv6: Bool { family == IPC_FAMILY_6 }

    /// The 4 or 16 octets of an address of the internet.
    var octets: [UInt8]? {
        withKernels { address in
            var count: Int32 = 0
            guard let octets = ipc_address_octets(address, &count) else { return nil }
            return Array(UnsafeBufferPointer(start: octets, count: Int(count)))
        }
    }

    /// The IPv4 address that an IPv6 one stands for, `::ffff:1.2.3.4`.
    var mapped: [UInt8]? {
        guard let octets, octets.count == 16, octets[..<10].allSatisfy({ $0 == 0 }), octets[10...11] == [255, 255]
        else {
            return nil
        }
        return Array(octets[12...])
    }

    var family: ipc_family { ipc_family(UInt32(withKernels { ipc_address_family($0) })) }

    var isAbstract: Bool { withKernels { ipc_address_is_abstract($0) } == 1 }

    private var unixName: [UInt8]? {
        withKernels { address in
            var name: UnsafePointer<UInt8>?
            let count = withUnsafeMutablePointer(to: &name) { place in
                place.withMemoryRebound(to: UnsafePointer<UInt8>?.self, capacity: 1) {
                    ipc_address_unix_name(address, $0)
                }
            }
            return name.map { Array(UnsafeBufferPointer(start: $0, count: count)) }
        }
    }

    func with(port: Int) -> SocketAddress {
        var address = kernels
        ipc_address_set_port(&address, UInt32(port))
        return SocketAddress(address)
    }

    func withKernels<Result>(_ body: (UnsafePointer<ipc_address>) -> Result) -> Result {
        withUnsafePointer(to: kernels, body)
    }

    /// `127.0.0.1:80`, `[::1]:80`, a path, `@name` for an abstract name; `unnamed` for a Unix socket without a name.
    public var description: String {
        if let host, let port { return isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
        if let name = unixName, !name.isEmpty { return (isAbstract ? "@" : "") + String(decoding: name, as: UTF8.self) }
        return "unnamed"
    }

    public static func == (one: SocketAddress, other: SocketAddress) -> Bool {
        one.kernels.length == other.kernels.length && one.bytes == other.bytes
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    private var bytes: [UInt8] { withUnsafeBytes(of: kernels.bytes) { Array($0.prefix(Int(kernels.length))) } }

    // MARK: Of a socket

    static func local(of number: Int32, _ subject: String) throws(SystemError) -> SocketAddress {
        var address = ipc_address()
        try SystemCall.perform("address of", on: subject) { ipc_local_address(number, &address) }
        return SocketAddress(address)
    }

    static func peer(of number: Int32, _ subject: String) throws(SystemError) -> SocketAddress {
        var address = ipc_address()
        try SystemCall.perform("peer of", on: subject) { ipc_peer_address(number, &address) }
        return SocketAddress(address)
    }
}
