// Connections: made, used both ways, ended on either side, refused with every reason.
import CIPC
import Glibc
import Testing

@testable import IPC

/// Serves clients while a body runs, and then stops.
func serving<Result: Sendable>(
    _ listener: Listener, limits: ServerLimits = ServerLimits(), admitting filter: ClientFilter = .standard,
    _ serve: @escaping @Sendable (Connection) async throws -> Void, _ body: () async throws -> Result
) async throws -> Result {
    let server = Task(executorPreference: EventLoop.current) {
        try await listener.serve(limits: limits, admitting: filter, serve)
    }
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
    listener.close()
    server.cancel()
    try await server.value
    return try outcome.get()
}

/// Gives back every line.
@Sendable func echo(_ client: Connection) async throws {
    while case let bytes = try await client.read(upTo: 65536), !bytes.isEmpty { try await client.write(bytes) }
}

extension Listener {
    /// Where its first socket is to be reached.
    var endpoint: Endpoint {
        addresses[0].path.map { .unix($0) } ?? .tcp(addresses[0].host ?? "", port: Port(addresses[0].port ?? 0))
    }
}

@Suite(.guarded)
struct ConnectionTests {
    private let limit = Duration.seconds(20)

    @Test("Bytes go both ways over TCP, in both families", arguments: Place.allCases)
    func both(_ place: Place) async throws {
        try await place.run {
            let listener = try await Listener(on: .tcp(port: 0))
            for address in listener.addresses {
                try await serving(try await Listener(on: .tcp(address.host ?? "", port: 0)), echo) {}
            }
            try await serving(listener, echo) {
                for address in listener.addresses {
                    let client = try await Connection(
                        to: .tcp(address.host ?? "", port: Port(address.port ?? 0)), timeout: .seconds(20))
                    try await client.write("hello\nagain\n")
                    #expect(try await client.readLine(timeout: .seconds(20)) == "hello")
                    try client.closeOutput()
                    #expect(try await client.readAll(limit: 100, timeout: .seconds(20)) == Array("again\n".utf8))
                    #expect(client.peer == address)
                    client.close()
                }
            }
        }
    }

    @Test("N8: each side can end its own direction")
    func halfClose() async throws {
        let (one, other) = try Connection.pair()
        try await one.write("a")
        try one.closeOutput()
        #expect(try await other.readAll(limit: 10) == [97])
        try await other.write("b")
        other.close()
        #expect(try await one.readAll(limit: 10) == [98])
        let error = await #expect(throws: SystemError.self) { try await one.write("x") }
        #expect(error?.errno == .canceled)
        try one.closeOutput()
    }

    @Test("N11, N40: writing to a peer that has left is EPIPE, twice, and no signal; unread data is a reset")
    func leftPeer() async throws {
        let (one, other) = try Connection.pair()
        other.close()
        for _ in 0..<2 {
            let error = await #expect(throws: SystemError.self) { try await one.write("x") }
            #expect(error?.errno == .brokenPipe)
        }
        let (near, far) = try Connection.pair()
        try await near.write("unread")
        far.close()
        let reset = await #expect(throws: SystemError.self) { try await near.read(upTo: 10) }
        #expect(reset?.errno == .connectionReset)
    }

    @Test("N12: nobody there is an error at once, with the reason of every address")
    func refused() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let port = listener.addresses[0].port ?? 0
        listener.close()
        let error = await #expect(throws: ConnectError.self) {
            try await Connection(to: .tcp("127.0.0.1", port: Port(port)))
        }
        #expect(error?.errno == .connectionRefused)
        #expect(error?.description == "connect tcp:127.0.0.1:\(port): connection refused (ECONNREFUSED)")
        let both = await #expect(throws: ConnectError.self) { try await Connection(to: .tcp(port: Port(port))) }
        #expect(both?.attempts.count == 2)
        #expect(both?.description.contains("at 127.0.0.1:\(port)") == true)
        await #expect(throws: ConnectError.self) { try await Connection(to: .unix("/no/such/socket")) }
        let kind = await #expect(throws: EndpointError.self) { try await Connection(to: .udp(port: 1)) }
        #expect(kind?.kind == .unsuitable)
    }

    @Test("N13: of two addresses the one that answers is taken, also if the first is a black hole")
    func race() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        // Full to the brim: nobody accepts, so the kernel drops what comes.
        let hole = try await Listener(on: .tcp("127.0.0.2", port: 0), backlog: 0)
        var fillers: [Connection] = []
        for _ in 0..<3 {
            guard let filler = try? await Connection(to: hole.endpoint, timeout: .milliseconds(100)) else { break }
            fillers.append(filler)
        }
        let late = await #expect(throws: TimeoutError.self) {
            try await Connection(to: hole.endpoint, timeout: .milliseconds(100))
        }
        #expect(late?.operation == "connect")
        #expect(Connecting.interleaved([hole.addresses[0], listener.addresses[0]]).count == 2)
        fillers.removeAll()
    }

    @Test("N18: a Unix listener whose queue is full is waited for, and is not refused")
    func fullQueue() async throws {
        try await withTemporaryFolder { folder in
            let listener = try await Listener(on: .unix(folder.appending("sock")), backlog: 1)
            defer { listener.close() }
            var waiting: [Connection] = []
            for _ in 0..<2 { waiting.append(try await Connection(to: listener.endpoint, timeout: limit)) }
            let late = await #expect(throws: TimeoutError.self) {
                try await Connection(to: listener.endpoint, timeout: .milliseconds(50))
            }
            #expect(late != nil)
            async let third = Connection(to: listener.endpoint, timeout: limit)
            for _ in 0..<3 { try await listener.accept(timeout: limit).close() }
            _ = try await third
        }
    }

    @Test("Every wait ends by its limit and by cancellation, and the connection is good afterwards")
    func limits() async throws {
        let (one, other) = try Connection.pair()
        await #expect(throws: TimeoutError.self) { try await one.read(upTo: 1, timeout: .milliseconds(10)) }
        let task = Task { try await one.readLine() }
        try await untilSomeoneWaits(on: one.descriptor)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await other.write("fine\n")
        #expect(try await one.readLine() == "fine")
        one.close()
        other.close()
    }

    @Test("S-73, N25: who connects over a Unix socket is known to the kernel, and whether it still lives")
    func credentials() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            let listener = try await Listener(on: .unix(path))
            let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.recv(1)"
            let child = try await Command("python3", "-c", script, path).start()
            let client = try await listener.accept(timeout: limit)
            let credentials = try client.credentials
            #expect(credentials.processID == child.processID)
            #expect(credentials.userID == geteuid())
            #expect(try client.peerIsAlive != false)
            client.close()
            _ = try await child.wait(timeout: limit)
            listener.close()
        }
    }

    @Test("A foreign socket can be adopted, and is set to nothing that its other owners would notice")
    func adopted() async throws {
        var (one, other): (Int32, Int32) = (-1, -1)
        #expect(ipc_stream_socket_pair(&one, &other) == 0)
        let connection = try Connection(Descriptor(adopting: one))
        #expect(ipc_get_status_flags(one) & IPC_O_NONBLOCK == 0)
        try await connection.write("x")
        connection.close()
        close(other)
        #expect(throws: SystemError.self) { try Connection(Descriptor.open("/dev/null", for: .read)) }
    }
}
