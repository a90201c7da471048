// Every kind of file is read and written without blocking and without changing what others share with us.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct TransferTests {
    private static func isNonblocking(_ number: Int32) -> Bool { ipc_get_status_flags(number) & IPC_O_NONBLOCK != 0 }

    // MARK: What never makes anybody wait

    @Test(arguments: Place.allCases)
    func regularFilesAreReadAndWritten(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            try await place.run {
                let path = folder.appending("file")
                var chance = Chance(seed: 5)
                let bytes = chance.bytes(300_000)
                let writer = try ByteWriter(.open(path, for: .create))
                try await writer.write(bytes)
                try await writer.waitUntilWritable()
                try writer.close()
                let reader = try ByteReader(.open(path, for: .read))
                try await reader.waitUntilReadable()
                #expect(try await reader.readAll(limit: .max) == bytes)
                let again = try ByteReader(.open(path, for: .read))
                var pieces: [UInt8] = []
                while case let piece = try await again.read(upTo: 7_777), !piece.isEmpty { pieces += piece }
                #expect(pieces == bytes)
            }
        }
    }

    @Test(arguments: Place.allCases)
    func theNullAndZeroDevicesAreStreams(_ place: Place) async throws {
        try await place.run {
            #expect(try await ByteReader(.open("/dev/null", for: .read)).readLine() == nil)
            try await ByteWriter(.open("/dev/null", for: .write)).write("gone")
            let zeros = try await ByteReader(.open("/dev/zero", for: .read)).read(upTo: 5)
            #expect(zeros == [0, 0, 0, 0, 0])
            let random = try await ByteReader(.open("/dev/urandom", for: .read)).read(upTo: 64)
            #expect(random.count == 64 && Set(random).count > 8)
        }
    }

    @Test(arguments: Place.allCases)
    func aFolderIsRefusedByTheRead(_ place: Place) async throws {
        let error = try await place.run {
            let reader = try ByteReader(.open("/", for: .read))
            return await failure { _ = try await reader.read(upTo: 1) } as? SystemError
        }
        #expect(error?.errno == .isDirectory)
    }

    @Test func theWrongDirectionIsEBADF() async throws {
        let reader = try ByteReader(.open("/dev/null", for: .write))
        let read = await failure { _ = try await reader.read(upTo: 1) } as? SystemError
        #expect(read?.errno == .badFileDescriptor)
        let pipe = try AnonymousPipe()
        let copy = ipc_duplicate(pipe.reader.descriptor.number, 3)
        let writer = try ByteWriter(Descriptor(adopting: copy))
        let write = await failure { try await writer.write("x") } as? SystemError
        #expect(write?.errno == .badFileDescriptor)
    }

    // MARK: What others share

    @Test(arguments: Place.allCases)
    func aPipeOfOthersIsUsedAndNeverMadeNonblockingP36(_ place: Place) async throws {
        var (reader, writer): (Int32, Int32) = (-1, -1)
        try #require(ipc_pipe(&reader, &writer) == 0)
        defer { for number in [reader, writer] { close(number) } }
        try await place.run { [reader, writer] in
            let source = ByteReader(.borrowing(reader, writing: false, subject: "their pipe"))
            let target = ByteWriter(.borrowing(writer, writing: true, subject: "their pipe"))
            async let line = source.readLine()
            try await untilSomeoneWaits(on: source.descriptor)
            #expect(!Self.isNonblocking(reader) && !Self.isNonblocking(writer))
            try await target.write("shared\n")
            #expect(try await line == "shared")
            #expect(!Self.isNonblocking(reader) && !Self.isNonblocking(writer))
            source.close()
            try target.close()
        }
        #expect(fcntl(reader, F_GETFD) >= 0 && fcntl(writer, F_GETFD) >= 0, "and never closed")
    }

    @Test(arguments: Place.allCases)
    func aSocketPairCarriesBothDirectionsAndStaysBlocking(_ place: Place) async throws {
        var (near, far): (Int32, Int32) = (-1, -1)
        try #require(ipc_socket_pair(1, &near, &far) == 0)
        let shared = ipc_duplicate(near, 3)
        defer { close(shared) }
        try await place.run { [near, far] in
            let left = try SharedDescriptor.adopting(Descriptor(adopting: near), writing: true, subject: "left")
            let right = try SharedDescriptor.adopting(Descriptor(adopting: far), writing: true, subject: "right")
            let (leftReader, leftWriter) = (ByteReader(left), ByteWriter(left))
            let (rightReader, rightWriter) = (ByteReader(right), ByteWriter(right))
            // Both sides send more than fits while both read: each waits for both directions of one descriptor.
            let bytes = [UInt8](repeating: 1, count: 2_000_000)
            async let there = rightReader.readAll(limit: 2_000_000)
            async let back = leftReader.readAll(limit: 2_000_000)
            async let one: Void = {
                try await leftWriter.write(bytes)
                #expect(Glibc.shutdown(left.number, Int32(SHUT_WR)) == 0)
            }()
            try await rightWriter.write(bytes)
            #expect(Glibc.shutdown(right.number, Int32(SHUT_WR)) == 0)
            try await one
            let (first, second) = try await (there, back)
            #expect(first == bytes && second == bytes)
        }
        #expect(!Self.isNonblocking(shared))
    }

    @Test(arguments: Place.allCases)
    func aFIFOWhoseWriterHasLeftIsReadToItsEnd(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("fifo").string
            try #require(mkfifo(path, 0o600) == 0)
            defer { unlink(path) }
            let reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            let writer = open(path, O_WRONLY | O_CLOEXEC)
            #expect(write(writer, "hi\n", 3) == 3)
            close(writer)
            try await place.run {
                let source = try ByteReader(Descriptor(adopting: reader))
                #expect(
                    try await source.readAll(limit: 10, timeout: .seconds(10) * Watchdog.patience) == Array("hi\n".utf8)
                )
            }
        }
    }

    @Test(arguments: Place.allCases)
    func aNamedFIFOIsOpenedAnewAndItsOriginalStaysBlocking(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("fifo").string
            try #require(mkfifo(path, 0o600) == 0)
            defer { unlink(path) }
            let both = open(path, O_RDWR | O_CLOEXEC)
            let (reader, writer) = (open(path, O_RDONLY | O_CLOEXEC), open(path, O_WRONLY | O_CLOEXEC))
            let shared = [both, ipc_duplicate(reader, 3), ipc_duplicate(writer, 3)]
            try await place.run {
                let source = try ByteReader(Descriptor(adopting: reader))
                let target = try ByteWriter(Descriptor(adopting: writer))
                async let line = source.readLine()
                try await untilSomeoneWaits(on: source.descriptor)
                try await target.write("through a name\n")
                #expect(try await line == "through a name")
            }
            for number in shared {
                #expect(!Self.isNonblocking(number))
                close(number)
            }
        }
    }

    @Test(arguments: Place.allCases)
    func aFIFOThatCannotBeOpenedAnewIsAskedBeforeEachCall(_ place: Place) async throws {
        // Nobody has the reading side, so that opening the writing side once more is refused.
        let writer = try FIFOWithoutName.writer()
        try await place.run {
            let target = SharedDescriptor.borrowing(writer, writing: true, subject: "FIFO")
            guard case .blocking = target.transfer else {
                _ = Issue.record("it is used as \(target.transfer)")
                return
            }
            let error = await failure { try await ByteWriter(target).write("x") } as? SystemError
            #expect(error == SystemError("write", on: "FIFO", .brokenPipe))
        }
        close(writer)
    }

    @Test(arguments: Place.allCases)
    func blockingTransferNeverBlocksTheThread(_ place: Place) async throws {
        try await place.run {
            var ends = try PipeEnds()
            try ends.setCapacity(8_192)
            let reader = ByteReader(SharedDescriptor(try ends.takeReader(), .blocking, subject: "pipe"))
            let writer = ByteWriter(SharedDescriptor(try ends.takeWriter(), .blocking, subject: "pipe"))
            let nothing = await failure { _ = try await reader.read(upTo: 9, timeout: .milliseconds(1)) }
            #expect(nothing is TimeoutError)
            let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
            async let everything = reader.readAll(limit: .max)
            try await untilSomeoneWaits(on: reader.descriptor)
            try await writer.write(bytes)
            try writer.close()
            #expect(try await everything == bytes)
        }
    }

    @Test(arguments: Place.allCases)
    func whatKnowsOnlyThePlainWriteIsWritten(_ place: Place) async throws {
        try await place.run {
            let counter = ipc_eventfd()
            let target = try ByteWriter(Descriptor(adopting: counter))
            try await target.write([5, 0, 0, 0, 0, 0, 0, 0])
            let source = try ByteReader(Descriptor(adopting: ipc_duplicate(target.descriptor.number, 3)))
            #expect(try await source.read(upTo: 8) == [5, 0, 0, 0, 0, 0, 0, 0])
            let error = await failure { _ = try await source.read(upTo: 8, timeout: .milliseconds(1)) }
            #expect(error is TimeoutError)
        }
    }
}

enum FIFOWithoutName {
    /// The writing side of a FIFO whose reading side is closed and whose name is gone.
    static func writer() throws -> Int32 {
        let path = "\(try TemporaryFolder.make())/fifo"
        let folder = String(path.dropLast(5))
        defer { TemporaryFolder.remove(folder) }
        try #require(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(reader) }
        return open(path, O_WRONLY | O_CLOEXEC)
    }
}
