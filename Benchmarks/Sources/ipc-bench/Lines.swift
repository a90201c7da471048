// The lines of a child's output, as spans of bytes and as strings.
import CBench
import Glibc
import IPC

enum Lines {
    static func run(_ variant: String) throws {
        let lines = Int(Bench.number("BENCH_LINES", 10_000_000))
        let command = Command("seq", lines)
        let start = bench_now()
        let (count, bytes): (Int, Int)
        switch variant {
        case "spans": (count, bytes) = try EventLoop.run { try await spans(command) }
        case "strings": (count, bytes) = try EventLoop.run { try await strings(command) }
        case "sequence": (count, bytes) = try EventLoop.run { try await sequence(command) }
        default: exit(64)
        }
        let seconds = bench_now() - start
        guard count == lines, bytes > lines else { exit(3) }
        Bench.report(Double(count) / seconds / 1e6, "Mlines/s")
    }

    private static func spans(_ command: Command) async throws -> (Int, Int) {
        let child = try await command.output(.pipe).start()
        guard let output = child.standardOutput else { return (0, 0) }
        var bytes = 0
        let count = try await output.forEachLine { line in bytes += line.byteCount }
        guard try await child.wait().isSuccess else { exit(3) }
        return (count, bytes)
    }

    private static func strings(_ command: Command) async throws -> (Int, Int) {
        let child = try await command.output(.pipe).start()
        guard let output = child.standardOutput else { return (0, 0) }
        var (count, bytes) = (0, 0)
        while let line = try await output.readLine() {
            count += 1
            bytes += line.utf8.count
        }
        guard try await child.wait().isSuccess else { exit(3) }
        return (count, bytes)
    }

    private static func sequence(_ command: Command) async throws -> (Int, Int) {
        var (count, bytes) = (0, 0)
        for try await line in command.lines() {
            count += 1
            bytes += line.utf8.count
        }
        return (count, bytes)
    }
}
