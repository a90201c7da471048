// Peers and networks that behave badly: resets, slow buffers, cycles, crowds.
import Glibc
import SystemPackage
import Testing

@testable import IPC

@Suite(.guarded)
struct RoughPeerTests {
    private let limit = Duration.seconds(20)

    @Test("N2, N3: clients that reset before they are accepted are no error, and the next one is served")
    func resetBeforeAccept() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        for _ in 0..<20 { try await Connection(to: listener.endpoint, timeout: limit).reset() }
        try await serving(listener, echo) {
            let good = try await Connection(to: listener.endpoint, timeout: limit)
            try await good.write("still here")
            #expect(try await good.read(upTo: 10, timeout: limit) == Array("still here".utf8))
            good.close()
        }
    }

    @Test("N9: a reset in the middle of a transfer is ECONNRESET, and what came before can be read")
    func resetInTheMiddle() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let client = try await Connection(to: listener.endpoint, timeout: limit)
        let served = try await listener.accept(timeout: limit)
        try await served.write("half a ")
        #expect(try await client.read(upTo: 7, timeout: limit) == Array("half a ".utf8))
        served.reset()
        let error = await #expect(throws: SystemError.self) { try await client.read(upTo: 10, timeout: limit) }
        #expect(error?.errno == .connectionReset)
        client.close()
        listener.close()
    }

    @Test("N7, N10: every byte comes through the smallest buffers, whatever it is", arguments: Place.allCases)
    func smallBuffers(_ place: Place) async throws {
        try await place.run {
            let (left, right) = try Connection.pair()
            try left.set(.sendBuffer, to: 1)
            try right.set(.receiveBuffer, to: 1)
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 8) }
            let writer = Task(executorPreference: EventLoop.current) {
                try await left.write(bytes)
                left.close()
            }
            var (got, size) = ([UInt8](), 1)
            while case let part = try await right.read(upTo: size, timeout: .seconds(20)), !part.isEmpty {
                got += part
                size = size % 1000 + 1
            }
            try await writer.value
            #expect(got == bytes)
            right.close()
        }
    }

    @Test("N15: mapped addresses reach IPv4; a scope is a number or an interface's name, or refused")
    func scopes() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let port = listener.addresses[0].port ?? 0
        let client = try await Connection(to: try Endpoint("tcp:[::ffff:127.0.0.1]:\(port)"), timeout: limit)
        try await listener.accept(timeout: limit).close()
        client.close()
        listener.close()
        let byName = try SocketAddress(numeric: "fe80::1%lo", port: 9)
        #expect(try SocketAddress(numeric: "fe80::1%1", port: 9) == byName)
        #expect(byName.description.contains("%lo"), "\(byName)")
        let unknown = try Endpoint("tcp:[fe80::1%nowhere0]:9")
        let error = await #expect(throws: (any Error).self) { try await Connection(to: unknown, timeout: limit) }
        #expect("\(String(describing: error))".contains("fe80::1%nowhere0"))
    }

    @Test("N26: only who asks for an abstract name gets one")
    func abstractNames() async throws {
        let name = "swift-ipc-test-\(getpid())"
        let listener = try await Listener(on: try Endpoint("abstract:\(name)"))
        try await Connection(to: try Endpoint("abstract:\(name)"), timeout: limit).close()
        await #expect(throws: (any Error).self) {
            try await Connection(to: try Endpoint("unix:@\(name)"), timeout: limit)
        }
        await #expect(throws: (any Error).self) {
            try await Connection(to: .unix(FilePath("\0\(name)")), timeout: limit)
        }
        listener.close()
    }

    @Test("N27: a server can see that its file is gone, and does not remove another's")
    func fileRemoved() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            let first = try await Listener(on: .unix(path), .tcp("127.0.0.1", port: 0))
            #expect(first.filesAreInPlace)
            unlink(path.string)
            #expect(!first.filesAreInPlace)
            let second = try await Listener(on: .unix(path))
            #expect(!first.filesAreInPlace && second.filesAreInPlace)
            first.close()
            #expect(second.filesAreInPlace)
            try await Connection(to: .unix(path), timeout: limit).close()
            second.close()
        }
    }

    @Test("N35: a connection that is sent over itself leaks nothing")
    func cycle() async throws {
        let before = Folder.names(in: "/proc/self/fd").count
        for _ in 0..<100 {
            let (left, right) = try Connection.pair()
            try await left.sendDescriptor(try left.duplicateDescriptor())
            try await left.sendDescriptor(try right.duplicateDescriptor())
            left.close()
            right.close()
        }
        #expect(Folder.names(in: "/proc/self/fd").count <= before)
        // The kernel finds what nobody can reach any more when sockets close, and lets descriptors go on for that long.
        let (left, right) = try Connection.pair()
        try await left.sendDescriptor(try Descriptor.open("/dev/null", for: .read))
        let came = try await right.receiveDescriptor(timeout: limit) != nil
        #expect(came)
    }

    @Test("What comes in small pieces does not hold on to the room that there was for it")
    func smallPieces() async throws {
        let (left, right) = try Connection.pair()
        let (sender, receiver) = try SequencedConnection.pair()
        let (one, other) = (try DatagramSocket(on: .udp(port: 0)), try DatagramSocket(on: .udp(port: 0)))
        try await left.write("small")
        try await sender.send([1, 2, 3])
        try await one.send([1, 2, 3], to: other.localAddress)
        #expect(try await right.read(upTo: 65536, timeout: limit).capacity < 4096)
        #expect(try await receiver.receive(timeout: limit)?.bytes.capacity ?? 65536 < 4096)
        #expect(try await other.receive(timeout: limit).bytes.capacity < 4096)
    }

    @Test("N42: after a crowd has left, what is open and what is used is as before")
    func crowd() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let size = 1500
        try await serving(listener, limits: ServerLimits(clients: 4000), echo) {
            func round() async throws {
                var clients: [Connection] = []
                for _ in 0..<size {
                    let client = try await Connection(to: listener.endpoint, timeout: limit)
                    try await client.write("x")
                    #expect(try await client.read(upTo: 1, timeout: limit) == [120])
                    clients.append(client)
                }
                for client in clients { try client.closeOutput() }
                for client in clients {
                    #expect(try await client.read(upTo: 1, timeout: limit).isEmpty)
                    client.close()
                }
            }
            let before = Folder.names(in: "/proc/self/fd").count
            try await round()
            let used = residentKibibytes()
            try await round()
            #expect(Folder.names(in: "/proc/self/fd").count <= before + 4)
            #expect(residentKibibytes() - used < 8192, "the second crowd needs no more than the first has left")
        }
    }

    private func residentKibibytes() -> Int {
        let line = Folder.text(of: "/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line.flatMap { Int($0.split(separator: " ").dropLast().last ?? "") } ?? 0
    }
}
