// Shared memory: bounds, names, whose it is, Python as the other side, and what happens when somebody cuts it short.
import Glibc
import SystemPackage
import Testing

@testable import IPC

@Suite(.guarded)
struct SharedMemoryTests {
    private func refused(_ kind: SharedObjectError.Kind, _ body: () throws -> Void) -> SharedObjectError? {
        let error = #expect(throws: SharedObjectError.self, performing: body)
        #expect(error?.kind == kind, "\(error.map(String.init(describing:)) ?? "")")
        return error
    }

    @Test("What Python writes is read, and the reverse")
    func python() async throws {
        let name = sharedName("python")
        try await SharedMemory.withNew(named: name, size: 4096) { memory in
            #expect(memory.wasCreated && memory.size == 4096 && memory.name == name && memory.isNamed)
            #expect(try memory.read(count: 4096).allSatisfy { $0 == 0 })
            try memory.write(Array("from here".utf8))
            let script = """
                import mmap, sys
                with open(sys.argv[1], "r+b") as f:
                    m = mmap.mmap(f.fileno(), 0)
                    print(m[:9].decode(), len(m))
                    m[100:110] = b"from there"
                """
            let said = try await Command("python3", arguments: ["-c", script, sharedPath(name)]).read()
            #expect(said == "from here 4096")
            #expect(try memory.text(at: 100, count: 20) == "from there")
            let second = try SharedMemory(named: name, size: 4096)
            #expect(!second.wasCreated)
            #expect(try second.text(at: 100, count: 20) == "from there")
        }
        #expect(refused(.notFound) { _ = try SharedMemory(existing: name) } != nil)
    }

    @Test("Every place is checked against the bounds")
    func bounds() throws {
        let memory = try SharedMemory(size: 100)
        for body in [
            { _ = try memory.read(at: 0, count: 101) }, { _ = try memory.read(at: 101, count: 0) },
            { _ = try memory.read(at: -1, count: 1) }, { _ = try memory.read(at: .max, count: .max) },
            { _ = try memory.read(at: 1, count: -1) }, { try memory.write([1, 2], at: 99) },
            { try memory.store(UInt64(1), at: 93) }, { _ = try memory.load(UInt64.self, at: 93) },
        ] as [() throws -> Void] { _ = refused(.outOfRange, body) }
        try memory.store(UInt64(0x0102_0304_0506_0708), at: 91)
        #expect(try memory.load(UInt64.self, at: 91) == 0x0102_0304_0506_0708)
        #expect(try memory.withBytes { $0.count } == 100)
        memory.close()
        _ = refused(.closed) { _ = try memory.read(count: 1) }
        _ = refused(.closed) { _ = try memory.descriptor() }
    }

    @Test("V18: a name that can be none is refused, and says why")
    func names() {
        for name in ["", "/", "/a/b", "a/b", ".", "/..", "/a\0b", "/" + String(repeating: "x", count: 256), "/sem.x"] {
            let error = refused(.badName) { _ = try SharedMemory(named: name, size: 1) }
            #expect((error?.description.count ?? 999) < 200)
        }
        _ = refused(.badName) { _ = try POSIX.Semaphore(named: "/" + String(repeating: "x", count: 252)) }
        _ = refused(.badName) { _ = try SharedVariable(named: "a/b", initialValue: 1) }
        _ = refused(.badName) { _ = try RobustLock(named: "") }
        _ = refused(.badName) { _ = try POSIX.MessageQueue(named: "/a/b") }
        _ = refused(.badName) { _ = try SingleInstance(named: "..") }
    }

    @Test("M7, V17: no size, and more than there is room for, are errors when it is made, and leave nothing")
    func sizes() throws {
        let name = sharedName("large")
        _ = refused(.outOfRange) { _ = try SharedMemory(named: name, size: 0) }
        _ = refused(.outOfRange) { _ = try SharedMemory(named: name, size: -1) }
        _ = refused(.limitReached) { _ = try SharedMemory(named: name, size: 1 << 50) }
        _ = refused(.limitReached) { _ = try SharedMemory(named: name, size: .max) }
        #expect(access(sharedPath(name), F_OK) != 0)
        _ = refused(.limitReached) { _ = try SharedMemory(size: .max) }
    }

    @Test("V1: made, opened and both are told apart, and another size is refused")
    func opening() throws {
        let name = sharedName("opening")
        _ = refused(.notFound) { _ = try SharedMemory(named: name, size: 10, opening: .open) }
        let memory = try SharedMemory(named: name, size: 10, opening: .create)
        defer { try? memory.remove() }
        _ = refused(.alreadyExists) { _ = try SharedMemory(named: name, size: 10, opening: .create) }
        let error = refused(.wrongSize) { _ = try SharedMemory(named: name, size: 11) }
        #expect(error?.description == "open shared memory \(name): it has 10 bytes, not 11 (EINVAL)")
        let reader = try SharedMemory(named: name, size: 10, isReadOnly: true)
        _ = refused(.notPermitted) { try reader.write([1]) }
        try memory.write([7])
        #expect(try reader.read(count: 1) == [7])
    }

    @Test(
        "M8: another's, one that lets others in, a link, a FIFO and a folder are refused; root's and one's own are not")
    func owners() async throws {
        let name = sharedName("owner")
        let path = sharedPath(name)
        defer { unlink(path) }
        if getuid() == 0 {
            let make = #"umask 077; head -c 10 /dev/zero >"$1""#
            try await Command(
                "setpriv",
                arguments: ["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", make, "sh", path]
            ).run()
            let error = refused(.notPermitted) { _ = try SharedMemory(named: name, size: 10) }
            #expect(error?.detail == "it belongs to user 65534, mode 0600")
            #expect(try SharedMemory(named: name, size: 10, ownedBy: 65534).size == 10)
            unlink(path)
        }
        let file = open(path, O_CREAT | O_RDWR, 0o600)
        fchmod(file, 0o666)
        ftruncate(file, 10)
        close(file)
        let open = refused(.notPermitted) { _ = try SharedMemory(named: name, size: 10) }
        #expect(open?.detail == "its mode 0666 lets in others than 0600 does")
        let all = FilePermissions(rawValue: 0o666)
        #expect(try SharedMemory(named: name, size: 10, permissions: all).size == 10)
        unlink(path)
        symlink("/etc/passwd", path)
        let link = refused(.wrongLayout) { _ = try SharedMemory(named: name, size: 10, ownedBy: 0) }
        #expect(link?.detail == "\(path) is a symbolic link")
        unlink(path)
        mkfifo(path, 0o600)
        _ = refused(.wrongLayout) { _ = try SharedMemory(named: name, size: 10) }
        unlink(path)
        mkdir(path, 0o700)
        _ = refused(.wrongLayout) { _ = try SharedMemory(named: name, size: 10) }
        rmdir(path)
    }

    @Test("The permissions of a new one are those that were asked for, whatever the umask is")
    func permissions() throws {
        let name = sharedName("mode")
        let former = umask(0o077)
        defer { umask(former) }
        let memory = try SharedMemory(named: name, size: 1, permissions: FilePermissions(rawValue: 0o640))
        defer { try? memory.remove() }
        var status = stat()
        #expect(stat(sharedPath(name), &status) == 0 && status.st_mode & 0o777 == 0o640)
    }

    @Test("M3: memory that another process cuts short is an error, and no SIGBUS")
    func truncated() async throws {
        let name = sharedName("cut")
        let memory = try SharedMemory(named: name, size: 64 * 1024)
        defer { try? memory.remove() }
        try memory.write([UInt8](repeating: 1, count: 64 * 1024))
        try await Command("truncate", arguments: ["-s", "8192", sharedPath(name)]).run()
        #expect(try memory.read(count: 8192) == [UInt8](repeating: 1, count: 8192), "what is there is there")
        let error = refused(.truncated) { _ = try memory.read(count: 64 * 1024) }
        #expect(
            error?.description
                == "read shared memory \(name): its memory is gone: another process has cut it short, or there is none left (EIO)"
        )
        _ = refused(.truncated) { try memory.write([1], at: 60_000) }
        _ = refused(.truncated) { try memory.withMutableBytes { $0[60_000] = 1 } }
        let other = try SharedMemory(named: name, size: 8192)
        #expect(try other.read(count: 1) == [1], "others are not affected")
    }

    @Test(
        "M3: a SIGBUS that is not of shared memory does what it did", .disabled(if: Sanitizer.catchesFaults),
        arguments: [0, 1])
    func otherFaults(reports: Int) async throws {
        let name = sharedName("fault")
        let result = try await sharer("fault", name, reports).environment(
            .inherited.setting("SWIFT_BACKTRACE", to: "enable=no")
        )
        .error(.discard).unchecked().run()
        #expect(result.status.shellStatus == 128 + SIGBUS)
        unlink(sharedPath(name))
    }

    @Test("M3, M12: memory without a name is handed over, sealed: nobody can cut it short")
    func handedOver() async throws {
        let memory = try SharedMemory(size: 4096)
        try memory.write(Array("hello".utf8))
        let (left, right) = try Connection.pair()
        try await left.sendDescriptor(try memory.descriptor())
        guard let came = try await right.receiveDescriptor() else { throw Errno.badFileDescriptor }
        #expect(came.withRawDescriptor { ftruncate($0, 10) } == -1 && errno == EPERM)
        #expect(came.withRawDescriptor { ftruncate($0, 10_000) } == -1 && errno == EPERM)
        let there = try SharedMemory(adopting: came)
        #expect(there.size == 4096 && !there.isReadOnly && there.name == nil)
        try there.write(Array("HE".utf8))
        #expect(try memory.text(count: 10) == "HEllo")
        left.close()
        right.close()
    }

    @Test("A body may use the memory that it was lent, and close it")
    func nested() throws {
        let memory = try SharedMemory(size: 100)
        try memory.withMutableBytes { bytes in
            bytes[0] = 7
            let seen = try memory.read(count: 1)
            memory.close()
            bytes[1] = 8
            #expect(seen == [7] && bytes[1] == 8)
        }
        _ = refused(.closed) { _ = try memory.read(count: 1) }
    }

    @Test("V17: what another program made without memory gets it when it is opened, and too much to adopt is refused")
    func holes() throws {
        let name = sharedName("holes")
        let file = open(sharedPath(name), O_CREAT | O_RDWR, 0o600)
        ftruncate(file, 100_000)
        close(file)
        let memory = try SharedMemory(existing: name)
        defer { try? memory.remove() }
        var status = stat()
        #expect(stat(sharedPath(name), &status) == 0 && status.st_blocks * 512 >= 100_000)
        let other = try SharedMemory(size: 100)
        _ = refused(.tooLarge) { _ = try SharedMemory(adopting: try other.descriptor(), sizeLimit: 99) }
        #expect(try SharedMemory(adopting: try other.descriptor(), sizeLimit: 100).size == 100)
    }

    @Test("Memory that others may only read cannot be written by them")
    func readersOnly() throws {
        let memory = try SharedMemory(size: 100, othersMayWrite: false)
        try memory.write([1, 2, 3])
        let there = try SharedMemory(adopting: try memory.descriptor())
        #expect(there.isReadOnly)
        _ = refused(.notPermitted) { try there.write([1]) }
        let map = try memory.descriptor().withRawDescriptor {
            mmap(nil, 100, PROT_READ | PROT_WRITE, MAP_SHARED, $0, 0)
        }
        #expect(map == MAP_FAILED)
        try memory.write([9])
        #expect(try there.read(count: 3) == [9, 2, 3])
    }

    @Test("A descriptor that is not sealed, and one that is no memory, are refused and closed")
    func adoption() throws {
        _ = refused(.wrongLayout) { _ = try SharedMemory(adopting: try Descriptor.open("/etc/passwd", for: .read)) }
        _ = refused(.notPermitted) { _ = try SharedMemory(adopting: try Descriptor.open("/dev/null", for: .read)) }
        let name = sharedName("unsealed")
        try SharedMemory(named: name, size: 10).close()
        _ = refused(.notPermitted) {
            _ = try SharedMemory(adopting: try Descriptor.open(FilePath(sharedPath(name)), for: .readWrite))
        }
        unlink(sharedPath(name))
    }

    @Test("M12: one that was removed and made again is another")
    func replaced() throws {
        let name = sharedName("again")
        let old = try SharedMemory(named: name, size: 10)
        try old.write([1])
        try old.remove()
        #expect(!old.isNamed)
        let new = try SharedMemory(named: name, size: 10)
        defer { try? new.remove() }
        #expect(new.wasCreated && new.isNamed)
        #expect(try new.read(count: 1) == [0] && old.read(count: 1) == [1])
        let error = refused(.replaced) { try old.remove() }
        #expect(error?.detail == "the name means another, or none, by now")
        #expect(new.isNamed)
    }

    @Test("V16: of many who make it at once, none sees less than all of it")
    func together() async throws {
        for round in 0..<50 {
            let name = sharedName("together\(round)")
            let made = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask { @concurrent in
                        let memory = try SharedMemory(named: name, size: 10_000)
                        #expect(memory.size == 10_000)
                        return memory.wasCreated
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(made == 1)
            try SharedMemory(existing: name).remove()
        }
    }

    @Test("A scope removes it however it ends")
    func scopes() async throws {
        struct Stop: Error {}
        let name = sharedName("scope")
        await #expect(throws: Stop.self) {
            try await SharedMemory.withNew(named: name, size: 1) { _ in throw Stop() }
        }
        let task = Task {
            try await SharedMemory.withNew(named: name, size: 1) { _ in
                try await EventLoop.sleep(until: Deadline(in: limit))
            }
        }
        while access(sharedPath(name), F_OK) != 0 { await Task.yield() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(access(sharedPath(name), F_OK) != 0)
    }

    private let limit = Duration.seconds(20)
}
