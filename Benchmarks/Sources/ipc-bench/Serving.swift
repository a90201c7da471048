// A server that sends every client what it sends; says `port N` and runs until it is killed.
import CBench
import Glibc
import IPC

enum Serving {
    static func run(_ variant: String) throws {
        try EventLoop.run {
            let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
            print("port \(listener.addresses[0].port ?? 0)")
            fflush(nil)
            var limits = ServerLimits(clients: 30_000)
            if variant == "idle" { limits.idle = .seconds(60) }
            try await listener.serve(limits: limits) { client in
                if variant == "lines" {
                    while let line = try await client.readLine() { try await client.write(line + "\n") }
                    return
                }
                var bytes = [UInt8](repeating: 0, count: 16384)
                while case let count = try await client.input.read(into: &bytes), count > 0 {
                    try await client.output.write(bytes.span.bytes.extracting(0..<count))
                }
            }
        }
    }
}
