// How long it takes, and what comes of it, when things go wrong: what `Benchmarks/manners` compares.
import CBench
import Glibc
import IPC

enum Manners {
    static func run(_ situation: String, _ script: String) throws {
        let shell = Command("sh", "-c", script)
        let start = bench_now()
        switch situation {
        case "left":
            guard try EventLoop.run({ try await shell.read() }) == "hi" else { exit(3) }
            Bench.report(bench_now() - start, "s")
        case "late":
            do { _ = try EventLoop.run { try await shell.read(timeout: .milliseconds(500)) } } catch is TimeoutError {}
            Bench.report(bench_now() - start, "s")
        case "gone":
            do {
                try EventLoop.run {
                    try await Command("true").withInput { input in
                        for _ in 0..<64 { try await input.write([UInt8](repeating: 0, count: 65536)) }
                    }
                }
            } catch is CommandError { print("R error 1 -") }
        case "descriptors-of-child":
            // As a careless library does it, without close-on-exec.
            _ = open("/dev/null", O_RDONLY)
            let list = try EventLoop.run { try await Command("ls", "/proc/self/fd").read() }
            // 0, 1, 2, and the one with which ls reads the folder.
            Bench.report(Double(list.split(separator: "\n").count - 4), "descriptors")
        default: exit(64)
        }
    }
}
