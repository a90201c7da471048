// Descriptors in values: to a worker and back, a file opened as another user, and messages that are none.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct SentDescriptorTests {
    @Test("S-34: descriptors go with a request and come with a reply", arguments: Place.allCases)
    func bothWays(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            try await place.run {
                let file = folder.appending("file")
                let sent = SentDescriptor(try Descriptor.open(file, for: .replace))
                let reply = try await Relabel.perform(.init(name: "me", file: sent))
                #expect(Folder.text(of: file.string)?.hasSuffix("for me\n") == true)
                let back = try reply.file.take()
                #expect(back.withRawDescriptor { Folder.target(of: "/proc/self/fd/\($0)") } == "/dev/null")
                #expect(back.withRawDescriptor { fcntl($0, F_GETFD) } == FD_CLOEXEC)
                #expect(throws: SystemError.self) { _ = try reply.file.take() }
            }
        }
    }

    @Test(
        "S-36: a file is opened as another user, whose rights count, and whose it is",
        .enabled(if: getuid() == 0 && nobodyCanRunUs))
    func openAs() async throws {
        try await withTemporaryFolder { folder in
            let nobody = Credentials(userID: 65534, groupID: 65534)
            chmod(folder.string, 0o755)
            let secret = folder.appending("secret")
            Folder.make(secret.string, "for root alone", 0o600)
            let error = try await #require(throws: SystemError.self) {
                _ = try await Descriptor.open(secret, for: .read, as: nobody)
            }
            #expect(error.errno == .permissionDenied)
            #expect("\(error)" == "open \(secret): permission denied (EACCES)")

            chmod(folder.string, 0o777)
            let made = folder.appending("made")
            let file = try ByteWriter(try await Descriptor.open(made, for: .create, as: nobody, timeout: .seconds(20)))
            try await file.write("text")
            var status = stat()
            #expect(stat(made.string, &status) == 0)
            #expect(status.st_uid == 65534 && status.st_gid == 65534 && status.st_mode & 0o777 == 0o600)
            #expect(Folder.text(of: made.string) == "text")
            #expect(geteuid() == 0)
        }
    }

    @Test("S-36: a FIFO that nobody opens at its other end does not hold the caller beyond its limit")
    func waitingFile() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("fifo").string
            try #require(mkfifo(path, 0o600) == 0)
            defer { unlink(path) }
            await #expect(throws: TimeoutError.self) {
                try await within(.seconds(4)) {
                    let own = Credentials(userID: getuid(), groupID: getgid())
                    _ = try await Descriptor.open(FilePath(path), for: .read, as: own, timeout: .milliseconds(200))
                }
            }
        }
    }

    @Test("S-34: no coder of somebody else's takes a descriptor for a number")
    func otherCoders() throws {
        let value = SentDescriptor(try Descriptor.open("/dev/null", for: .read))
        #expect(throws: EncodingError.self) { try BinaryEncoder().encode(value) }
        let bytes = try BinaryEncoder().encode(0)
        #expect(throws: DecodingError.self) { try BinaryDecoder().decode(SentDescriptor.self, from: bytes) }
        let none = BinaryDecoder(userInfo: DescriptorTable().userInfo)
        #expect(throws: DecodingError.self) { try none.decode(SentDescriptor.self, from: bytes) }
    }

    // MARK: Messages

    private func sockets() throws -> (MessageSocket, MessageSocket) {
        let (one, end) = try MessageSocket.pair(subject: "one")
        return (one, MessageSocket(try end.descriptor.duplicate(), subject: "other"))
    }

    private func holders(_ count: Int) throws -> [SentDescriptor.Holder] {
        try (0..<count).map { _ in SentDescriptor.Holder(try Descriptor.open("/dev/null", for: .read)) }
    }

    @Test("S-34: a message comes whole, with all of its descriptors")
    func message() async throws {
        let (one, other) = try sockets()
        for count in [0, 1, 253] {
            let bytes = floodedBytes(count * 4000)
            async let sending: Void = one.send(SocketMessage(kind: 9, bytes: bytes, descriptors: try holders(count)))
            let message = try await other.receive(limit: 2_000_000, descriptors: 253)
            try await sending
            #expect(message?.kind == 9)
            #expect(message?.descriptors.count == count)
            expectSame(message?.bytes ?? [], bytes)
        }
        one.descriptor.close()
        #expect(try await other.receive(limit: 1, descriptors: 0) == nil)
    }

    @Test("S-34: more descriptors than are expected are refused, and none stays open")
    func tooMany() async throws {
        for (sent, expected) in [(1, 0), (3, 2), (253, 252)] {
            let (one, other) = try sockets()
            try await one.send(SocketMessage(kind: 1, bytes: [], descriptors: try holders(sent)))
            let before = Leftovers.descriptors().count
            let error = await #expect(throws: SystemError.self) {
                try await other.receive(limit: 10, descriptors: expected)
            }
            #expect(error?.errno == .messageTooLong)
            #expect(Leftovers.descriptors().count == before)
        }
    }

    @Test("S-34: heads that lie are refused")
    func lies() async throws {
        let heads: [(name: String, change: (inout [UInt8]) -> Void, error: Errno)] = [
            ("mark", { $0[0] = 0 }, .badMessage), ("reserved byte", { $0[5] = 1 }, .badMessage),
            ("number of descriptors", { $0[6] = 1 }, .badMessage), ("size", { $0[15] = 0x80 }, .messageTooLong),
            ("size beyond the limit", { $0[8] = 101 }, .messageTooLong),
        ]
        for (name, change, expected) in heads {
            let (one, other) = try sockets()
            var head = Array("IPCM".utf8) + [1, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
            change(&head)
            #expect(ipc_send(one.descriptor.number, head, head.count) == 16)
            let error = await #expect(throws: SystemError.self) { try await other.receive(limit: 100, descriptors: 5) }
            #expect(error?.errno == expected, "\(name)")
        }
    }

    @Test("S-34: a head that comes byte by byte is a head; a message that breaks off is the end")
    func piecemeal() async throws {
        let (one, other) = try sockets()
        let head = Array("IPCM".utf8) + [7, 0, 0, 0, 3] + [UInt8](repeating: 0, count: 7)
        async let received = other.receive(limit: 100, descriptors: 0)
        for byte in head + [1, 2, 3] {
            var byte = byte
            #expect(ipc_send(one.descriptor.number, &byte, 1) == 1)
            await Task.yield()
        }
        #expect(try await received?.bytes == [1, 2, 3])
        #expect(ipc_send(one.descriptor.number, head + [1, 2], 18) == 18)
        one.descriptor.close()
        #expect(try await other.receive(limit: 100, descriptors: 0) == nil)
    }
}

extension Folder {
    fileprivate static func make(_ path: String, _ text: String, _ mode: mode_t) {
        let number = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode)
        _ = text.withCString { Glibc.write(number, $0, strlen($0)) }
        close(number)
    }
}
