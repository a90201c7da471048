// Listeners: where they listen, whom they let in, what they bear, and that no live socket is ever taken.
import Glibc
import Synchronization
import Testing

@testable import IPC

@Suite(.guarded)
struct ListenerTests {
    private let limit = Duration.seconds(20)

    @Test("S-56: a port alone is this machine's loop in both families, `*` is everywhere")
    func addresses() async throws {
        let loop = try await Listener(on: .tcp(port: 0))
        defer { loop.close() }
        #expect(loop.addresses.allSatisfy { $0.isLoopback })
        #expect(Set(loop.addresses.compactMap(\.port)).count == 1, "one port for both families")
        let all = try await Listener(on: .tcp("*", port: 0))
        defer { all.close() }
        for host in loop.addresses.compactMap(\.host) {
            let client = try await Connection(to: .tcp(host, port: Port(all.addresses[0].port ?? 0)), timeout: limit)
            client.close()
        }
    }

    @Test("N16, N17: a port in use says so, one that was used just now can be used again")
    func ports() async throws {
        let first = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let endpoint = first.endpoint
        let error = await #expect(throws: SystemError.self) { try await Listener(on: endpoint) }
        #expect(error?.errno == .addressInUse)
        #expect(error?.subject == endpoint.description)
        let client = try await Connection(to: endpoint, timeout: limit)
        let served = try await first.accept(timeout: limit)
        served.close()
        _ = try await client.readAll(limit: 1)
        client.close()
        first.close()
        try await Listener(on: endpoint).close()
    }

    @Test(
        "N22: a Unix socket's file has mode 0600, whatever the umask, or the one that was asked for",
        arguments: [0o000, 0o022, 0o077, 0o777])
    func modes(_ mask: Int) async throws {
        try await withTemporaryFolder { folder in
            let former = umask(mode_t(mask))
            defer { umask(former) }
            for permissions in [FilePermissions.ownerReadWrite, [.ownerReadWrite, .groupReadWrite]] {
                let path = folder.appending("sock")
                let listener = try await Listener(on: .unix(path), permissions: permissions)
                var status = stat()
                #expect(stat(path.string, &status) == 0)
                #expect(status.st_mode & 0o777 == mode_t(permissions.rawValue))
                listener.close()
                #expect(access(path.string, F_OK) != 0, "the file goes with its listener")
            }
        }
    }

    @Test("N20: a stale socket is replaced, a live one is not; N21: nor is anything else")
    func stale() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()"
            try await Command("python3", "-c", script, path).run()
            let listener = try await Listener(on: .unix(path))
            let error = await #expect(throws: SystemError.self) { try await Listener(on: .unix(path)) }
            #expect(error?.description == "bind \(path), where somebody listens: address already in use (EADDRINUSE)")
            let client = try await Connection(to: .unix(path), timeout: limit)
            client.close()
            listener.close()
            for make in ["touch", "mkdir", "mkfifo", "ln -s /etc/passwd"] {
                try await Command("sh", "-c", "\(make) \"$0\"", path.string).run()
                let error = await #expect(throws: SystemError.self) { try await Listener(on: .unix(path)) }
                #expect(error?.errno == .addressInUse, "\(make)")
                #expect(access(path.string, F_OK) == 0)
                try await Command("rm", "-r", path).run()
            }
        }
    }

    @Test("N20: of many that start at once on one path exactly one wins")
    func manyStarters() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])"
            for _ in 0..<5 {
                try await Command("python3", "-c", script, path).run()
                let winners = try await withThrowingTaskGroup(of: Listener?.self) { group in
                    for _ in 0..<30 { group.addTask { try? await Listener(on: .unix(path)) } }
                    return try await group.reduce(into: [Listener]()) { if let winner = $1 { $0.append(winner) } }
                }
                #expect(winners.count == 1)
                let client = try await Connection(to: .unix(path), timeout: limit)
                client.close()
                for winner in winners { winner.close() }
            }
        }
    }

    @Test("N23: a folder in which others could put their own is refused")
    func sharedFolder() async throws {
        try await withTemporaryFolder { folder in
            chmod(folder.string, 0o777)
            let error = await #expect(throws: SystemError.self) { try await Listener(on: .unix(folder.appending("s"))) }
            #expect(error?.errno == .notPermitted)
            chmod(folder.string, 0o700)
        }
    }

    @Test("S-61: clients are served at the same time; what one does concerns no other", arguments: Place.allCases)
    func served(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            try await place.run {
                let listener = try await Listener(on: .tcp("127.0.0.1", port: 0), .unix(path))
                try await serving(listener) { client in
                    if try await client.readLine() == "fail" { throw SystemError("try", on: "this", .invalidArgument) }
                    try await echo(client)
                } _: {
                    let silent = try await Connection(to: .unix(path), timeout: .seconds(20))
                    for endpoint in [listener.endpoint, .unix(path)] {
                        let bad = try await Connection(to: endpoint, timeout: .seconds(20))
                        try await bad.write("fail\n")
                        #expect(try await bad.readAll(limit: 1, timeout: .seconds(20)).isEmpty)
                        let good = try await Connection(to: endpoint, timeout: .seconds(20))
                        try await good.write("go\nhello\n")
                        #expect(try await good.readLine(timeout: .seconds(20)) == "hello")
                        good.close()
                    }
                    silent.close()
                }
            }
        }
    }

    @Test("S-65: clients beyond the limit wait, or are told")
    func clientLimit() async throws {
        var limits = ServerLimits(clients: 1)
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        try await serving(listener, limits: limits, echo) {
            let first = try await Connection(to: listener.endpoint, timeout: limit)
            try await first.write("a\n")
            _ = try await first.readLine(timeout: limit)
            let second = try await Connection(to: listener.endpoint, timeout: limit)
            try await second.write("b\n")
            await #expect(throws: TimeoutError.self) { try await second.readLine(timeout: .milliseconds(100)) }
            first.close()
            #expect(try await second.readLine(timeout: limit) == "b")
            second.close()
        }
        limits.refusal = "full\n"
        let other = try await Listener(on: .tcp("127.0.0.1", port: 0))
        try await serving(other, limits: limits, echo) {
            let first = try await Connection(to: other.endpoint, timeout: limit)
            try await first.write("a\n")
            _ = try await first.readLine(timeout: limit)
            let second = try await Connection(to: other.endpoint, timeout: limit)
            #expect(try await second.readLine(timeout: limit) == "full")
            first.close()
        }
    }

    @Test("N4: who says nothing for too long is hung up on")
    func idle() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        try await serving(listener, limits: ServerLimits(clients: 10, idle: .milliseconds(100)), echo) {
            let client = try await Connection(to: listener.endpoint, timeout: limit)
            #expect(try await client.readAll(limit: 1, timeout: limit).isEmpty)
        }
    }

    @Test("N6: an endless line ends its client, in little memory")
    func endlessLine() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        var limits = ServerLimits()
        limits.lineLength = 10_000
        try await serving(listener, limits: limits) { client in
            for try await _ in client.lines() {}
        } _: {
            let client = try await Connection(to: listener.endpoint, timeout: limit)
            let error = await #expect(throws: SystemError.self) {
                for _ in 0..<100_000 { try await client.write([UInt8](repeating: 120, count: 4096), timeout: limit) }
            }
            #expect(error?.errno == .brokenPipe || error?.errno == .connectionReset)
        }
    }

    @Test("N1: without descriptors the clients who are there are served, and new ones once there is room")
    func exhausted() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
        var former = rlimit()
        getrlimit(resource, &former)
        try await serving(listener, echo) {
            let old = try await Connection(to: listener.endpoint, timeout: limit)
            try await old.write("a\n")
            _ = try await old.readLine(timeout: limit)
            let child = try await Command(
                "python3", "-c",
                """
                import socket,sys
                s=[socket.create_connection(("127.0.0.1",int(sys.argv[1]))) for i in range(5)]
                for x in s: x.sendall(b"hello\\n")
                sys.stdout.write("sent\\n"); sys.stdout.flush()
                for x in s: assert x.recv(100)==b"hello\\n"
                """, listener.addresses[0].port ?? 0
            ).output(.pipe).start()
            var few = rlimit(rlim_cur: rlim_t(child.descriptor.number + 1), rlim_max: former.rlim_max)
            setrlimit(resource, &few)
            _ = try await child.standardOutput?.readLine(timeout: limit)
            for word in ["b", "c"] {
                try await old.write("\(word)\n")
                #expect(try await old.readLine(timeout: limit) == word)
            }
            setrlimit(resource, &former)
            #expect(try await child.wait(timeout: limit) == .exited(0))
            old.close()
        }
    }

    @Test("N24: whom the filter does not let in is gone before a byte is read")
    func filtered() async throws {
        var filter = ClientFilter()
        filter.deniedNetworks = [try Network("127.0.0.0/8")]
        filter.allowedUsers = [12345]
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            let listener = try await Listener(on: .tcp("127.0.0.1", port: 0), .unix(path))
            try await serving(listener, admitting: filter) { client in
                try await client.write("secret")
            } _: {
                for endpoint in [listener.endpoint, .unix(path)] {
                    let client = try await Connection(to: endpoint, timeout: limit)
                    let seen = try? await client.readAll(limit: 100, timeout: limit)
                    #expect(seen?.isEmpty ?? true)
                }
            }
        }
    }

    @Test("N43: a server that is to end lets clients finish, within its limit")
    func graceful() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let began = Latch()
        let server = Task {
            try await listener.serve { client in
                began.open()
                let line = try await client.readLine()
                try await client.write("\(line ?? "")!\n")
            }
        }
        let client = try await Connection(to: listener.endpoint, timeout: limit)
        await began.wait()
        server.cancel()
        try await client.write("late\n")
        #expect(try await client.readLine(timeout: limit) == "late!")
        try await server.value
        listener.close()
        let stuck = try await Listener(on: .tcp("127.0.0.1", port: 0))
        var limits = ServerLimits()
        limits.stop = .milliseconds(50)
        try await serving(stuck, limits: limits, echo) {
            _ = try await Connection(to: stuck.endpoint, timeout: limit)
        }
    }

    @Test("Sockets that were handed over are listened on; what does not listen is refused")
    func adopted() async throws {
        let first = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let copy = dup(first.sockets[0].descriptor.number)
        let second = try Listener(adopting: [copy])
        first.close()
        let client = try await Connection(to: second.endpoint, timeout: limit)
        try await second.accept(timeout: limit).close()
        client.close()
        second.close()
        #expect(throws: SystemError.self) { try Listener(adopting: [dup(0)]) }
    }

    @Test("A successor is handed the sockets, and no client is refused in between")
    func handedOver() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("sock")
            let listener = try await Listener(on: .tcp("127.0.0.1", port: 0), .unix(path))
            let script = """
                import os,socket
                assert os.environ["LISTEN_FDS"]=="2" and os.environ["IPC_LISTEN_PARENT"]==str(os.getppid())
                for number in (3,4):
                    os.set_blocking(number,True); s=socket.socket(fileno=number); c,_=s.accept(); c.sendall(b"new\\n"); c.close()
                """
            let successor = try await Command("python3", "-c", script).handingOver(listener).start()
            let endpoint = listener.endpoint
            listener.close()
            for place in [endpoint, .unix(path)] {
                let client = try await Connection(to: place, timeout: limit)
                #expect(try await client.readLine(timeout: limit) == "new")
            }
            #expect(try await successor.wait(timeout: limit) == .exited(0))
            #expect(access(path.string, F_OK) == 0, "the file is the successor's to remove")
            unlink(path.string)
            #expect(try Listener.activated() == nil)
        }
    }

    @Test("Options have names, and one of another kind of socket is an error")
    func options() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let client = try await Connection(to: listener.endpoint, timeout: limit)
        #expect(try client.value(of: .noDelay) == 1)
        try client.set(.keepAlive, to: 1)
        try client.set(.keepAliveIdle, to: 30)
        #expect(try client.value(of: .keepAlive) == 1 && client.value(of: .keepAliveIdle) == 30)
        try client.set(.receiveBuffer, to: 8192)
        #expect(try client.value(of: .receiveBuffer) >= 8192)
        #expect(try client.value(of: SocketOption(level: SOL_SOCKET, name: SO_TYPE)) == 1)
        let (one, _) = try Connection.pair()
        let error = #expect(throws: SystemError.self) { try one.set(.noDelay, to: 1) }
        #expect(error?.description.contains("set TCP_NODELAY of") == true)
        listener.close()
    }

    @Test("N5: what waits to be sent to a client that does not read is bounded")
    func unsent() async throws {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let refused = Counter()
        var limits = ServerLimits(clients: 10, idle: .milliseconds(500))
        limits.unsent = 1 << 20
        try await serving(listener, limits: limits) { client in
            await withTaskGroup { group in
                for _ in 0..<100 {
                    group.addTask {
                        do { try await client.write([UInt8](repeating: 0, count: 256 * 1024)) } catch let error
                            as SystemError
                            where error.errno == .noBufferSpace
                        {
                            refused.add()
                        } catch {}
                    }
                }
            }
        } _: {
            let client = try await Connection(to: listener.endpoint, timeout: limit)
            let ended = Deadline(in: limit)
            while refused.value == 0, !ended.hasPassed { try await Task.sleep(for: .milliseconds(10)) }
            client.close()
        }
        #expect(refused.value > 50)
    }

    @Test func spinningFindsWhatComesAndSleepsOtherwise() async throws {
        let (one, other) = try Connection.pair()
        one.spin(for: .milliseconds(1))
        await #expect(throws: TimeoutError.self) { try await one.read(upTo: 1, timeout: .milliseconds(20)) }
        async let line = one.readLine(timeout: limit)
        try await other.write("x\n")
        #expect(try await line == "x")
    }
}
