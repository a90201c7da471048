// Records of several writers on one FIFO: whole, with their writer, or refused; what is torn is found.
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct RecordTests {
    @Test(
        "H-15: ten writers, short and longest records: none torn, each with its writer, in its order",
        arguments: [16, 512, 4056])
    func whole(_ length: Int) async throws {
        try await tenWriters(length, lockedBy: nil)
    }

    @Test("H-15: ten writers, records that no pipe takes at once, under a lock", arguments: [9000, 200_000])
    func locked(_ length: Int) async throws {
        try await withTemporaryFolder { folder in try await tenWriters(length, lockedBy: folder.appending("lock")) }
    }

    private func tenWriters(_ length: Int, lockedBy lock: FilePath?) async throws {
        try await withTemporaryFolder { folder in
            let fifo = try FIFO.make(at: folder.appending("fifo"))
            let reader = RecordReader(try await fifo.openForReading(staysOpen: true))
            let writers = (0..<10).map { number in
                Task {
                    let records = RecordWriter(try await fifo.openForWriting(timeout: .seconds(20)), lockedBy: lock)
                    for index in 0..<50 {
                        #expect(
                            try await records.send(
                                [UInt8](repeating: UInt8(number), count: length), timeout: .seconds(40))
                                == UInt64(index))
                    }
                    return records.identifier
                }
            }
            var next: [UInt64: (value: UInt8, sequence: UInt64)] = [:]
            for _ in 0..<500 {
                let record = try #require(try await reader.receive(timeout: .seconds(40)))
                let former = next[record.writer] ?? (record.bytes.first ?? 255, 0)
                check(record.bytes == [UInt8](repeating: former.value, count: length), "the bytes of one writer")
                check(record.sequence == former.sequence, "in order")
                check(record.processID == .current, "the process")
                next[record.writer] = (former.value, former.sequence + 1)
            }
            var identifiers: Set<UInt64> = []
            for writer in writers { identifiers.insert(try await writer.value) }
            #expect(Set(next.keys) == identifiers && next.count == 10)
            reader.close()
            try fifo.remove()
        }
    }

    @Test("H-15: a record that could be torn is refused before anything of it is written")
    func refused() async throws {
        let pipe = try AnonymousPipe()
        let records = RecordWriter(pipe.writer)
        let error = await failure { try await records.send([UInt8](repeating: 0, count: 4057)) }
        #expect(error as? FramingError == FramingError(.messageTooLong, on: "pipe", at: 4056))
        #expect(try pipe.bytesInside == 0)
        #expect(try await records.send("whole") == 0, "no number was used up")
    }

    @Test("H-15: what is torn is reported, and the next whole record comes")
    func torn() async throws {
        var chance = Chance(seed: 15)
        for round in 0..<200 {
            let pipe = try AnonymousPipe()
            let frames = (0..<3).map { number in
                RecordHeader.frame(
                    [UInt8](repeating: UInt8(number), count: 30).span.bytes, process: 7, writer: 9,
                    sequence: UInt64(number))
            }
            // The second one has somebody else's bytes in it, or has lost some of its own.
            var bad = frames[1]
            let place = Int.random(in: 0..<bad.count, using: &chance)
            switch round % 3 {
            case 0: bad.insert(contentsOf: chance.bytes(5), at: place)
            case 1: bad[place] ^= 1
            default: bad.removeSubrange(place..<min(bad.count, place + 3))
            }
            try await pipe.writer.write(frames[0] + bad + frames[2])
            try pipe.writer.close()
            let reader = RecordReader(pipe.reader)
            var (seen, faults): ([UInt64], Int) = ([], 0)
            for _ in 0..<100 {
                do {
                    guard let record = try await reader.receive(timeout: .seconds(20)) else { break }
                    seen.append(record.sequence)
                } catch is FramingError {
                    faults += 1
                }
            }
            check(seen == [0, 2] && faults > 0, "round \(round): \(seen), \(faults) faults")
        }
    }

    @Test("R6: random bytes are never a record, a trap or an endless loop")
    func random() async throws {
        var chance = Chance(seed: 16)
        for _ in 0..<300 {
            let pipe = try AnonymousPipe()
            var bytes = chance.bytes(Int.random(in: 0...300, using: &chance))
            withUnsafeBytes(of: RecordHeader.magic.littleEndian) { magic in
                if bytes.count > 8 { bytes.replaceSubrange(0..<4, with: magic) }
            }
            try await pipe.writer.write(bytes)
            try pipe.writer.close()
            let reader = RecordReader(pipe.reader)
            var calls = 0
            while calls < 1000 {
                calls += 1
                do {
                    guard let record = try await reader.receive(timeout: .seconds(20)) else { break }
                    Issue.record("\(record)")
                } catch let error as FramingError where error.kind == .truncated { break } catch is FramingError {}
            }
            check(calls < 1000, "it ends")
        }
    }
}
