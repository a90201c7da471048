// A pipe: how much fits, how much is inside, what either end learns of the other, and much data through little room.
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct AnonymousPipeTests {
    @Test(arguments: [
        (nil, 65_536), (1, 4_096), (4_096, 4_096), (5_000, 8_192), (100_000, 131_072), (1 << 20, 1 << 20),
    ])
    func itsCapacityIsTheNextPowerOfTwo(_ wanted: Int?, _ capacity: Int) async throws {
        let pipe = try AnonymousPipe(capacity: wanted)
        #expect(try pipe.capacity == capacity)
        try await pipe.writer.write([UInt8](repeating: 1, count: capacity), timeout: .seconds(20))
        #expect(try pipe.bytesInside == capacity)
        let error = await failure { try await pipe.writer.write("x", timeout: .zero) }
        #expect(error is TimeoutError)
        pipe.reader.close()
        #expect(try pipe.capacity == capacity, "either end can tell")
    }

    @Test(arguments: [-1, 1 << 40, .max])
    func aCapacityThatCannotBeIsRefusedAndLeavesNoEndOpen(_ capacity: Int) async {
        let error = await failure { _ = try AnonymousPipe(capacity: capacity) } as? SystemError
        #expect(error?.operation == "capacity \(capacity)")
        #expect(error?.subject == "pipe")
    }

    @Test func closedEndsSayECANCELED() throws {
        let pipe = try AnonymousPipe()
        pipe.reader.close()
        #expect(throws: SystemError("bytes in", on: "pipe", .canceled)) { try pipe.bytesInside }
        try pipe.writer.close()
        #expect(throws: SystemError("capacity", on: "pipe", .canceled)) { try pipe.capacity }
    }

    @Test(arguments: Place.allCases)
    func bytesInsideIsWhatWasWrittenAndNotYetRead(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            #expect(try pipe.bytesInside == 0)
            try await pipe.writer.write("abcde")
            #expect(try pipe.bytesInside == 5)
            _ = try await pipe.reader.read(upTo: 2)
            #expect(try pipe.bytesInside == 3)
        }
    }

    @Test(arguments: Place.allCases)
    func closingTheWriterIsTheEndAfterWhatIsInside(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            try await pipe.writer.write("rest")
            try pipe.writer.close()
            #expect(try await pipe.reader.read(upTo: 9) == Array("rest".utf8))
            #expect(try await pipe.reader.read(upTo: 9).isEmpty)
        }
    }

    @Test(arguments: Place.allCases)
    func lettingGoOfTheWriterIsTheEndToo(_ place: Place) async throws {
        try await place.run {
            var pipe: AnonymousPipe? = try AnonymousPipe()
            let reader = try #require(pipe?.reader)
            async let end = reader.read(upTo: 1)
            try await untilSomeoneWaits(on: reader.descriptor)
            pipe = nil
            #expect(try await end.isEmpty)
        }
    }

    @Test(arguments: Place.allCases)
    func closingTheReaderIsEPIPE(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            pipe.reader.close()
            let error = await failure { try await pipe.writer.write("x") }
            #expect(error as? SystemError == SystemError("write", on: "pipe", .brokenPipe))
            try pipe.writer.close()
        }
    }

    @Test(.guarded(limit: .seconds(120)), arguments: Place.allCases)
    func aHundredMegabytesGoThroughOnePageUnchanged(_ place: Place) async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        let total = 100_000_000
        let (sent, received) = try await place.run {
            async let sent = {
                var (checksum, left) = (Checksum(), total)
                var block = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                while left > 0 {
                    block[left % block.count] &+= 1
                    let piece = block.prefix(left)
                    checksum.add(piece.span.bytes)
                    try await pipe.writer.write(piece.span.bytes)
                    left -= piece.count
                }
                try pipe.writer.close()
                return checksum
            }()
            var (checksum, buffer) = (Checksum(), [UInt8](repeating: 0, count: 100_000))
            while case let count = try await pipe.reader.read(into: &buffer), count > 0 {
                checksum.add(buffer.span.bytes.extracting(0..<count))
            }
            return (try await sent, checksum)
        }
        #expect(sent == received)
        #expect(received.count == total)
    }

    /// FNV-1a over eight bytes at a time where it can, since a hundred million single steps take long in a debug build.
    private struct Checksum: Equatable {
        private(set) var count = 0
        private var value: UInt64 = 0xcbf2_9ce4_8422_2325
        private var word: UInt64 = 0

        mutating func add(_ bytes: RawSpan) {
            bytes.withUnsafeBytes { all in
                var index = 0
                while index < all.count {
                    if count & 7 == 0, all.count - index >= 8 {
                        mix(all.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                        index += 8
                        count += 8
                    } else {
                        word |= UInt64(all[index]) << (UInt64(count & 7) * 8)
                        index += 1
                        count += 1
                        if count & 7 == 0 {
                            mix(word)
                            word = 0
                        }
                    }
                }
            }
        }

        private mutating func mix(_ next: UInt64) { value = (value ^ next) &* 0x100_0000_01b3 }
    }
}
