// One whole payload for each reader of a FIFO, whoever they are and however they behave.
import Glibc
import Synchronization
import Testing

@testable import IPC

@Suite(.guarded)
struct FIFOServeTests {
    /// Serves a FIFO in a folder of its own while a body runs; the payload says which one it is.
    private func serving(
        size: Int = 0, _ body: @escaping @Sendable (FilePath) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("signature")
            let number = Counter()
            let server = Task {
                try await FIFO.serve(at: path) {
                    Array("signature \(number.add())\n".utf8) + [UInt8](repeating: 120, count: size)
                }
            }
            while !FIFO.exists(at: path) { await Task.yield() }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(path)) } catch { outcome = .failure(error) }
            server.cancel()
            #expect(await failure { try await server.value } is CancellationError)
            #expect(Folder.names(in: folder.string) == [], "the FIFO is gone with its server")
            try outcome.get()
        }
    }

    /// What `cat` reads.
    private func cat(_ path: FilePath) async throws -> [UInt8] {
        try await Command("cat", path.string).capture(timeout: .seconds(20)).output.bytes
    }

    /// A reader of the FIFO that has the name; the one before can just have lost it.
    private func reader(of path: FilePath) async throws -> ByteReader {
        while true {
            do { return try await FIFO(at: path).openForReading(timeout: .seconds(20)) } catch let error as SystemError
                where error.errno == .staleNFSFileHandle
            {
                continue
            }
        }
    }

    @Test("S-22: fifty readers in a row get one signature each")
    func inARow() async throws {
        try await serving { path in
            for number in 1...50 {
                let seen = try await cat(path)
                #expect(seen == Array("signature \(number)\n".utf8))
            }
        }
    }

    /// Which of several readers reads when, nobody can decide: on a machine where one of them is held up for long between its
    /// opening and its reading, another one can have two. Not five times in a row.
    @Test("S-22: five readers at once get one signature each")
    func atOnce() async throws {
        try await serving { path in
            var isRight = false
            for _ in 1...5 where !isRight {
                let seen = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                    for _ in 1...5 { group.addTask { try await cat(path) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                let lines = seen.map { $0.split(separator: 10).count }
                isRight = lines == [1, 1, 1, 1, 1] && Set(seen).count == 5
            }
            #expect(isRight)
        }
    }

    @Test("S-22: a payload larger than a pipe is whole")
    func large() async throws {
        try await serving(size: 3_000_000) { path in
            for _ in 1...3 {
                let bytes = try await cat(path)
                #expect(bytes.prefix(10) == Array("signature ".utf8)[...])
                #expect(bytes.count > 3_000_000 && bytes.count < 3_000_020)
            }
        }
    }

    @Test("S-22: a reader that leaves at once, and one that never reads, disturb nobody")
    func badReaders() async throws {
        try await serving(size: 300_000) { path in
            let idle = try await reader(of: path)
            for _ in 1...5 {
                try await reader(of: path).close()
                #expect(try await cat(path).count > 300_000)
            }
            idle.close()
        }
    }

    @Test("S-21: a FIFO that is removed is made anew at once")
    func removed() async throws {
        try await serving { path in
            for _ in 1...5 {
                #expect(unlink(path.string) == 0)
                while !FIFO.exists(at: path) { await Task.yield() }
                let seen = try await cat(path)
                #expect(seen.split(separator: 10).count == 1)
            }
        }
    }

    @Test("S-22: whoever waits at a FIFO before the server comes is served")
    func waiting() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("signature")
            _ = try FIFO.make(at: path, permissions: [.ownerReadWrite, .otherRead])
            async let early = cat(path)
            let server = Task { try await FIFO.serve(at: path) { [104, 105] } }
            #expect(try await early == [104, 105])
            #expect(FileStatus(at: path)?.mode == 0o600)
            server.cancel()
            _ = await server.result
        }
    }

    @Test("F3: what is no FIFO is left alone, and a file that is put in its place ends the server")
    func foreign() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("signature")
            Folder.make(path.string, "mine")
            let refused = await failure { try await FIFO.serve(at: path) { [] } }
            #expect(refused as? SystemError == SystemError("make", on: "\(path), a regular file", .fileExists))
            let moved = folder.appending("moved").string
            #expect(rename(path.string, moved) == 0)

            let server = Task { try await FIFO.serve(at: path) { [] } }
            while !FIFO.exists(at: path) { await Task.yield() }
            #expect(rename(moved, path.string) == 0)
            let error = await failure { try await server.value } as? SystemError
            #expect(error?.errno == .staleNFSFileHandle)
            #expect(Folder.text(of: path.string) == "mine")
            #expect(Folder.names(in: folder.string) == ["signature"])
        }
    }

    @Test("What fails in the payload ends the server, which says so")
    func failing() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("signature")
            let server = Task { try await FIFO.serve(at: path) { throw SystemError("make", on: "payload", .ioError) } }
            while !FIFO.exists(at: path) { await Task.yield() }
            async let nothing = cat(path)
            #expect(
                await failure { try await server.value } as? SystemError == SystemError("make", on: "payload", .ioError)
            )
            let seen = try await nothing
            #expect(seen == [])
            #expect(Folder.names(in: folder.string) == [])
        }
    }
}

extension Folder {
    fileprivate static func make(_ path: String, _ text: String) {
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        write(text, to: path)
    }
}
