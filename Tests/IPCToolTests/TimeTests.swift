// ipc webget, rtime, daytime, udp-time and sockets, against servers of Python's.
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded, .enabled(if: ForeignProcess.exists("python3")))
struct TimeTests {
    /// A script with a server that answers over TCP and UDP with some bytes, at `$port` of 127.0.0.1.
    private func answering(_ bytes: String, _ script: String) async throws -> ToolRun {
        let server = """
            import socket,sys,threading,time
            answer=eval(sys.argv[1])
            tcp=socket.socket(); tcp.bind(("127.0.0.1",0)); tcp.listen(); port=tcp.getsockname()[1]
            udp=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); udp.bind(("127.0.0.1",port))
            def datagrams():
                while True:
                    data,peer=udp.recvfrom(100)
                    udp.sendto(b"wrong length",peer); udp.sendto(answer,peer); udp.sendto(answer,peer)
            threading.Thread(target=datagrams,daemon=True).start()
            print(port,flush=True)
            while True:
                client,_=tcp.accept(); client.sendall(answer)
                client.shutdown(socket.SHUT_WR); client.recv(10000); client.close()
            """
        return try await withTemporaryFolder { folder in
            try await Tool.script(
                """
                python3 -c "$1" "$2" >"$3/port" & p=$!
                until [ -s "$3/port" ]; do sleep 0.01; done; port=$(cat "$3/port")
                \(script); kill $p; wait $p 2>/dev/null; true
                """, server, bytes, folder.string)
        }
    }

    private let now = "(int(time.time())+2208988800+100).to_bytes(4,'big')"

    @Test("S-67, S-95: all hosts at once, one's failure is its line, answers of a wrong length do not count")
    func times() async throws {
        for command in ["rtime", "udp-time"] {
            let run = try await answering(
                now, #""$ipc" \#(command) --port $port --timeout 5 127.0.0.1 127.0.0.2; echo $?"#)
            #expect(
                run.output.contains("127.0.0.1                     100 20") || run.output.contains("101 20")
                    || run.output.contains(" 99 20"), "\(run.output)")
            #expect(run.output.hasSuffix("1\n"))
            #expect(run.error.contains("127.0.0.2: ") && run.error.contains("connection refused (ECONNREFUSED)"))
        }
        let short = try await answering("b'abc'", #""$ipc" rtime --port $port 127.0.0.1; echo $?"#)
        #expect(short.error == "ipc: 127.0.0.1: 3 bytes instead of four\n")
        let json = try await answering(now, #""$ipc" rtime --json --port $port 127.0.0.1"#)
        #expect(json.output.contains(#""host":"127.0.0.1""#) && json.output.contains(#""offset":"#))
    }

    @Test("S-76: daytime prints what the server says, and nothing that would command the terminal")
    func daytime() async throws {
        let run = try await answering(#"b"Monday\x1b[2J 10:00\r\n""#, #""$ipc" daytime --port $port 127.0.0.1"#)
        #expect(run.output == "127.0.0.1                Monday[2J 10:00\n")
    }

    @Test("S-79: a connection for each document; all that comes is printed; failures count")
    func webget() async throws {
        let run = try await answering(
            #"b"HTTP/1.0 200 OK\r\n\r\nhello\n""#,
            #""$ipc" webget 127.0.0.1:$port / /two; echo $?; "$ipc" webget 127.0.0.1:1 /; echo $?"#)
        #expect(run.output == "HTTP/1.0 200 OK\r\n\r\nhello\nHTTP/1.0 200 OK\r\n\r\nhello\n0\n1\n")
        #expect(try await Tool.run("webget", "localhost").status == 64)
        #expect(try await Tool.run("webget", "localhost", "a b").status == 64)
    }

    @Test func sockets() async throws {
        let run = try await answering(
            "b''", #""$ipc" sockets --tcp | grep ":$port " ; "$ipc" sockets --json | grep -c ":$port""#)
        #expect(run.output.contains("tcp ") && run.output.contains(" python3\n") && run.output.hasSuffix("1\n"))
    }
}
