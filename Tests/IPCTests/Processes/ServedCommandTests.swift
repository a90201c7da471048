// A program for each client of a server.
import IPC
import Testing

@Suite("Programs that serve", .guarded)
struct ServedCommandTests {
    @Test(
        "S-61: what the program of a client leaves is ended with it, and all are reaped", arguments: Place.allCases)
    func leftovers(_ place: Place) async throws {
        try await place.run {
            let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
            let address = try #require(listener.addresses.first)
            // What is left in the background holds the client's connection too.
            async let served: Void = listener.serve(command: Command.script("sleep 60 & echo $!; read line"))
            try await withThrowingTaskGroup(of: Int32?.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        let client = try await Connection(to: .tcp("127.0.0.1", port: Port(address.port ?? 0)))
                        let left = try await client.readLine(timeout: .seconds(20))
                        try await client.write("go\n")
                        #expect(try await client.readAll(limit: 0, timeout: .seconds(20)).isEmpty)
                        client.close()
                        return left.flatMap { Int32($0) }
                    }
                }
                for try await left in group {
                    let pid = try #require(left)
                    #expect(ends(pid))
                }
            }
            listener.close()
            try await served
        }
    }
}
