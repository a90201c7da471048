// The examples that listen and connect, with each other and with Python's sockets.
import IPC
import Testing

@Suite("Sockets")
struct SocketTests {
    /// Runs a server while a body runs, which gets the port, or what else its first line ends with.
    private func serving<Result>(
        _ name: String, _ arguments: String..., body: (String) async throws -> Result
    ) async throws -> Result {
        var command = try Example.command(name, arguments: arguments)
        // Without this the first line stays in the program's buffer until it ends.
        command = Command("stdbuf", "-oL", command.program).adding(contentsOf: arguments)
        return try await command.output(.pipe).withChild { server in
            let line = try await server.standardOutput?.readLine(timeout: limit) ?? ""
            let place = line.split(separator: " ").last.map(String.init) ?? ""
            let port = place.split(separator: ":").last.map { $0.filter { $0 != "]" } } ?? ""
            let result = try await body(place.hasPrefix("/") ? place : port)
            try server.send(.terminate)
            let status = try await server.wait(timeout: limit)
            #expect(status == .exited(0))
            return result
        }
    }

    private let ask = """
        import socket,sys
        s=socket.create_connection((sys.argv[1],int(sys.argv[2])),10); s.sendall(sys.argv[3].encode()); s.shutdown(socket.SHUT_WR)
        while True:
            data=s.recv(1000)
            if not data: break
            sys.stdout.buffer.write(data)
        """

    @Test("G-23, G-24: who connects is greeted")
    func tcp() async throws {
        try await serving("tcp-server", "0") { port in
            let run = try await Example.run("tcp-client", "localhost", port)
            #expect(run.output.hasPrefix("Hello there, ") && run.status == 0)
            let foreign = try await Command("python3", "-c", ask, "127.0.0.1", port, "").read(timeout: limit)
            #expect(foreign.hasPrefix("Hello there, "))
        }
        let refused = try await Example.run("tcp-client", "localhost", "1")
        #expect(refused.output.contains("connection refused (ECONNREFUSED)") && refused.status == 1)
    }

    @Test("G-25: a program for each client")
    func forking() async throws {
        try await serving("forking-server", "0", "tr", "a-z", "A-Z") { port in
            for word in ["one", "two"] {
                let answer = try await Command("python3", "-c", ask, "127.0.0.1", port, word).read(timeout: limit)
                #expect(answer == word.uppercased())
            }
        }
    }

    @Test("G-28, G-29, G-30: the same over a path, and behind a gateway")
    func unix() async throws {
        try await withFolder { folder in
            let path = folder.appending("catsock").string
            try await serving("catsock-server", path) { _ in
                #expect(try await Example.run("catsock-client", path).output.hasPrefix("Hello there, it's now "))
                let second = try await Example.run("catsock-server", path)
                #expect(second.output.contains("where somebody listens"))
                try await serving("gateway", "0", path) { port in
                    let answer = try await Command("python3", "-c", ask, "127.0.0.1", port, "get x\n").read(
                        timeout: limit)
                    #expect(answer.hasPrefix("Hello there"))
                    let no = try await Command("python3", "-c", ask, "127.0.0.1", port, "put x\n").read(timeout: limit)
                    #expect(no == "only questions that begin with 'get '")
                }
            }
            #expect(try await Command("ls", folder).read() == "", "its own file is removed")
        }
    }

    @Test("G-26, G-27, G-36: what time it is there, over TCP and UDP; who does not answer is a line")
    func times() async throws {
        try await serving("time-server", "0") { port in
            for name in ["rtime", "udp-time"] {
                let run = try await Example.run(name, port, "127.0.0.1", "127.0.0.2")
                let offset = run.lines.compactMap { $0.wholeMatch(of: /127.0.0.1 (-?\d+)/)?.1 }.first.flatMap {
                    Int($0)
                }
                #expect(offset.map { abs($0) <= 2 } == true, "\(run.output)")
                #expect(run.lines.contains { $0.hasPrefix("127.0.0.2: ") && $0.contains("ECONNREFUSED") })
                #expect(run.status == 1)
            }
        }
    }

    @Test("G-31, G-32: one line, and documents one after the other")
    func clients() async throws {
        try await serving("forking-server", "0", "sed", "-u", "-n", "1s/^/got /p;/^\r$/q") { port in
            let run = try await Example.run("webget", "127.0.0.1:\(port)", "/one", "/two")
            #expect(run.output == "got GET /one HTTP/1.0\r\ngot GET /two HTTP/1.0\r\n" || run.output.contains("/two"))
            #expect(run.status == 0)
        }
        try await serving("forking-server", "0", "echo", "Monday") { port in
            let run = try await Example.run("daytime", "127.0.0.1", port)
            #expect(run.output == "Monday\n")
        }
        #expect(try await Example.run("daytime", "127.0.0.1", "1").output.hasPrefix("cannot connect to daytime port"))
        #expect(try await Example.run("webget").status == 64)
    }

    @Test("S-82: the session that the article shows is had")
    func recordedSession() async throws {
        let tests = FilePath(#filePath).removingLastComponent()
        let article = try await Command("cat", tests.appending("../../../Sources/IPC/IPC.docc/Sockets.md")).read()
        let session = try #require(
            article.firstMatch(
                of: #/(?s)\n\$ forking-server 8000 sed -un '(.*?)' &\n\$ webget localhost:8000 (\S+)\n(.*?)```/#))
        try await serving("forking-server", "0", "sed", "-un", String(session.1)) { port in
            let run = try await Example.run("webget", "localhost:\(port)", String(session.2))
            #expect(run.output == session.3 && run.status == 0)
        }
    }

    @Test("G-33, G-34, G-35: a talk with the command server, whose prompt has no end of a line")
    func interactive() async throws {
        try await serving("command-server", "0") { port in
            let run = try await Example.run("interactive", "127.0.0.1", port, input: "\nhelp\ndate\nquit\n")
            #expect(run.output.hasPrefix("Welcome to command-server; type help for command list.\nCommand? Command? "))
            #expect(run.output.contains("Commands: quit date who cookie motd\n"))
            #expect(run.error.hasPrefix("[Connected to 127.0.0.1:"))
            #expect(run.status == 0)
            let other = try await Example.run("interactive", "127.0.0.1", port, input: "motd")
            #expect(other.status == 0)
        }
    }
}

extension Command {
    fileprivate func adding(contentsOf words: [String]) -> Command { words.reduce(self) { $0.adding($1) } }
}
