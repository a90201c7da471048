// Datagrams: whole or an error, in both families, one at a time and many, and what the network says of them.
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct DatagramTests {
    private let limit = Duration.seconds(20)

    private func endpoint(_ socket: DatagramSocket, _ host: String = "127.0.0.1") throws -> Endpoint {
        .udp(host, port: Port(try socket.localAddress.port ?? 0))
    }

    @Test("S-92, N39: boundaries are kept, and an empty one is no end", arguments: Place.allCases)
    func boundaries(_ place: Place) async throws {
        try await place.run {
            let (one, other) = (try DatagramSocket(on: .udp(port: 0)), try DatagramSocket(on: .udp(port: 0)))
            for bytes in [[1, 2, 3], [], [UInt8](repeating: 7, count: 60_000)] {
                try await one.send(bytes, to: other.localAddress)
                let came = try await other.receive(timeout: .seconds(20))
                #expect(came.bytes == bytes)
                #expect(try came.address == one.localAddress)
            }
            one.close()
            other.close()
        }
    }

    @Test("N36: a datagram that is larger than the room is an error that says its size")
    func truncated() async throws {
        let (one, other) = (try DatagramSocket(on: .udp(port: 0)), try DatagramSocket(on: .udp(port: 0)))
        try await one.send(Array("0123456789".utf8), to: other.localAddress)
        try await one.send(Array("next".utf8), to: other.localAddress)
        let error = await #expect(throws: DatagramError.self) { try await other.receive(limit: 4, timeout: limit) }
        #expect(error?.kind == .truncated && error?.size == 10)
        #expect(try await other.receive(limit: 4, timeout: limit).bytes == Array("next".utf8))
        let large = await #expect(throws: SystemError.self) {
            try await one.send([UInt8](repeating: 0, count: 65_508), to: other.localAddress)
        }
        #expect(large?.errno == .messageTooLong)
    }

    @Test("N37, S-94: a port where nobody listens is reported, to whom it concerns, and the socket lives")
    func refused() async throws {
        let socket = try DatagramSocket(on: .udp(port: 0))
        let (gone, good) = (try DatagramSocket(on: .udp(port: 0)), try DatagramSocket(on: .udp(port: 0)))
        let dead = try gone.localAddress
        gone.close()
        try await socket.send("x", to: .udp("127.0.0.1", port: Port(dead.port ?? 0)))
        let error = await #expect(throws: DatagramError.self) { try await socket.receive(timeout: limit) }
        #expect(error?.kind == .notDelivered && error?.address == dead && error?.errno == .connectionRefused)
        try await socket.send("y", to: endpoint(good))
        #expect(try await good.receive(timeout: limit).bytes == [121])
        let connected = try await DatagramSocket(connectedTo: .udp("127.0.0.1", port: Port(dead.port ?? 0)))
        try await connected.send([1])
        await #expect(throws: (any Error).self) { try await connected.receive(timeout: limit) }
    }

    @Test("One socket serves both families; addresses of IPv4 are those")
    func bothFamilies() async throws {
        let all = try DatagramSocket(on: .udp("*", port: 0))
        for host in ["127.0.0.1", "::1"] {
            let client = try await DatagramSocket(connectedTo: endpoint(all, host))
            try await client.send(Array("ask".utf8))
            let question = try await all.receive(timeout: limit)
            #expect(question.address.host == host)
            try await all.send(Array("answer".utf8), to: question.address)
            #expect(try await client.receive(timeout: limit).bytes == Array("answer".utf8))
        }
    }

    @Test("N38: broadcasts have to be allowed; multicast is joined once and left once")
    func groups() async throws {
        let plain = try DatagramSocket(on: .udp("0.0.0.0", port: 0))
        let denied = await #expect(throws: SystemError.self) { try await plain.send("x", to: .broadcast(port: 9)) }
        #expect(denied?.errno == .permissionDenied || denied?.errno == .networkUnreachable)
        let member = try DatagramSocket(on: .udp("0.0.0.0", port: 0), sharesPort: true)
        let group = try SocketAddress(numeric: "239.1.2.3", port: try member.localAddress.port ?? 0)
        try member.join(group, on: "lo")
        let twice = #expect(throws: SystemError.self) { try member.join(group, on: "lo") }
        #expect(twice?.errno == .addressInUse)
        let sender = try DatagramSocket(on: .udp("127.0.0.1", port: 0))
        try sender.setMulticast(hops: 0, interface: "lo")
        try await sender.send([42], to: group)
        #expect(try await member.receive(timeout: limit).bytes == [42])
        try member.leave(group, on: "lo")
        #expect(throws: SystemError.self) { try member.leave(group, on: "lo") }
        #expect(throws: SystemError.self) { try member.join(group, on: "nosuchnet0") }
        #expect(throws: SystemError.self) { try sender.setMulticast(hops: 256) }
    }

    @Test("Many go and come in one call")
    func batches() async throws {
        let (one, other) = (try DatagramSocket(on: .udp(port: 0)), try DatagramSocket(on: .udp(port: 0)))
        let address = try other.localAddress
        let list = (0..<50).map { Datagram([UInt8](repeating: UInt8($0), count: $0), to: address) }
        var sent = 0
        while sent < list.count { sent += try await one.send(Array(list[sent...]), timeout: limit) }
        var came: [Datagram] = []
        while came.count < 50 { came += try await other.receive(atMost: 64, timeout: limit) }
        #expect(came.map(\.bytes) == list.map(\.bytes))
        #expect(try came.allSatisfy { try $0.address == one.localAddress })
    }

    @Test func unixDatagrams() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            let receiver = try await DatagramSocket(at: path)
            await #expect(throws: SystemError.self) { try await DatagramSocket(at: path) }
            let script =
                "import socket,sys; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.sendto(b'hello',sys.argv[1]); s.sendto(b'',sys.argv[1])"
            try await Command("python3", "-c", script, path).run()
            #expect(try await receiver.receive(timeout: limit).bytes == Array("hello".utf8))
            #expect(try await receiver.receive(timeout: limit).bytes == [])
            await #expect(throws: TimeoutError.self) { try await receiver.receive(timeout: .milliseconds(10)) }
            receiver.close()
            #expect(access(path.string, F_OK) != 0)
        }
    }

    @Test func whatIsNoPlaceForDatagramsIsRefused() async throws {
        #expect(throws: EndpointError.self) { try DatagramSocket(on: .tcp(port: 0)) }
        #expect(throws: EndpointError.self) { try DatagramSocket(on: .udp("localhost", port: 0)) }
        await #expect(throws: EndpointError.self) { try await DatagramSocket(connectedTo: .tcp(port: 1)) }
        let socket = try DatagramSocket(on: .udp(port: 0))
        await #expect(throws: EndpointError.self) { try await socket.send("x", to: .tcp(port: 1)) }
        socket.close()
        await #expect(throws: SystemError.self) { try await socket.send("x", to: .udp(port: 1)) }
    }
}
