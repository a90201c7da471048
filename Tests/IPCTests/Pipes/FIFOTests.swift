// FIFOs: whose they are, what is refused in their place, and how both sides meet.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct FIFOTests {
    /// Whether a thread of this process is in open(2) of a FIFO.
    private static var somebodyWaitsInOpen: Bool {
        Folder.names(in: "/proc/self/task").contains { thread in
            Folder.text(of: "/proc/self/task/\(thread)/wchan") == "wait_for_partner"
        }
    }

    @Test("F7: the mode is as asked, and what is there already stays")
    func making() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("fifo")
            for (permissions, mode) in [
                (FilePermissions.ownerReadWrite, 0o600), ([.ownerReadWrite, .groupReadWrite, .otherReadWrite], 0o666),
                ([], 0),
            ] as [(FilePermissions, UInt32)] {
                let fifo = try FIFO.make(at: path, permissions: permissions)
                #expect(FileStatus(at: path)?.mode == mode)
                #expect(fifo.presence == .inPlace)
                #expect(FIFO.exists(at: path))
                let again = await failure { _ = try FIFO.make(at: path) }
                #expect(again as? SystemError == SystemError("make", on: "\(path), a FIFO", .fileExists))
                try fifo.remove()
                try fifo.remove()
                #expect(fifo.presence == .removed)
            }
            #expect(Folder.names(in: folder.string) == [], "no other name is left")
            let missing = await failure { _ = try FIFO.make(at: folder.appending("none").appending("fifo")) }
            #expect((missing as? SystemError)?.errno == .noSuchFileOrDirectory)
        }
    }

    @Test("F3: a folder in which others can rename files is refused, unless it is sticky")
    func sharedFolder() async throws {
        try await withTemporaryFolder { folder in
            #expect(chmod(folder.string, 0o777) == 0)
            let error = await failure { _ = try FIFO.make(at: folder.appending("fifo")) }
            #expect((error as? SystemError)?.errno == .notPermitted)
            #expect(chmod(folder.string, 0o1777) == 0)
            try FIFO.make(at: folder.appending("fifo")).remove()
        }
    }

    @Test("F3: links, files, folders and another user's FIFO are refused, at once")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            let (link, file, directory) = (
                folder.appending("link"), folder.appending("file"), folder.appending("directory")
            )
            let fifo = try FIFO.make(at: folder.appending("fifo"))
            #expect(symlink("fifo", link.string) == 0)
            #expect(mkdir(directory.string, 0o700) == 0)
            try Descriptor.open(file, for: .create).close()
            for (path, what, errno) in [
                (link, ", a symbolic link", Errno.tooManySymbolicLinkLevels),
                (file, ", a regular file", .invalidArgument),
                (directory, ", a directory", .invalidArgument), (folder.appending("none"), "", .noSuchFileOrDirectory),
            ] {
                let error = await failure { _ = try FIFO(at: path) }
                #expect(error as? SystemError == SystemError("open", on: "\(path)\(what)", errno))
                #expect(!FIFO.exists(at: path))
            }
            if geteuid() == 0 {
                #expect(chown(fifo.path.string, 65534, 65534) == 0)
                let error = await failure { _ = try FIFO(at: fifo.path) }
                let subject = "\(fifo.path), which belongs to user 65534"
                #expect(error as? SystemError == SystemError("open", on: subject, .notPermitted))
                _ = try FIFO(at: fifo.path, trusting: .everybody)
                _ = try FIFO(at: fifo.path, trusting: .users([65534]))
            }
            try fifo.remove()
        }
    }

    @Test("F6: another FIFO at the same path is not this one: neither opened nor removed")
    func replaced() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("fifo")
            let first = try FIFO.make(at: path)
            try first.remove()
            let second = try FIFO.make(at: path)
            #expect(first.presence == .replaced)
            let stale = SystemError("open", on: "\(path), replaced by another file", .staleNFSFileHandle)
            #expect(await failure { _ = try await first.openForReading() } as? SystemError == stale)
            #expect(await failure { try first.remove() } as? SystemError != nil)
            #expect(second.presence == .inPlace)
            try second.remove()
        }
    }

    @Test("F1, F2, S-20: both sides wait for each other, whichever came first", arguments: Place.allCases)
    func meeting(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let fifo = try FIFO.make(at: folder.appending("fifo"))
            try await place.run {
                for readerIsFirst in [true, false] {
                    #expect(try fifo.tryOpenForWriting() == nil, "nobody reads")
                    async let reader = fifo.openForReading(timeout: .seconds(20))
                    if readerIsFirst { await Task.yield() }
                    let writer = try await fifo.openForWriting(timeout: .seconds(20))
                    try await writer.write("hello\n")
                    let end = try await reader
                    #expect(try await end.readLine(timeout: .seconds(20)) == "hello")
                    try writer.close()
                    #expect(try await end.readLine(timeout: .seconds(20)) == nil)
                    end.close()
                }
            }
            try fifo.remove()
        }
    }

    @Test("S-20: a reader that came first sees no end before a foreign writer has come and gone")
    func noFalseEnd() async throws {
        try await withTemporaryFolder { folder in
            let fifo = try FIFO.make(at: folder.appending("fifo"))
            async let text = fifo.openForReading(timeout: .seconds(20)).readAll(limit: 1 << 20, timeout: .seconds(20))
            let writer = try ForeignProcess("sh", ["-c", "echo one >\(fifo.path)"])
            #expect(try await text == Array("one\n".utf8))
            try await writer.wait()
            try fifo.remove()
        }
    }

    @Test("F4: a reader that stays reads on from one writer to the next")
    func staying() async throws {
        try await withTemporaryFolder { folder in
            let fifo = try FIFO.make(at: folder.appending("fifo"))
            let reader = try await fifo.openForReading(staysOpen: true)
            for number in 1...5 {
                let writer = try ForeignProcess("sh", ["-c", "echo \(number) >\(fifo.path)"])
                #expect(try await reader.readLine(timeout: .seconds(20)) == "\(number)")
                try await writer.wait()
            }
            #expect(await failure { _ = try await reader.readLine(timeout: .milliseconds(20)) } is TimeoutError)
            reader.close()
            try fifo.remove()
        }
    }

    @Test("F2: an open that is given up leaves no thread and no descriptor", arguments: Place.allCases)
    func givenUp(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let fifo = try FIFO.make(at: folder.appending("fifo"))
            try await place.run {
                let late = await failure { _ = try await fifo.openForReading(timeout: .milliseconds(20)) }
                #expect(late as? TimeoutError == TimeoutError("open", on: fifo.path.string, limit: .milliseconds(20)))
                for reads in [true, false] {
                    let task = Task {
                        if reads { _ = try await fifo.openForReading() } else { _ = try await fifo.openForWriting() }
                    }
                    while !FIFOTests.somebodyWaitsInOpen { await Task.yield() }
                    task.cancel()
                    #expect(await failure { try await task.value } is CancellationError)
                    #expect(!FIFOTests.somebodyWaitsInOpen)
                }
            }
            try fifo.remove()
        }
    }

    @Test("S-21: who waits for the other side of a FIFO that is removed is told")
    func removedMeanwhile() async throws {
        try await withTemporaryFolder { folder in
            let fifo = try FIFO.make(at: folder.appending("fifo"))
            let task = Task { try await fifo.openForWriting() }
            let gone = Task { try await fifo.waitUntilGone(timeout: .seconds(20)) }
            await Task.yield()
            #expect(unlink(fifo.path.string) == 0)
            let error = await failure { _ = try await task.value } as? SystemError
            #expect(error?.operation == "open")
            #expect(error?.errno == .staleNFSFileHandle || error?.errno == .noSuchFileOrDirectory)
            #expect(try await gone.value == .removed)
        }
    }

    @Test("P46: a reader that leaves is an error of the write, and no signal")
    func brokenPipe() async throws {
        try await withTemporaryFolder { folder in
            let fifo = try FIFO.make(at: folder.appending("fifo"))
            async let reader = fifo.openForReading(timeout: .seconds(20))
            let writer = try await fifo.openForWriting(timeout: .seconds(20))
            try await reader.close()
            #expect(
                await failure { try await writer.write("x") } as? SystemError
                    == SystemError("write", on: fifo.path.string, .brokenPipe))
            try fifo.remove()
        }
    }
}
