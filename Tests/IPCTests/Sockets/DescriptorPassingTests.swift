// Descriptors over Unix connections: each arrives as the file that it was, and none that was not asked for stays open.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct DescriptorPassingTests {
    private let limit = Duration.seconds(20)

    @Test(arguments: Place.allCases)
    func oneGoesOver(_ place: Place) async throws {
        try await place.run {
            let (left, right) = try Connection.pair()
            let pipe = try AnonymousPipe()
            try await left.sendDescriptor(pipe.reader.duplicateForTest())
            guard let got = try await right.receiveDescriptor(timeout: .seconds(20)) else {
                Issue.record("no descriptor came")
                return
            }
            let reader = try ByteReader(got)
            try await pipe.writer.write("through\n")
            #expect(try await reader.readLine(timeout: .seconds(20)) == "through")
            left.close()
            let isEnd = try await right.receiveDescriptors(atMost: 1, timeout: .seconds(20)) == nil
            #expect(isEnd)
            right.close()
        }
    }

    @Test("N29, N30: many at once, each close-on-exec; 254 are refused and nothing is sent")
    func many() async throws {
        let (left, right) = try Connection.pair()
        let one = try SentDescriptor(Descriptor.open("/dev/null", for: .read))
        let list = try (0..<253).map { _ in SentDescriptor(try Descriptor.open("/dev/null", for: .read)) }
        try await left.sendDescriptors(list, with: Array("hello".utf8))
        let received = try #require(try await right.receiveDescriptors(atMost: 253, timeout: limit))
        #expect(received.bytes == Array("hello".utf8))
        #expect(received.descriptors.count == 253)
        let first = try received.descriptors[0].take()
        #expect(first.withRawDescriptor { fcntl($0, F_GETFD) } & FD_CLOEXEC != 0)
        let error = await #expect(throws: SystemError.self) { try await left.sendDescriptors(list + [one]) }
        #expect(error?.errno == .invalidArgument)
        await #expect(throws: SystemError.self) { try await left.sendDescriptors([]) }
    }

    @Test("N31, N33: surplus ones and those never asked for are closed, a hundred times over")
    func hostile() async throws {
        let (left, right) = try Connection.pair()
        let two = try (0..<2).map { _ in SentDescriptor(try Descriptor.open("/dev/null", for: .read)) }
        let before = Folder.names(in: "/proc/self/fd").count
        for _ in 0..<100 {
            try await left.sendDescriptors(two)
            let error = await #expect(throws: SystemError.self) {
                _ = try await right.receiveDescriptor(timeout: limit)
            }
            #expect(error?.errno == .messageTooLong)
            try await left.sendDescriptors(two, with: Array("text\n".utf8))
            #expect(try await right.readLine(timeout: limit) == "text")
            try await left.write("x")
            let other = await #expect(throws: SystemError.self) {
                _ = try await right.receiveDescriptor(timeout: limit)
            }
            #expect(other?.errno == .badMessage)
        }
        #expect(Folder.names(in: "/proc/self/fd").count <= before)
    }

    @Test("N32: without room for them the stream stays in step")
    func noRoom() async throws {
        let (left, right) = try Connection.pair()
        let list = try (0..<4).map { _ in SentDescriptor(try Descriptor.open("/dev/null", for: .read)) }
        try await left.sendDescriptors(list)
        try await left.write("after\n")
        let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
        var former = rlimit()
        getrlimit(resource, &former)
        var few = rlimit(rlim_cur: 4, rlim_max: former.rlim_max)
        setrlimit(resource, &few)
        let error = await #expect(throws: SystemError.self) {
            try await right.receiveDescriptors(atMost: 4, timeout: limit)
        }
        setrlimit(resource, &former)
        #expect(error?.errno == .messageTooLong)
        #expect(try await right.readLine(timeout: limit) == "after")
    }

    @Test func onlyUnixConnectionsPassThem() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let client = try await Connection(to: listener.endpoint, timeout: limit)
        let one = SentDescriptor(try Descriptor.open("/dev/null", for: .read))
        let error = await #expect(throws: SystemError.self) { try await client.sendDescriptors([one]) }
        #expect(error?.errno == .invalidArgument)
        listener.close()
    }

    @Test("S-87: who listens where is known, with the process")
    func table() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            let listener = try await Listener(on: .tcp("127.0.0.1", port: 0), .unix(path))
            let udp = try DatagramSocket(on: .udp("::1", port: 0))
            let places = listener.addresses.map { "\($0)" } + [try "\(udp.localAddress)"]
            let found = try SocketTable.listening().filter { places.contains($0.place) }
            #expect(Set(found.map(\.family)) == ["tcp", "udp", "unix"])
            #expect(found.allSatisfy { $0.processes.contains(.current) })
            listener.close()
            udp.close()
        }
    }

    @Test("S-49: messages in order keep their boundaries, and carry descriptors", arguments: Place.allCases)
    func sequenced(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            try await place.run {
                let listener = try await SequencedListener(at: path)
                let client = try await SequencedConnection(to: .unixSequenced(path), timeout: .seconds(20))
                let served = try await listener.accept(timeout: .seconds(20))
                for text in ["one", "three", "two"] { try await client.send(Array(text.utf8)) }
                for text in ["one", "three", "two"] {
                    #expect(try await served.receive(timeout: .seconds(20))?.bytes == Array(text.utf8))
                }
                let file = SentDescriptor(try Descriptor.open("/dev/null", for: .read))
                try await served.send([1], with: [file, file])
                #expect(try await client.receive(descriptors: 2, timeout: .seconds(20))?.descriptors.count == 2)
                try await served.send([UInt8](repeating: 0, count: 100))
                let error = await #expect(throws: SystemError.self) { try await client.receive(limit: 99) }
                #expect(error?.errno == .messageTooLong)
                try await served.send([2], with: [file])
                #expect(try await client.receive()?.descriptors.count == 0, "not asked for")
                await #expect(throws: SystemError.self) { try await client.send([]) }
                served.close()
                let end = try await client.receive()
                #expect(end?.bytes == nil)
                let gone = await #expect(throws: SystemError.self) { try await client.send([1]) }
                #expect(gone?.errno == .brokenPipe)
                listener.close()
                let wrong = await #expect(throws: EndpointError.self) { try await SequencedConnection(to: .unix(path)) }
                #expect(wrong?.kind == .unsuitable)
            }
        }
    }

    @Test("N30, N31, N33, N36: descriptors go with datagrams, and no others stay", arguments: Place.allCases)
    func datagrams(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            try await place.run {
                let receiver = try await DatagramSocket(at: path)
                let sender = try await DatagramSocket(connectedTo: .unixDatagram(path))
                let other = try await DatagramSocket(at: folder.appending("other"))
                let file = SentDescriptor(try Descriptor.open("/dev/null", for: .read))
                let before = Folder.names(in: "/proc/self/fd").count
                for _ in 0..<50 {
                    try await sender.sendDescriptors([file, file], with: [1, 2, 3])
                    let both = try await receiver.receiveDescriptors(atMost: 2, timeout: .seconds(20))
                    #expect(both.datagram.bytes == [1, 2, 3])
                    let flags = try both.descriptors.map { try $0.take().withRawDescriptor { fcntl($0, F_GETFD) } }
                    #expect(flags == [FD_CLOEXEC, FD_CLOEXEC])

                    try await other.sendDescriptors([file], to: .unixDatagram(path))
                    let empty = try await receiver.receiveDescriptors(atMost: 1, timeout: .seconds(20))
                    #expect(empty.datagram.bytes.isEmpty && empty.descriptors.count == 1)
                    #expect("\(empty.datagram.address)".hasSuffix("other"))

                    try await sender.sendDescriptors([file, file])
                    let surplus = await #expect(throws: SystemError.self) {
                        _ = try await receiver.receiveDescriptors(atMost: 1, timeout: .seconds(20))
                    }
                    #expect(surplus?.errno == .messageTooLong)
                    try await sender.sendDescriptors([file], with: [1, 2, 3])
                    let long = await #expect(throws: DatagramError.self) {
                        _ = try await receiver.receiveDescriptors(atMost: 1, limit: 2, timeout: .seconds(20))
                    }
                    #expect(long?.kind == .truncated && long?.size == 3)
                    try await sender.sendDescriptors([file], with: [9])
                    #expect(try await receiver.receive(timeout: .seconds(20)).bytes == [9], "not asked for")
                }
                #expect(Folder.names(in: "/proc/self/fd").count <= before)
                for socket in [receiver, sender, other] { socket.close() }
            }
        }
        let udp = try DatagramSocket(on: .udp("127.0.0.1", port: 0))
        let file = SentDescriptor(try Descriptor.open("/dev/null", for: .read))
        let error = await #expect(throws: SystemError.self) { try await udp.sendDescriptors([file]) }
        #expect(error?.errno == .invalidArgument)
        udp.close()
    }

    @Test("N28, N33: whatever a foreign peer puts into its messages, what is open stays the same")
    func foreignPeer() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            let listener = try await Listener(on: .unix(path))
            let script = """
                import array, socket, sys
                peer = socket.socket(socket.AF_UNIX)
                peer.connect(sys.argv[1])
                null = open("/dev/null")
                def rights(*fds): return (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))
                for turn in range(2000):
                    fds = [null.fileno()] * (turn % 4 and (2, 253, 1)[turn % 4 - 1])
                    peer.sendmsg([b"\\0" if turn % 3 else b"xyz"], [rights(*fds)] if fds else [])
                """
            let peer = Task { try await Command("python3", arguments: ["-c", script, path.string]).capture() }
            let client = try await listener.accept(timeout: limit)
            let before = Folder.names(in: "/proc/self/fd").count
            var (taken, refused, most) = (0, 0, 0)
            while true {
                do {
                    guard let descriptor = try await client.receiveDescriptor(timeout: limit) else { break }
                    _ = consume descriptor
                    taken += 1
                } catch let error as SystemError where [.badMessage, .messageTooLong].contains(error.errno) {
                    refused += 1
                }
                most = max(most, Folder.names(in: "/proc/self/fd").count)
            }
            _ = try await peer.value
            #expect(taken > 0 && refused > 1000)
            #expect(most <= before + 1)
            client.close()
            listener.close()
        }
    }
}

extension ByteReader {
    fileprivate func duplicateForTest() throws -> Descriptor {
        try Descriptor(adopting: dup(descriptor.number))
    }
}
