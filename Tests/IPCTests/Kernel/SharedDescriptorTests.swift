// A descriptor that several tasks use: a close lets who is inside finish, and gives the number back exactly once.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct SharedDescriptorTests {
    private static func isOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) >= 0 }

    private static func openNull() throws -> SharedDescriptor {
        SharedDescriptor(try Descriptor.open("/dev/null", for: .readWrite), .immediate, subject: "null")
    }

    @Test func closesWithItsLastOwner() throws {
        var shared: SharedDescriptor? = try Self.openNull()
        let number = try #require(shared?.number)
        #expect(Self.isOpen(number))
        shared = nil
        #expect(!Self.isOpen(number))
    }

    @Test func aBorrowedOneIsNeverClosed() throws {
        let file = try Descriptor.open("/dev/null", for: .read)
        let shared = SharedDescriptor(borrowing: file.number, .immediate, subject: "null")
        #expect(shared.close() == 0)
        #expect(!shared.enter())
        #expect(Self.isOpen(file.number))
    }

    @Test func whoIsInsideKeepsTheNumberUntilItLeaves() throws {
        let shared = try Self.openNull()
        #expect(shared.enter())
        #expect(shared.enter())
        shared.close()
        #expect(shared.isClosed)
        #expect(!shared.enter())
        shared.leave()
        #expect(Self.isOpen(shared.number))
        shared.leave()
        #expect(!Self.isOpen(shared.number))
    }

    @Test func aCallAfterTheCloseDoesNotCloseWhoHasTheNumberNow() throws {
        let shared = try Self.openNull()
        shared.close()
        let successor = try Descriptor.open("/dev/zero", for: .read)
        try #require(successor.number == shared.number)
        #expect(!shared.enter())
        shared.stay()
        shared.leave()
        #expect(shared.close() == 0)
        #expect(Self.isOpen(successor.number))
    }

    @Test(arguments: Place.allCases)
    func callsOnClosedStreamsThrowECANCELEDAndTouchNobodyElsesFile(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        pipe.reader.close()
        try pipe.writer.close()
        let successors = try AnonymousPipe()
        try await place.run {
            let read = await failure { _ = try await pipe.reader.read(upTo: 1) }
            #expect(read as? SystemError == SystemError("read", on: "pipe", .canceled))
            let line = await failure { _ = try await pipe.reader.readLine() }
            #expect(line as? SystemError == SystemError("read", on: "pipe", .canceled))
            let write = await failure { try await pipe.writer.write("x") }
            #expect(write as? SystemError == SystemError("write", on: "pipe", .canceled))
            let wait = await failure { try await pipe.writer.waitUntilWritable() }
            #expect(wait as? SystemError == SystemError("wait", on: "pipe", .canceled))
            #expect(throws: SystemError("sync", on: "pipe", .canceled)) { try pipe.writer.sync() }
            pipe.reader.close()
            try pipe.writer.close()
            try await successors.writer.write("whole")
            #expect(try await successors.reader.read(upTo: 9) == Array("whole".utf8))
        }
    }

    @Test(.guarded(limit: .seconds(120)))
    func closingDuringCallsOfOtherThreadsNeverClosesANumberTwice() async throws {
        // Two threads have files of their own and look after them, while pipes are read by three tasks at once and
        // closed under their hands: a number closed twice, or late, would be one of those files.
        let stop = Latch()
        let witnesses = [OwnThread(named: "test-witness"), OwnThread(named: "test-witness")]
        async let one = witnesses[0].run { Self.lookAfterFiles(until: stop) }
        async let other = witnesses[1].run { Self.lookAfterFiles(until: stop) }
        for round in 0..<2_000 {
            let pipe = try AnonymousPipe()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask { while await failure(of: { _ = try await pipe.reader.read(upTo: 1) }) == nil {} }
                }
                group.addTask {
                    for _ in 0..<round % 4 { try? await pipe.writer.write("xyz") }
                    if round % 3 == 0 { await Task.yield() }
                    pipe.reader.close()
                    _ = await failure { try await pipe.writer.write("z") }
                }
                group.addTask {
                    if round % 2 == 0 { await Task.yield() }
                    try? pipe.writer.close()
                }
            }
        }
        stop.open()
        #expect(try await one + other == 0)
        for witness in witnesses { witness.stop() }
    }

    /// Opens pipes, passes a byte through each and closes them; how many were not its own any more.
    private static func lookAfterFiles(until stop: Latch) -> Int {
        var (lost, token) = (0, UInt8(0))
        while !stop.isOpen {
            var (reader, writer): (Int32, Int32) = (-1, -1)
            guard ipc_pipe(&reader, &writer) == 0 else { return -1 }
            token &+= 1
            sched_yield()
            var byte: UInt8 = 0
            if ipc_write(writer, &token, 1) != 1 || ipc_read(reader, &byte, 1) != 1 || byte != token { lost += 1 }
            if ipc_close(reader) != 0 { lost += 1 }
            if ipc_close(writer) != 0 { lost += 1 }
        }
        return lost
    }

    @Test func endWhenEmptyEndsAReadThoughSomebodyCouldStillWrite() async throws {
        for place in Place.allCases {
            let pipe = try AnonymousPipe()
            try await place.run {
                async let everything = pipe.reader.readAll(limit: 100)
                try await untilSomeoneWaits(on: pipe.reader.descriptor)
                try await pipe.writer.write("last words")
                pipe.reader.descriptor.endWhenEmpty()
                #expect(try await everything == Array("last words".utf8))
                #expect(try await pipe.reader.read(upTo: 1).isEmpty)
                try await pipe.reader.waitUntilReadable()
            }
        }
    }

    @Test("P24: what is written just before the writers are gone is read, however the end is learned")
    func lastBytes() async throws {
        for round in 0..<(isOptimized ? 20_000 : 5_000) {
            let pipe = try AnonymousPipe()
            let (reader, writer) = (pipe.reader, pipe.writer)
            let descriptor = reader.descriptor
            let ended = Task { @concurrent in
                for _ in 0..<(round % 64) { sched_yield() }
                var byte: UInt8 = 7
                _ = Glibc.write(writer.descriptor.number, &byte, 1)
                descriptor.endWhenEmpty()
            }
            let bytes = try await reader.readAll(limit: 10)
            await ended.value
            if bytes != [7] {
                Issue.record("round \(round): \(bytes)")
                return
            }
            try writer.close()
            reader.close()
        }
    }
}
