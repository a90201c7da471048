// Waiting for a bare descriptor, for libraries that read and write themselves.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct DescriptorWaitingTests {
    private static func socketPair() throws -> (DescriptorBox, DescriptorBox) {
        var (near, far): (Int32, Int32) = (-1, -1)
        try #require(ipc_socket_pair(1, &near, &far) == 0)
        return (DescriptorBox(try Descriptor(adopting: near)), DescriptorBox(try Descriptor(adopting: far)))
    }

    @Test(arguments: Place.allCases)
    func endsWhenThereIsSomethingToReadOrTheEnd(_ place: Place) async throws {
        let (near, far) = try Self.socketPair()
        try await place.run {
            let early = await failure { try await near.descriptor.waitUntilReadable(timeout: .milliseconds(2)) }
            #expect(early is TimeoutError)
            async let wait: Void = near.descriptor.waitUntilReadable()
            for _ in 0..<5 { await Task.yield() }
            #expect(write(far.number, "x", 1) == 1)
            try await wait
            try await near.descriptor.waitUntilReadable(deadline: Deadline(in: .seconds(50)))
            #expect(ipc_bytes_readable(near.number) == 1, "nothing is taken")
            try await near.descriptor.waitUntilWritable()
        }
    }

    @Test(arguments: Place.allCases)
    func isCancelledAtOnce(_ place: Place) async throws {
        let (near, far) = try Self.socketPair()
        try await place.run {
            let task = Task(executorPreference: EventLoop.current) {
                await failure { try await near.descriptor.waitUntilReadable() }
            }
            for _ in 0..<5 { await Task.yield() }
            task.cancel()
            #expect(await task.value is CancellationError)
            #expect(write(far.number, "x", 1) == 1)
            try await near.descriptor.waitUntilReadable()
        }
    }

    @Test(arguments: Place.allCases)
    func bothDirectionsAndSeveralTasksWaitAtOnce(_ place: Place) async throws {
        let (near, far) = try Self.socketPair()
        try await place.run {
            let bytes = [UInt8](repeating: 0, count: 65_536)
            while ipc_send(near.number, bytes, bytes.count) > 0 {}
            async let readable: Void = near.descriptor.waitUntilReadable(timeout: .seconds(50))
            async let alsoReadable: Void = near.descriptor.waitUntilReadable(timeout: .seconds(50))
            async let writable: Void = near.descriptor.waitUntilWritable(timeout: .seconds(50))
            for _ in 0..<5 { await Task.yield() }
            #expect(write(far.number, "x", 1) == 1)
            try await readable
            try await alsoReadable
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while ipc_receive(far.number, &buffer, buffer.count) > 0 {}
            try await writable
        }
    }

    @Test(arguments: Place.allCases)
    func whatIsAlwaysReadyReturnsAtOnce(_ place: Place) async throws {
        try await place.run {
            let null = try Descriptor.open("/dev/null", for: .readWrite)
            try await null.waitUntilReadable(timeout: .seconds(50))
            try await null.waitUntilWritable(timeout: .seconds(50))
        }
    }
}
