// Writing: all of it or an error that says how much, one writer after the other, and no garbage after a part.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct ByteWriterTests {
    @Test(arguments: Place.allCases)
    func whatDoesNotFitAtOnceIsWrittenAsThereIsRoom(_ place: Place) async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        try await place.run {
            var chance = Chance(seed: 3)
            let bytes = chance.bytes(300_000)
            async let write: Void = {
                try await pipe.writer.write(bytes)
                try pipe.writer.close()
            }()
            #expect(try await pipe.reader.readAll(limit: .max) == bytes)
            try await write
            #expect(pipe.writer.bytesWritten == 300_000)
        }
    }

    @Test(arguments: Place.allCases)
    func spansArraysAndTextsAreWrittenAlike(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            let (array, text): ([UInt8], String) = ([1, 2], "ä\n")
            try await pipe.writer.write(array)
            try await pipe.writer.write(array.span.bytes)
            try await pipe.writer.write(text)
            try await pipe.writer.write(array, deadline: Deadline(in: .seconds(9)))
            try await pipe.writer.write(array.span.bytes, deadline: Deadline(in: .seconds(9)))
            try await pipe.writer.write(text, deadline: Deadline(in: .seconds(9)))
            try await pipe.writer.write([UInt8]())
            try await pipe.writer.write("")
            let half = array + array + Array(text.utf8)
            #expect(try await pipe.reader.read(upTo: 99) == half + half)
            #expect(pipe.writer.bytesWritten == 14)
        }
    }

    @Test(arguments: Place.allCases)
    func concurrentWritesAreEachWholeP45(_ place: Place) async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        try await place.run {
            // Each far beyond the 4,096 bytes that the kernel itself keeps together.
            let sizes = (0..<40).map { $0 * 733 % 20_000 + 1 }
            async let everything = pipe.reader.readAll(limit: .max)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, size) in sizes.enumerated() {
                    group.addTask { try await pipe.writer.write([UInt8](repeating: UInt8(number), count: size)) }
                }
                try await group.waitForAll()
            }
            try pipe.writer.close()
            let bytes = try await everything
            var (start, seen) = (0, Set<UInt8>())
            while start < bytes.count {
                let number = bytes[start]
                #expect(seen.insert(number).inserted)
                #expect(bytes[start...].prefix(sizes[Int(number)]).allSatisfy { $0 == number })
                start += sizes[Int(number)]
            }
            #expect(start == bytes.count && seen.count == 40)
        }
    }

    // MARK: Cut short

    @Test(arguments: Place.allCases)
    func aWriteThatATimeoutCutsShortSaysHowMuchAndTheWriterTakesNoMore(_ place: Place) async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        try await place.run {
            let error = await failure {
                try await pipe.writer.write([UInt8](repeating: 1, count: 10_000), timeout: .milliseconds(2))
            }
            #expect(
                error as? TimeoutError
                    == TimeoutError("write", on: "pipe", limit: .milliseconds(2), transferred: 4096))
            #expect(pipe.writer.bytesWritten == 4096)
            let part = try await pipe.reader.read(upTo: 9_999)
            #expect(part.count == 4096)
            let next = await failure { try await pipe.writer.write("more") }
            #expect(next as? SystemError == SystemError("write", on: "pipe", .canceled))
            #expect(pipe.writer.bytesWritten == 4096)
            #expect(throws: SystemError("write", on: "pipe", .canceled, transferred: 4096)) { try pipe.writer.close() }
            #expect(try await pipe.reader.read(upTo: 1).isEmpty, "it is closed nevertheless")
        }
    }

    @Test(arguments: Place.allCases)
    func aWriteThatCancellationCutsShortSaysHowMuchAndTheWriterTakesNoMore(_ place: Place) async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        try await place.run {
            let task = Task(executorPreference: EventLoop.current) {
                await failure { try await pipe.writer.write([UInt8](repeating: 1, count: 10_000)) }
            }
            try await untilSomeoneWaits(on: pipe.writer.descriptor, for: .writing)
            task.cancel()
            #expect(await task.value is CancellationError)
            #expect(pipe.writer.bytesWritten == 4096)
            let next = await failure { try await pipe.writer.write("more") }
            #expect((next as? SystemError)?.errno == .canceled)
        }
    }

    @Test(arguments: Place.allCases)
    func aWriteThatEndsBeforeItsFirstByteLeavesTheWriterGood(_ place: Place) async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        try await place.run {
            try await pipe.writer.write([UInt8](repeating: 1, count: 4096))
            let error = await failure { try await pipe.writer.write("x", timeout: .milliseconds(1)) }
            #expect(error as? TimeoutError == TimeoutError("write", on: "pipe", limit: .milliseconds(1)))
            let task = Task(executorPreference: EventLoop.current) {
                await failure { try await pipe.writer.write("x") }
            }
            try await untilSomeoneWaits(on: pipe.writer.descriptor, for: .writing)
            task.cancel()
            #expect(await task.value is CancellationError)
            #expect(try await pipe.reader.read(upTo: 9_999).count == 4096)
            try await pipe.writer.write("good")
            #expect(try await pipe.reader.read(upTo: 9) == Array("good".utf8))
        }
    }

    @Test(arguments: Place.allCases)
    func whoWaitsForItsTurnCanBeCancelledWithoutTouchingTheWriteUnderWay(_ place: Place) async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        try await place.run {
            async let first: Void = pipe.writer.write([UInt8](repeating: 1, count: 8_192))
            try await untilSomeoneWaits(on: pipe.writer.descriptor, for: .writing)
            let second = Task(executorPreference: EventLoop.current) {
                await failure { try await pipe.writer.write("b") }
            }
            async let third: Void = pipe.writer.write("c")
            for _ in 0..<5 { await Task.yield() }
            second.cancel()
            #expect(await second.value is CancellationError)
            var bytes: [UInt8] = []
            while bytes.count < 8_193 { bytes += try await pipe.reader.read(upTo: 9_999) }
            try await first
            try await third
            #expect(bytes == [UInt8](repeating: 1, count: 8_192) + Array("c".utf8))
        }
    }

    // MARK: Errors of the kernel

    @Test(arguments: Place.allCases)
    func aFullDiskIsAnErrorOfTheWriteAndAgainOfTheClose(_ place: Place) async throws {
        try await place.run {
            let writer = try ByteWriter(.open("/dev/full", for: .write))
            let error = await failure { try await writer.write("x") } as? SystemError
            #expect(error?.errno == .noSpace)
            let again = await failure { try await writer.write("x") } as? SystemError
            #expect(again?.errno == .noSpace)
            let atTheEnd = await failure { try writer.close() } as? SystemError
            #expect(atTheEnd?.errno == .noSpace)
            try writer.close()
            #expect(writer.descriptor.isClosed)
        }
    }

    @Test(arguments: Place.allCases)
    func aReaderThatLeavesInTheMiddleIsEPIPEWithTheCountAndNoErrorOfTheClose(_ place: Place) async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        try await place.run {
            async let write = failure { try await pipe.writer.write([UInt8](repeating: 1, count: 10_000)) }
            try await untilSomeoneWaits(on: pipe.writer.descriptor, for: .writing)
            pipe.reader.close()
            #expect(await write as? SystemError == SystemError("write", on: "pipe", .brokenPipe, transferred: 4096))
            try pipe.writer.close()
        }
    }

    @Test(arguments: Place.allCases)
    func aReaderThatIsKilledIsEPIPEAtOnceP46(_ place: Place) async throws {
        try await place.run {
            var ends = try PipeEnds()
            try ends.setCapacity(4096)
            let reader = try ends.takeReader()
            let writer = ByteWriter(try .pipeEnd(ends.takeWriter(), writing: true, subject: "pipe"))
            let child = try ForeignProcess(testChild: "sleep", "1000", input: reader.number)
            try reader.close()
            async let write = failure { try await writer.write([UInt8](repeating: 1, count: 10_000)) }
            try await untilSomeoneWaits(on: writer.descriptor, for: .writing)
            kill(child.pid, SIGKILL)
            #expect(await write as? SystemError == SystemError("write", on: "pipe", .brokenPipe, transferred: 4096))
            #expect(try await child.wait() == 128 + SIGKILL)
        }
    }

    @Test func syncBringsFilesToStorageAndLetsPipesBe() async throws {
        try await withTemporaryFolder { folder in
            let file = try ByteWriter(.open(folder.appending("file"), for: .create))
            try await file.write("kept")
            try file.sync()
            try file.close()
            #expect(throws: SystemError.self) { try file.sync() }
            try AnonymousPipe().writer.sync()
            try ByteWriter(.open("/dev/null", for: .write)).sync()
        }
    }

    @Test(arguments: Place.allCases)
    func waitingUntilWritableWritesNothing(_ place: Place) async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        try await place.run {
            try await pipe.writer.waitUntilWritable()
            try await pipe.writer.write([UInt8](repeating: 1, count: 4096))
            let error = await failure { try await pipe.writer.waitUntilWritable(timeout: .milliseconds(1)) }
            #expect(error as? TimeoutError == TimeoutError("wait", on: "pipe", limit: .milliseconds(1)))
            async let wait: Void = pipe.writer.waitUntilWritable(deadline: Deadline(in: .seconds(50)))
            try await untilSomeoneWaits(on: pipe.writer.descriptor, for: .writing)
            pipe.reader.close()
            try await wait
        }
    }
}
