// Segments of System V: bounds, Perl as the other side, and that nothing is left.
import Glibc
import SystemPackage
import Testing

@testable import IPC

@Suite(.guarded)
struct SharedSegmentTests {
    @Test("S-97, G-37: what Perl writes is read, and the reverse, with its padding")
    func perl() async throws {
        let key = testKey(20)
        let segment = try SystemV.SharedSegment(key: key, size: 2000)
        defer { try? segment.remove() }
        #expect(segment.wasCreated && segment.size == 2000)
        let write = #"$id = shmget($ARGV[0], 2000, 0) // die $!; shmwrite($id, "Message #1", 0, 60) or die $!"#
        try await Command("perl", arguments: ["-e", write, "\(key)"]).run()
        #expect(try segment.text(count: 60) == "Message #1")
        #expect(try segment.read(count: 60) == Array("Message #1".utf8) + [UInt8](repeating: 0, count: 50))
        try segment.write(Array("Message #2".utf8), at: 100, paddedTo: 60)
        let read =
            #"$id = shmget($ARGV[0], 0, 0) // die $!; shmread($id, $b, 100, 60) or die $!; print unpack("A*", $b)"#
        #expect(try await Command("perl", arguments: ["-e", read, "\(key)"]).read().hasPrefix("Message #2"))
        let again = try SystemV.SharedSegment(key: key, size: 1)
        #expect(!again.wasCreated && again.size == 2000)
        #expect(try again.text(at: 100, count: 60) == "Message #2")
    }

    @Test("Every place is checked against the bounds")
    func bounds() throws {
        let segment = try SystemV.SharedSegment(key: .private, size: 100)
        try segment.remove()
        func refused(_ body: () throws -> Void) {
            let error = #expect(throws: SystemVError.self, performing: body)
            #expect(error?.kind == .outOfRange)
        }
        refused { _ = try segment.read(at: 0, count: 101) }
        refused { _ = try segment.read(at: 101, count: 0) }
        refused { _ = try segment.read(at: -1, count: 1) }
        refused { _ = try segment.read(at: .max, count: .max) }
        refused { _ = try segment.read(at: 1, count: -1) }
        refused { try segment.write([1, 2], at: 99) }
        refused { try segment.write([], at: 50, paddedTo: 51) }
        refused { try segment.store(UInt64(1), at: 93) }
        refused { _ = try segment.load(UInt64.self, at: 93) }
        try segment.store(UInt64(0x0102_0304_0506_0708), at: 91)
        #expect(try segment.load(UInt64.self, at: 91) == 0x0102_0304_0506_0708)
        #expect(try segment.read(at: 100, count: 0).isEmpty)
        #expect(try segment.withMutableBytes { $0[98] } == 1)
        segment.detach()
        let gone = #expect(throws: SystemVError.self) { try segment.read(count: 1) }
        #expect(gone?.kind == .removed)
    }

    @Test("A segment to be read alone is not written to")
    func readOnly() throws {
        let segment = try SystemV.SharedSegment(key: .private, size: 100)
        defer { try? segment.remove() }
        try segment.write([1, 2, 3])
        let reader = try SystemV.SharedSegment(id: segment.id, isReadOnly: true)
        #expect(try reader.read(count: 3) == [1, 2, 3])
        let error = #expect(throws: SystemVError.self) { try reader.write([1]) }
        #expect(error?.kind == .notPermitted)
        #expect(try segment.status.attachments == 2)
        reader.detach()
        #expect(try segment.status.attachments == 1)
    }

    @Test("V8, V9, M16: one that is removed goes with its last user, and what was left behind is seen as such")
    func leftovers() async throws {
        let id = try await SystemV.SharedSegment.withNew(size: 4096) { segment in
            #expect(try segment.status.isMarkedForRemoval)
            #expect(try segment.status.isLeftover == false)
            let other = try SystemV.SharedSegment(id: segment.id)
            try other.write([42])
            #expect(try segment.read(count: 1) == [42])
            return segment.id
        }
        #expect(throws: SystemVError.self) { try SystemV.SharedSegment(id: id) }
        let script = "shmget($ARGV[0], 100, 01600) // die $!"
        let key = testKey(21)
        try await Command("perl", arguments: ["-e", script, "\(key)"]).run()
        let left = try #require(try SystemV.objects(of: [.segment]).first { $0.key == key })
        #expect(left.isLeftover == true && left.size == 100 && left.userID == geteuid())
        try left.remove()
        #expect(try SystemV.objects(of: [.segment]).contains { $0.key == key } == false)
    }

    @Test("V1, V6: sizes and limits that cannot be are errors that say so")
    func sizes() throws {
        let zero = #expect(throws: SystemVError.self) { try SystemV.SharedSegment(key: testKey(22), size: 0) }
        #expect(zero?.kind == .outOfRange)
        let huge = #expect(throws: SystemVError.self) { try SystemV.SharedSegment(key: testKey(22), size: .max) }
        #expect([.limitReached, .outOfRange].contains(huge?.kind), "\(String(describing: huge))")
        let segment = try SystemV.SharedSegment(key: testKey(23), size: 100)
        defer { try? segment.remove() }
        let more = #expect(throws: SystemVError.self) { try SystemV.SharedSegment(key: testKey(23), size: 101) }
        #expect(more?.kind == .wrongSize)
        #expect(more?.description.contains("it has 100 bytes, not 101") == true)
    }
}
