import Testing

// Bytes read and not yet given out, against an array that does the same slowly.
@testable import IPC

struct ByteBufferTests {
    @Test(arguments: 0..<20)
    func doesAsAnArrayDoes(_ seed: UInt64) {
        var chance = Chance(seed: seed)
        var buffer = ByteBuffer()
        var reference: [UInt8] = []
        for _ in 0..<400 {
            switch Int.random(in: 0..<10, using: &chance) {
            case 0..<4:
                let bytes = chance.bytes(Int.random(in: 0...(seed % 2 == 0 ? 64 : 3_000), using: &chance))
                let room = buffer.room(bytes.count)
                check(room.count >= bytes.count, "there is room")
                room.copyBytes(from: bytes)
                buffer.filled(bytes.count)
                reference += bytes
            case 4..<8:
                let count = Int.random(in: 0...reference.count, using: &chance)
                buffer.consume(count)
                reference.removeFirst(count)
            case 8:
                let bytes = chance.bytes(Int.random(in: 0...500, using: &chance))
                bytes.withUnsafeBytes { buffer.prepend($0) }
                reference = bytes + reference
            default:
                buffer.release()
            }
            check(buffer.count == reference.count, "the count is right")
            check(buffer.isEmpty == reference.isEmpty, "empty when there is nothing")
            guard buffer.bytes.elementsEqual(reference) else {
                Issue.record("the bytes differ")
                return
            }
        }
    }

    @Test func whatIsConsumedMakesRoomWithoutMoreMemory() {
        var buffer = ByteBuffer()
        _ = buffer.room(8_192)
        buffer.filled(8_192)
        let base = buffer.bytes.baseAddress
        for _ in 0..<1_000 {
            buffer.consume(4_096)
            let room = buffer.room(4_096)
            check(room.count >= 4_096, "there is room")
            buffer.filled(4_096)
        }
        buffer.consume(8_192)
        #expect(UnsafeRawPointer(buffer.room(8_192).baseAddress) == base)
    }

    @Test func oneThatGrowsMovesEachByteAFewTimesAtMost() {
        var buffer = ByteBuffer()
        var (moves, address) = (0, UnsafeRawPointer?.none)
        for _ in 0..<4_096 {
            let room = buffer.room(65_536)
            buffer.filled(65_536)
            if buffer.bytes.baseAddress != address { moves += 1 }
            address = buffer.bytes.baseAddress
            room[0] = 1
        }
        #expect(buffer.count == 1 << 28)
        #expect(moves < 20)
    }
}
