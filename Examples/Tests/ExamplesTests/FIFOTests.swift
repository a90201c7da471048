// The examples about named pipes.
import IPC
import Testing

@Suite("FIFOs")
struct FIFOTests {
    @Test("G-09: a FIFO with the mode that was asked for; what is there already stays")
    func mkfifo() async throws {
        try await withFolder { folder in
            let path = folder.appending("fifo").string
            let run = try await Example.run("mkfifo", path, "626")
            #expect(run.output == "made \(path)\n")
            #expect(try await Command("stat", "-c", "%F %a", path).read() == "fifo 626")
            let again = try await Example.run("mkfifo", path)
            #expect(again.output == "make \(path), a FIFO: file exists (EEXIST)\n")
            #expect(again.status == 71)
        }
    }

    @Test("G-10: each reader gets a signature, and the FIFO goes with the server")
    func signatureServer() async throws {
        try await withFolder { folder in
            let path = folder.appending("signature")
            let server = try await Example.command("signature-server", path.string, "sh", "-c", "echo $$")
                .output(.pipe).start()
            while !FIFO.exists(at: path) { await Task.yield() }
            var seen: Set<String> = []
            for _ in 1...5 { seen.insert(try await Command("cat", path.string).read(timeout: limit)) }
            #expect(seen.count == 5)
            #expect(seen.allSatisfy { Int($0) != nil })
            try server.send(.terminate)
            #expect(try await server.standardOutput?.readLine(timeout: limit) == "ended by SIGTERM")
            #expect(try await server.wait(timeout: limit) == .exited(0))
            #expect(!FIFO.exists(at: path))
        }
    }
}
