// The same program as a child: jobs done in a process of their own, and what comes back.
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct WorkerTests {
    @Test("S-34: a request goes out and a reply comes back, wherever the caller runs", arguments: Place.allCases)
    func echo(_ place: Place) async throws {
        try await place.run {
            let shape = Describe.Shape.named("cube", corners: ["a": 1, "b": 2])
            let reply = try await Describe.perform(shape, timeout: .seconds(20))
            #expect(reply.shape == shape)
            #expect(reply.note == nil)
            #expect(reply.process != getpid())
            #expect(try await Describe.perform(.nothing).shape == .nothing)
        }
    }

    @Test("S-34: 16 MB go both ways")
    func large() async throws {
        let bytes = floodedBytes(16_000_000)
        expectSame(try await Echo.perform(bytes, timeout: .seconds(50)), bytes)
    }
}
