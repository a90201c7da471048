// Locks between programs: flock(1), Python's fcntl, children that must not inherit them, holders that are killed.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct FileLockNeighbourTests {
    @Test("G-08: the flock command and we keep each other out", .enabled(if: ForeignProcess.exists("flock")))
    func flockCommand() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            let lock = try await FileLock.acquire(.exclusive, on: path)
            #expect(try await ForeignProcess("flock", ["-n", path.string, "true"]).wait() == 1)
            #expect(try await ForeignProcess("flock", ["-n", "-s", path.string, "true"]).wait() == 1)
            #expect(try FileLock.holder(of: path) == .current)
            lock.release()
            #expect(try FileLock.holder(of: path) == nil)
            #expect(try await ForeignProcess("flock", ["-n", path.string, "true"]).wait() == 0)
            let holder = try await Holder("flock", ["-F", path.string, "sh", "-c", "echo ready; exec sleep 1000"])
            #expect(try !isFree(path))
            #expect(try !isFree(path, for: .shared))
            let error = await failure { try await FileLock.exclusive(on: path, timeout: .milliseconds(5)) {} }
            #expect(error is TimeoutError)
            #expect(try FileLock.holder(of: path)?.rawValue == holder.process.pid)
            #expect(try FileLock.holder(of: path, kind: .record) == nil)
            async let value = FileLock.exclusive(on: path, timeout: .seconds(50)) { 1 }
            while CallThread.count < 1 { await Task.yield() }
            try await holder.end()
            #expect(try await value == 1)
        }
    }

    @Test(
        "S-16: Python's fcntl locks and ours keep each other out", .enabled(if: ForeignProcess.exists("python3")),
        arguments: ["lockf", "flock"])
    func python(_ function: String) async throws {
        let kind = function == "lockf" ? FileLock.Kind.record : .wholeFile
        let script = """
            import fcntl, sys, time
            file = open(sys.argv[1], "r+")
            try: fcntl.\(function)(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError: sys.exit(1)
            print("ready", flush=True)
            if len(sys.argv) > 2: time.sleep(1000)
            """
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            let lock = try await FileLock.acquire(.exclusive, on: path, kind: kind)
            #expect(try await ForeignProcess("python3", ["-c", script, path.string]).wait() == 1)
            lock.release()
            #expect(try await ForeignProcess("python3", ["-c", script, path.string]).wait() == 0)
            let holder = try await Holder("python3", ["-c", script, path.string, "stay"])
            #expect(try !isFree(path, kind))
            #expect(try !isFree(path, kind, for: .shared))
            #expect(try FileLock.holder(of: path, kind: kind)?.rawValue == holder.process.pid)
            async let value = FileLock.exclusive(on: path, kind: kind, timeout: .seconds(50)) { 1 }
            while CallThread.count < 1 { await Task.yield() }
            try await holder.end()
            #expect(try await value == 1)
        }
    }

    @Test("P33: a program that is started while a lock is held does not hold it")
    func inheritance() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            for kind in [FileLock.Kind.wholeFile, .record] {
                let lock = try await FileLock.acquire(.exclusive, on: path, kind: kind)
                let child = try await Command("sleep", 1_000).start()
                let foreign = try ForeignProcess(testChild: "sleep", "1000")
                for pid in [child.processID.rawValue, foreign.pid] {
                    let open = Folder.names(in: "/proc/\(pid)/fd").compactMap {
                        Folder.target(of: "/proc/\(pid)/fd/\($0)")
                    }
                    #expect(!open.contains(path.string))
                }
                lock.release()
                #expect(try isFree(path, kind))
                await child.end()
                try await foreign.end()
            }
        }
    }

    @Test("A copy of the descriptor that a fork has left somewhere does not keep the lock")
    func copies() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            for kind in [FileLock.Kind.wholeFile, .record] {
                let lock = try await FileLock.acquire(.exclusive, on: path, kind: kind)
                let number = try #require(
                    Folder.names(in: "/proc/self/fd").compactMap { Int32($0) }.first {
                        Folder.target(of: "/proc/self/fd/\($0)") == path.string
                    })
                let copy = dup(number)
                lock.release()
                #expect(try isFree(path, kind))
                close(copy)
            }
        }
    }

    @Test("S1: a wait for a lock goes on through signals", arguments: Place.allCases)
    func signals(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            try await place.run {
                let lock = try await FileLock.acquire(.exclusive, on: path)
                async let value = FileLock.exclusive(on: path, timeout: .seconds(50)) { 1 }
                while CallThread.count < 1 { await Task.yield() }
                for _ in 0..<200 {
                    for name in Folder.names(in: "/proc/self/task")
                    where Folder.text(of: "/proc/self/task/\(name)/comm") == "ipc-call\n" {
                        _ = ipc_thread_signal(Int32(name) ?? 0, IPC_SIGURG)
                    }
                    await Task.yield()
                }
                lock.release()
                #expect(try await value == 1)
            }
        }
    }

    @Test func theTableOfLocksIsReadByTheFileAndTheKind() throws {
        let line = "12: FLOCK  ADVISORY  WRITE 1234 103:1f:987654 0 EOF"
        let lock = try #require(HeldLock(line[...]))
        #expect(lock.processID.rawValue == 1234)
        #expect(lock.identity.inode == 987_654)
        #expect(lock.identity.device == 66_335)  // as makedev says
        #expect(HeldLock("1: FLOCK  ADVISORY  READ 1 12345:54321:1 0 EOF"[...])?.identity.device == 316_660_761_445_665)
        #expect(lock.isOf(.wholeFile) && !lock.isOf(.record))
        let record = try #require(HeldLock("1: POSIX  ADVISORY  READ 7 fe:00:5 10 19"[...]))
        #expect(record.isOf(.record) && record.isOf(.record(19..<30)) && record.isOf(.record(0..<11)))
        #expect(!record.isOf(.record(20..<30)) && !record.isOf(.record(0..<10)) && !record.isOf(.wholeFile))
        for line in [
            "1: -> FLOCK  ADVISORY  WRITE 12 fe:00:5 0 EOF", "2: OFDLCK ADVISORY  WRITE -1 fe:00:5 0 EOF",
            "3: LEASE  ACTIVE    READ  12 fe:00:5 0 EOF", "4: FLOCK  ADVISORY  WRITE 0 fe:00:5 0 EOF", "", "x",
            "5: POSIX  ADVISORY  WRITE 12 <none>:0 0 EOF",
        ] { #expect(HeldLock(line[...]) == nil) }
    }
}

/// A foreign program that holds a lock from when it has said so until it is ended.
private struct Holder {
    let process: ForeignProcess
    private let reader: Int32

    init(_ program: String, _ arguments: [String]) async throws {
        var (reader, writer): (Int32, Int32) = (-1, -1)
        try #require(ipc_pipe(&reader, &writer) == 0)
        self.reader = reader
        do {
            defer { close(writer) }
            process = try ForeignProcess(program, arguments, output: writer, error: 2)
        }
        let isReady = try await OwnThread.other.run { [reader] in
            var byte: UInt8 = 0
            return read(reader, &byte, 1) == 1
        }
        #expect(isReady)
    }

    func end() async throws {
        try await process.end()
        close(reader)
    }
}
