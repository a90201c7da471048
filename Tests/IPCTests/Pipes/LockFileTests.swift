// The files under locks: which are made, which are refused, and what happens to those that somebody removes.
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct LockFileTests {
    @Test func aMissingFileIsMadeForItsOwnerAloneAndStays() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            try await FileLock.exclusive(on: path) {
                var status = stat()
                #expect(lstat(path.string, &status) == 0)
                #expect(status.st_mode == S_IFREG | 0o600)
            }
            #expect(access(path.string, F_OK) == 0)
            let other = folder.appending("other")
            try Descriptor.open(other, for: .create, permissions: [.ownerReadWrite, .groupRead]).close()
            Folder.write("content", to: other.string)
            try await FileLock.exclusive(on: other, kind: .record) {}
            #expect(Folder.text(of: other.string) == "content")
            #expect(throws: SystemError("lock", on: "\(folder)/missing/lock", .noSuchFileOrDirectory)) {
                _ = try FileLock.tryExclusive(on: folder.appending("missing").appending("lock"))
            }
        }
    }

    @Test("F3: links, FIFOs, folders, sockets and devices are refused, and not waited for")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            let target = folder.appending("target").string
            #expect(symlink(target, folder.appending("link").string) == 0)
            #expect(symlink("/dev/null", folder.appending("device-link").string) == 0)
            let (fifo, directory) = (folder.appending("fifo").string, folder.appending("directory").string)
            #expect(mkfifo(fifo, 0o600) == 0)
            defer { unlink(fifo) }
            #expect(mkdir(directory, 0o700) == 0)
            for (name, errno, what) in [
                ("link", Errno.tooManySymbolicLinkLevels, ", a symbolic link"),
                ("device-link", .tooManySymbolicLinkLevels, ", a symbolic link"),
                ("fifo", .invalidArgument, ", a FIFO"),
                ("directory", .isDirectory, ""),
            ] {
                let path = folder.appending(name)
                for mode in [FileLock.Mode.shared, .exclusive] {
                    let error = await failure { _ = try await FileLock.acquire(mode, on: path, timeout: .seconds(10)) }
                    #expect(error as? SystemError == SystemError("lock", on: path.string + what, errno))
                }
            }
            #expect(throws: SystemError("lock", on: "/dev/null, a device", .invalidArgument)) {
                _ = try FileLock.tryExclusive(on: "/dev/null")
            }
            #expect(access(target, F_OK) != 0, "nothing was made behind the link")
        }
    }

    @Test func aFileThatMayNotBeWrittenIsLockedAllTheSame() async throws {
        // A program that runs can be opened for reading only, also by root.
        try await withTemporaryFolder { folder in
            let path = folder.appending("program")
            try await Command("cp", TestChild.path, path).run()
            let child = try await Command(path, "sleep", 1_000).start()
            #expect(try isFree(path))
            #expect(try isFree(path, .record, for: .shared))
            #expect(throws: SystemError("lock", on: path.string, .textFileBusy)) {
                _ = try FileLock.tryExclusive(on: path, kind: .record)
            }
            await child.end()
        }
    }

    @Test("A file that is removed while somebody waits for its lock is locked anew", arguments: Place.allCases)
    func removed(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            try await place.run {
                let held = try await FileLock.acquire(.exclusive, on: path)
                async let second: Void = FileLock.exclusive(on: path, timeout: .seconds(50)) {
                    let isHeld = try !isFree(path)
                    #expect(isHeld, "the lock is on the file that the name means")
                    let third = await failure {
                        try await FileLock.exclusive(on: path, timeout: .milliseconds(5)) {}
                    }
                    #expect(third is TimeoutError)
                }
                while CallThread.count < 1 { await Task.yield() }
                #expect(unlink(path.string) == 0)
                held.release()
                try await second
            }
        }
    }
}
