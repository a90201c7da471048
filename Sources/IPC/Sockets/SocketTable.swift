// Who listens where: the kernel's tables of sockets, and the processes that hold them.
import CIPC
import SystemPackage

/// A socket that listens, or receives datagrams.
public struct SocketRecord: Sendable, Hashable {
    /// `tcp`, `udp` or `unix`.
    public let family: String
    /// How it carries what is sent.
    public let kind: SocketKind
    /// Where: an address and a port, a path, or `@` and an abstract name.
    public let place: String
    /// The user whose it is, as far as the table says: not for Unix sockets.
    public let userID: UInt32?
    /// The kernel's number of the socket.
    public let inode: UInt64
    /// The processes that have it open, as far as we may look at them.
    public let processes: [ProcessID]
}

/// The sockets of this machine, or of this network namespace.
public enum SocketTable {
    /// The sockets that listen, and those of UDP that receive at a port, in the order of family and place.
    ///
    /// Which process has a socket open is known of our own user's, and of all to root. See proc(5).
    ///
    /// - Throws: ``SystemError`` if `/proc` cannot be read.
    public static func listening() throws -> [SocketRecord] {
        let owners = try owners()
        var records: [SocketRecord] = []
        for (name, isTCP) in [("tcp", true), ("tcp6", true), ("udp", false), ("udp6", false)] {
            // A machine without IPv6 has no such file.
            guard let text = try? SmallFile.read("/proc/net/\(name)") else { continue }
            records += lines(text).compactMap { internet($0, isTCP: isTCP, owners) }
        }
        records += lines(try SmallFile.read("/proc/net/unix")).compactMap { unix($0, owners) }
        return records.sorted { ($0.family, $0.place) < ($1.family, $1.place) }
    }

    private static func lines(_ text: [UInt8]) -> [Substring] {
        String(decoding: text, as: UTF8.self).split(separator: "\n").dropFirst().map { $0 }
    }

    /// `sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode`
    private static func internet(_ line: Substring, isTCP: Bool, _ owners: [UInt64: [ProcessID]]) -> SocketRecord? {
        let fields = line.split(separator: " ", omittingEmptySubsequences: true)
        guard fields.count > 9, let inode = UInt64(fields[9]), fields[3] == (isTCP ? "0A" : "07"),
            let address = address(fields[1])
        else { return nil }
        return SocketRecord(
            family: isTCP ? "tcp" : "udp", kind: isTCP ? .stream : .datagram, place: "\(address)",
            userID: UInt32(fields[7]), inode: inode, processes: owners[inode] ?? [])
    }

    /// Words of four octets, each as this machine's number, and the port.
    private static func address(_ text: Substring) -> SocketAddress? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let port = UInt32(parts[1], radix: 16), [8, 32].contains(parts[0].utf8.count) else {
            return nil
        }
        var octets: [UInt8] = []
        var rest = parts[0]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            withUnsafeBytes(of: word) { octets += $0 }
            rest = rest.dropFirst(8)
        }
        var address = ipc_address()
        octets.withUnsafeBufferPointer { bytes in
            if let base = bytes.baseAddress { ipc_address_make(&address, base, Int32(bytes.count), port, 0) }
        }
        return SocketAddress(address)
    }

    /// `Num RefCount Protocol Flags Type St Inode Path`: bit 16 of the flags says that it listens.
    private static func unix(_ line: Substring, _ owners: [UInt64: [ProcessID]]) -> SocketRecord? {
        let fields = line.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: true)
        guard fields.count == 8, let flags = UInt32(fields[3], radix: 16), let type = Int(fields[4], radix: 16),
            let inode = UInt64(fields[6]), flags & 0x10000 != 0 || type == 2
        else { return nil }
        return SocketRecord(
            family: "unix", kind: type == 2 ? .datagram : type == 5 ? .sequenced : .stream, place: String(fields[7]),
            userID: nil, inode: inode, processes: owners[inode] ?? [])
    }

    /// For each socket's number who has it open.
    private static func owners() throws -> [UInt64: [ProcessID]] {
        var owners: [UInt64: [ProcessID]] = [:]
        for process in try SmallFile.numbers(in: "/proc").sorted() {
            for number in (try? SmallFile.numbers(in: "/proc/\(process)/fd")) ?? [] {
                guard let target = SmallFile.target(of: "/proc/\(process)/fd/\(number)"),
                    target.starts(with: "socket:[".utf8), let id = ProcessID(process),
                    let inode = UInt64(String(decoding: target.dropFirst(8).dropLast(), as: UTF8.self))
                else { continue }
                if owners[inode]?.last != id { owners[inode, default: []].append(id) }
            }
        }
        return owners
    }
}
