// Reading bytes: what is there at once, what is not by waiting, one reader at a time, and nothing lost by an error.
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct ByteReaderTests {
    @Test(arguments: Place.allCases)
    func readsWhatIsThereAndNeverMoreThanAsked(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            try await pipe.writer.write("abcdef")
            #expect(try await pipe.reader.read(upTo: 2) == Array("ab".utf8))
            #expect(try await pipe.reader.read(upTo: 0).isEmpty)
            #expect(try await pipe.reader.read(upTo: -1).isEmpty)
            #expect(try await pipe.reader.read(upTo: .max) == Array("cdef".utf8))
            try pipe.writer.close()
            #expect(try await pipe.reader.read(upTo: 1).isEmpty)
            #expect(try await pipe.reader.read(upTo: 1).isEmpty, "the end stays the end")
        }
    }

    @Test(arguments: Place.allCases)
    func waitsForBytesAndForTheEnd(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            async let bytes = pipe.reader.read(upTo: 9)
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            try await pipe.writer.write("late")
            #expect(try await bytes == Array("late".utf8))
            async let end = pipe.reader.read(upTo: 9)
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            try pipe.writer.close()
            #expect(try await end.isEmpty)
        }
    }

    @Test(arguments: Place.allCases)
    func readsIntoAnArrayFromItsBeginning(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            var bytes = [UInt8](repeating: 9, count: 4)
            try await pipe.writer.write([1, 2, 3, 4, 5, 6])
            #expect(try await pipe.reader.read(into: &bytes) == 4)
            #expect(bytes == [1, 2, 3, 4])
            #expect(try await pipe.reader.read(into: &bytes) == 2)
            #expect(bytes == [5, 6, 3, 4])
            var none: [UInt8] = []
            #expect(try await pipe.reader.read(into: &none) == 0)
            try pipe.reader.unread([7, 8, 9])
            #expect(try await pipe.reader.read(into: &bytes) == 3)
            #expect(bytes == [7, 8, 9, 4])
            let error = await failure { _ = try await pipe.reader.read(into: &bytes, timeout: .milliseconds(1)) }
            #expect(error is TimeoutError)
            try pipe.writer.close()
            #expect(try await pipe.reader.read(into: &bytes, deadline: Deadline(in: .seconds(9))) == 0)
        }
    }

    @Test(arguments: Place.allCases)
    func bytesThatComeOneByOneKeepTheirOrderP45(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        let bytes = try await place.run {
            async let bytes = pipe.reader.readAll(limit: 1 << 20)
            for number in 0..<3_000 { try await pipe.writer.write([UInt8(truncatingIfNeeded: number)]) }
            try pipe.writer.close()
            return try await bytes
        }
        #expect(bytes == (0..<3_000).map { UInt8(truncatingIfNeeded: $0) })
    }

    // MARK: Everything

    @Test(arguments: Place.allCases)
    func readsEverythingUpToItsLimitAndLosesNothingBeyond(_ place: Place) async throws {
        try await place.run {
            for (count, limit) in [(0, 0), (1, 1), (100, 100), (70_000, 70_000), (70_000, 70_001)] {
                let reader = try await filled([UInt8](repeating: 7, count: count))
                #expect(try await reader.readAll(limit: limit).count == count)
                #expect(try await reader.readAll(limit: limit).isEmpty)
            }
            for (count, limit) in [(1, 0), (101, 100), (70_000, 69_999), (70_000, 5)] {
                let reader = try await filled([UInt8](repeating: 7, count: count))
                let error = await failure { _ = try await reader.readAll(limit: limit) }
                #expect(error as? ReadError == ReadError(.limitExceeded, subject: "pipe", line: 0, offset: limit))
                #expect(try await reader.readAll(limit: count).count == count, "they can still be read")
            }
        }
    }

    @Test(arguments: Place.allCases)
    func aTimeoutAndACancellationInTheMiddleOfEverythingLoseNothing(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            try await pipe.writer.write("one ")
            let timedOut = await failure { _ = try await pipe.reader.readAll(limit: 99, timeout: .milliseconds(1)) }
            #expect(timedOut is TimeoutError)
            try await pipe.writer.write("two ")
            let task = Task(executorPreference: EventLoop.current) {
                await failure { _ = try await pipe.reader.readAll(limit: 99) }
            }
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            task.cancel()
            #expect(await task.value is CancellationError)
            try await pipe.writer.write("three")
            try pipe.writer.close()
            #expect(try await pipe.reader.readAll(limit: 99) == Array("one two three".utf8))
        }
    }

    // MARK: Putting back

    @Test(arguments: Place.allCases)
    func whatIsPutBackIsReadFirst(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            try pipe.reader.unread(Array("b".utf8))
            try pipe.reader.unread(Array("a".utf8))
            try pipe.reader.unread([])
            try await pipe.writer.write("c\nd")
            #expect(try await pipe.reader.read(upTo: 9) == Array("ab".utf8))
            #expect(try await pipe.reader.readLine() == "c")
        }
    }

    @Test(arguments: Place.allCases)
    func aLineCanBeginInWhatWasPutBack(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            try await pipe.writer.write("first\nsecond li")
            #expect(try await pipe.reader.readLine() == "first")
            _ = await failure { _ = try await pipe.reader.readLine(timeout: .milliseconds(1)) }
            try pipe.reader.unread(Array("0\nthe ".utf8))
            try await pipe.writer.write("ne\n")
            #expect(try await pipe.reader.readLine() == "0")
            #expect(try await pipe.reader.readLine() == "the second line")
            #expect(pipe.reader.linesRead == 3)
        }
    }

    // MARK: One at a time

    @Test(arguments: Place.allCases)
    func aSecondReadWhileOneIsUnderWayThrowsEBUSYWhateverItIs(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            let reader = pipe.reader
            async let first = reader.read(upTo: 1)
            try await untilSomeoneWaits(on: reader.descriptor)
            let attempts: [(String, @Sendable () async throws -> Void)] = [
                ("read", { _ = try await reader.read(upTo: 1) }),
                ("read", { _ = try await reader.readLine() }),
                ("read", { _ = try await reader.readAll(limit: 9) }),
                ("read", { _ = try await reader.forEachLine { _ in } }),
                ("wait", { try await reader.waitUntilReadable() }),
                ("unread", { try reader.unread([1]) }),
            ]
            for (operation, attempt) in attempts {
                let error = await failure(of: attempt) as? SystemError
                #expect(error == SystemError(operation, on: "pipe", .resourceBusy))
            }
            try await pipe.writer.write("xy")
            #expect(try await first == Array("x".utf8))
            #expect(try await reader.read(upTo: 1) == Array("y".utf8), "it is free again")
        }
    }

    // MARK: Waiting

    @Test(arguments: Place.allCases)
    func waitingUntilReadableTakesNothing(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            let error = await failure { try await pipe.reader.waitUntilReadable(timeout: .milliseconds(1)) }
            #expect(error as? TimeoutError == TimeoutError("wait", on: "pipe", limit: .milliseconds(1)))
            async let wait: Void = pipe.reader.waitUntilReadable()
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            try await pipe.writer.write("ab\nc")
            try await wait
            #expect(try pipe.bytesInside == 4)
            #expect(try await pipe.reader.readLine() == "ab")
            try await pipe.reader.waitUntilReadable(deadline: Deadline(in: .zero))
            #expect(try await pipe.reader.read(upTo: 9) == Array("c".utf8))
            try pipe.writer.close()
            try await pipe.reader.waitUntilReadable()
        }
    }

    @Test(arguments: Place.allCases)
    func signalsDuringAWaitNeitherEndNorProlongItS1(_ place: Place) async throws {
        let handled = try SignalNoise()
        defer { handled.end() }
        let pipe = try AnonymousPipe()
        try await place.run {
            async let noise: Void = OwnThread.other.run { handled.make() }
            let begin = ContinuousClock.now
            let error = await failure { _ = try await pipe.reader.read(upTo: 1, timeout: .milliseconds(30)) }
            #expect(error is TimeoutError)
            #expect(ContinuousClock.now - begin < .seconds(5))
            var byte: UInt8 = 0
            while byte < 100 || handled.count <= 100 {  // a busy machine sends few at a time
                byte &+= 1
                async let read = pipe.reader.read(upTo: 1)
                try await untilSomeoneWaits(on: pipe.reader.descriptor)
                try await pipe.writer.write([byte])
                #expect(try await read == [byte])
                if byte == 255 { byte = 100 }
            }
            handled.stop.open()
            try await noise
        }
    }
}

/// The reader of a pipe that holds the bytes and then ends.
func filled(_ bytes: [UInt8]) async throws -> ByteReader {
    let pipe = try AnonymousPipe(capacity: 1 << 20)
    try await pipe.writer.write(bytes)
    try pipe.writer.close()
    return pipe.reader
}
