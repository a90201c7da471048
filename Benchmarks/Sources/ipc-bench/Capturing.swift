// What a child writes, read as a stream into one array, or kept whole.
import CBench
import Glibc
import IPC

enum Capturing {
    static func run(_ variant: String) throws {
        let bytes = Int(Bench.number("BENCH_BYTES", 1_073_741_824))
        let command = Command("head", "-c", bytes, "/dev/zero")
        let start = bench_now()
        let count: Int
        switch variant {
        case "stream": count = try EventLoop.run { try await stream(command) }
        case "array":
            count = try EventLoop.run { try await command.capture(limit: .unlimited).output.head.count }
        default: exit(64)
        }
        let seconds = bench_now() - start
        guard count == bytes else { exit(3) }
        Bench.report(Double(count) / seconds / 1e9, "GB/s")
    }

    private static func stream(_ command: Command) async throws -> Int {
        let child = try await command.output(.pipe).start()
        guard let output = child.standardOutput else { return 0 }
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        var total = 0
        while true {
            let count = try await output.read(into: &chunk)
            if count == 0 { break }
            total += count
        }
        guard try await child.wait().isSuccess else { exit(3) }
        return total
    }
}
