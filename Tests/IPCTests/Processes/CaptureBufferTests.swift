// What is kept of an output: against a reference that keeps everything, for pieces of every size.
import Testing

@testable import IPC

@Suite struct CaptureBufferTests {
    /// What must be kept, had from the whole.
    private func reference(_ bytes: [UInt8], head: Int, tail: Int) -> CapturedOutput {
        var output = CapturedOutput()
        output.head = Array(bytes.prefix(head))
        output.tail = Array(bytes.dropFirst(head).suffix(tail))
        output.dropped = bytes.count - output.head.count - output.tail.count
        return output
    }

    private func kept(_ limit: CaptureLimit, _ bytes: [UInt8], pieces: [Int]) -> CaptureBuffer {
        var buffer = CaptureBuffer(limit)
        var rest = bytes[...]
        for size in pieces {
            buffer.append(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        buffer.append(rest)
        return buffer
    }

    @Test func headAndTailAreExactForAllSizesAndPieces() {
        var chance = Chance(seed: 1)
        for _ in 0..<4_000 {
            let bytes = chance.bytes(Int.random(in: 0...300, using: &chance))
            let head = Int.random(in: 0...60, using: &chance)
            let tail = Int.random(in: 0...60, using: &chance)
            let largest = [1, 3, 40, 200].randomElement(using: &chance) ?? 1
            let pieces = (0..<300).map { _ in Int.random(in: 0...largest, using: &chance) }
            let output = kept(.keeping(head: head, tail: tail), bytes, pieces: pieces).finished()
            guard output == reference(bytes, head: head, tail: tail), output.count == bytes.count else {
                Issue.record("\(bytes.count) bytes, head \(head), tail \(tail), pieces up to \(largest): \(output)")
                return
            }
        }
    }

    @Test func aLimitThatFailsKeepsItsBytesAndSaysSoFromTheFirstOneMore() {
        let bytes = (0..<100).map { UInt8($0) }
        for limit in 0...110 {
            let buffer = kept(.failing(beyond: limit), bytes, pieces: [7, 0, 50])
            #expect(buffer.isExceeded == (limit < 100))
            #expect(buffer.finished().bytes == Array(bytes.prefix(limit)))
            #expect(buffer.finished().count == 100)
            #expect(buffer.finished().dropped == max(0, 100 - limit))
        }
    }

    @Test func withoutALimitAllIsKept() {
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
        let buffer = kept(.unlimited, bytes, pieces: [1, 998])
        #expect(buffer.finished().bytes == bytes)
        #expect(buffer.finished().dropped == 0)
        #expect(!buffer.isExceeded)
    }

    @Test func limitsBelowZeroAreZero() {
        #expect(kept(.keeping(head: -1, tail: -5), [1, 2], pieces: []).finished().dropped == 2)
        #expect(kept(.failing(beyond: -1), [1], pieces: []).isExceeded)
        #expect(!kept(.failing(beyond: -1), [], pieces: []).isExceeded)
    }

    @Test func largeLimitsDoNotOverflow() {
        let output = kept(.keeping(head: .max, tail: .max), [1, 2, 3], pieces: [1]).finished()
        #expect(output.bytes == [1, 2, 3])
        #expect(kept(.keeping(head: 1, tail: .max), [1, 2, 3], pieces: [1]).finished().tail == [2, 3])
    }

    @Test func textSaysWhatWasDroppedAndNeverBeginsInsideACharacter() {
        var output = CapturedOutput()
        (output.head, output.tail, output.dropped) = (Array("ab".utf8), Array("é…z".utf8.dropFirst()), 7)
        #expect(output.text == "ab[... 7 bytes dropped ...]…z")
        #expect(output.count == 2 + 7 + 5)
        output.dropped = 0
        #expect(output.text == "ab\u{FFFD}…z")
        #expect(CapturedOutput().text == "")
    }
}
