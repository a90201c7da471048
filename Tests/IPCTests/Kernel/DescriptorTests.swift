// The owner of a descriptor: closed with its scope, never below 3, never passed on by exec.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct DescriptorTests {
    private static func isOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) >= 0 }
    private static func closesOnExec(_ number: Int32) -> Bool { ipc_get_close_on_exec(number) == 1 }

    @Test func isClosedWhenItsScopeEnds() throws {
        var number: Int32 = -1
        do {
            let file = try Descriptor.open("/dev/null", for: .read)
            number = file.number
            #expect(Self.isOpen(number))
        }
        #expect(!Self.isOpen(number))
    }

    @Test func isClosedWhenItsScopeIsLeftByAnError() throws {
        var number: Int32 = -1
        #expect(throws: CancellationError.self) {
            let file = try Descriptor.open("/dev/null", for: .read)
            number = file.number
            throw CancellationError()
        }
        #expect(!Self.isOpen(number))
    }

    @Test func isClosedWhenTheTaskThatHoldsItIsCancelled() async throws {
        let pipe = try AnonymousPipe()
        let file = try Descriptor.open("/dev/null", for: .read)
        let number = file.number
        let box = DescriptorBox(file)
        let task = Task {
            defer { withExtendedLifetime(box) {} }
            _ = try await pipe.reader.read(upTo: 1)
        }
        task.cancel()
        _ = await task.result
        #expect(Self.isOpen(number), "the test holds it as well")
    }

    @Test func closesOnExecHoweverItWasMade() throws {
        let file = try Descriptor.open("/dev/null", for: .readWrite)
        let copy = try file.duplicate()
        let adopted = try Descriptor(adopting: open("/dev/null", O_RDONLY))
        let pipe = try AnonymousPipe()
        #expect(Self.closesOnExec(file.number))
        #expect(Self.closesOnExec(copy.number))
        #expect(Self.closesOnExec(adopted.number))
        #expect(Self.closesOnExec(pipe.reader.descriptor.number))
        #expect(Self.closesOnExec(pipe.writer.descriptor.number))
    }

    @Test func aChildHasNoneOfThem() async throws {
        let before = try await Self.descriptorsOfAChild()
        let file = try Descriptor.open("/dev/null", for: .readWrite)
        let copy = try file.duplicate()
        let pipe = try AnonymousPipe()
        let loop = try EventLoop()
        #expect(try await Self.descriptorsOfAChild() == before)
        withExtendedLifetime((pipe, loop, copy.number, file.number)) {}
    }

    private static func descriptorsOfAChild() async throws -> String {
        var (reader, writer): (Int32, Int32) = (-1, -1)
        try #require(ipc_pipe(&reader, &writer) == 0)
        defer { close(reader) }
        let child = try ForeignProcess(testChild: "fds", output: writer)
        close(writer)
        #expect(try await child.wait() == 0)
        return try #require(Folder.rest(of: reader))
    }

    @Test func adoptionOfWhatIsNotOpenThrowsEBADF() {
        for number: Int32 in [-1, 9_999, .max] {
            #expect(throws: SystemError("adopt", on: "descriptor \(number)", .badFileDescriptor)) {
                _ = try Descriptor(adopting: number)
            }
        }
    }

    @Test func openSaysWhatTheKernelSaidAndAboutWhat() {
        #expect(throws: SystemError("open", on: "/nowhere/at all", .noSuchFileOrDirectory)) {
            _ = try Descriptor.open("/nowhere/at all", for: .read)
        }
        #expect(throws: SystemError("open", on: "/proc", .isDirectory)) {
            _ = try Descriptor.open("/proc", for: .write)
        }
    }

    @Test func accessIsAsStated() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("file")
            #expect(throws: SystemError("open", on: path.string, .noSuchFileOrDirectory)) {
                _ = try Descriptor.open(path, for: .write)
            }
            try await Self.write("one", to: .open(path, for: .create))
            #expect(throws: SystemError("open", on: path.string, .fileExists)) {
                _ = try Descriptor.open(path, for: .create)
            }
            try await Self.write("two", to: .open(path, for: .append))
            #expect(Folder.text(of: path.string) == "onetwo")
            try await Self.write("three", to: .open(path, for: .replace))
            #expect(Folder.text(of: path.string) == "three")
            try await Self.write("T", to: .open(path, for: .write))
            #expect(Folder.text(of: path.string) == "Three")
            var status = stat()
            #expect(lstat(path.string, &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(symlink("nowhere", folder.appending("link").string) == 0)
            #expect(throws: SystemError("open", on: folder.appending("link").string, .fileExists)) {
                _ = try Descriptor.open(folder.appending("link"), for: .create)
            }
        }
    }

    private static func write(_ text: String, to file: consuming Descriptor) async throws {
        let writer = try ByteWriter(file)
        try await writer.write(text)
        try writer.close()
    }

    @Test func duplicatesAreIndependentOwners() throws {
        let file = try Descriptor.open("/dev/null", for: .read)
        let copy = try file.duplicate()
        let number = copy.number
        #expect(number != file.number)
        try copy.close()
        #expect(!Self.isOpen(number))
        #expect(Self.isOpen(file.number))
    }

    @Test func whatIsReleasedIsNotClosed() throws {
        let number: Int32
        do {
            let file = try Descriptor.open("/dev/null", for: .read)
            number = file.release()
        }
        #expect(Self.isOpen(number))
        #expect(close(number) == 0)
    }

    @Test func lendsItsNumber() throws {
        let file = try Descriptor.open("/dev/null", for: .read)
        let isOpen = file.withRawDescriptor { Self.isOpen($0) }
        #expect(isOpen)
    }

    @Test func closeSaysWhatTheKernelSaidAndClosesOnce() throws {
        let number = open("/dev/null", O_RDONLY)
        let file = try Descriptor(adopting: number)
        #expect(close(number) == 0)
        do {
            try file.close()
            Issue.record("it was closed behind its owner's back")
        } catch {
            #expect(error as? SystemError == SystemError("close", on: "descriptor \(number)", .badFileDescriptor))
        }
    }

    // MARK: Numbers 0 to 2, in a process of its own

    @Test func noneLandsOnAStandardStreamThatIsClosedP34() async throws {
        let (status, output) = try await InnerRun.of("inProcessWhoseStandardStreamsAreClosed")
        #expect(status == 0, "\(output)")
    }

    @Test(.inner) func inProcessWhoseStandardStreamsAreClosed() throws {
        let saved = (0...2).map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
        defer { for number in saved { close(number) } }
        for combination in 0..<8 {
            let closed = (0...2).filter { combination & 1 << $0 != 0 }
            for number in closed { close(Int32(number)) }
            let numbers = try Self.numbersOfOneOfEach()
            let found = (0...2).filter { !Self.isOpen(Int32($0)) }
            for number in closed { dup2(saved[number], Int32(number)) }
            #expect(numbers.allSatisfy { $0 > 2 }, "\(closed) closed: \(numbers)")
            #expect(found == closed, "they stay closed")
        }
    }

    private static func numbersOfOneOfEach() throws -> [Int32] {
        let file = try Descriptor.open("/dev/null", for: .read)
        let copy = try file.duplicate()
        let pipe = try AnonymousPipe()
        let adopted = try Descriptor(adopting: open("/dev/null", O_RDONLY))
        let fifo = try SharedDescriptor.adopting(.open("/dev/null", for: .write), writing: true, subject: "null")
        let loop = try EventLoop()
        defer { withExtendedLifetime(loop) {} }
        let numbers = [
            file.number, copy.number, adopted.number, pipe.reader.descriptor.number, pipe.writer.descriptor.number,
            fifo.number,
        ]
        #expect(numbers.allSatisfy { closesOnExec($0) })
        return numbers
    }
}
