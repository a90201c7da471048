// Messages as spans of bytes from a child's output, and bytes from a FIFO.
import CBench
import Glibc
import IPC

enum Messages {
    static func run(_ variant: String) throws {
        let number = Int(Bench.number("BENCH_LINES", 10_000_000))
        let frames = "my $b = pack('N a16', 16, 'x' x 16) x 1000; print $b for 1 .. \(number / 1000)"
        let start = bench_now()
        let count: Int
        switch variant {
        case "lines": count = try read(Command("seq", number), .lines)
        case "delimiter": count = try read(Command("seq", number), .delimiter([10]))
        case "frames": count = try read(Command("perl", "-e", frames), .lengthPrefixed(by: UInt32.self))
        default: exit(64)
        }
        guard count == number else { exit(3) }
        Bench.report(Double(count) / (bench_now() - start) / 1e6, "M/s")
    }

    private static func read(_ command: Command, _ framing: Framing) throws -> Int {
        try EventLoop.run {
            let child = try await command.output(.pipe).start()
            guard let output = child.standardOutput else { return 0 }
            var bytes = 0
            let count = try await output.forEachMessage(framedBy: framing) { bytes += $0.byteCount }
            guard try await child.wait().isSuccess, bytes >= count else { exit(3) }
            return count
        }
    }

    static func fifo() throws {
        let wanted = Int(Bench.number("BENCH_BYTES", 1_073_741_824))
        let rate = try EventLoop.run {
            let folder = FilePath(try await Command("mktemp", "-d").read())
            let fifo = try FIFO.make(at: folder.appending("fifo"))
            let start = bench_now()
            let child = try await Command("sh", "-c", "exec head -c \(wanted) /dev/zero >\(fifo.path)").start()
            let reader = try await fifo.openForReading()
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            var total = 0
            while true {
                let count = try await reader.read(into: &buffer)
                if count == 0 { break }
                total += count
            }
            guard try await child.wait().isSuccess, total == wanted else { exit(3) }
            let took = bench_now() - start
            try fifo.remove()
            try await Command("rmdir", folder.string).run()
            return Double(wanted) / took / 1e9
        }
        Bench.report(rate, "GB/s")
    }
}
