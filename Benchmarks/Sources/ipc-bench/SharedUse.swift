// What processes share by a name: a counter alone, one by two processes at once, a POSIX queue there and back.
import CBench
import Glibc
import IPC

enum SharedUse {
    static func alone(_ variant: String) throws {
        bench_pin()
        let counter = try SharedVariable(named: name, initialValue: 0, opening: .create)
        defer { try? counter.remove() }
        Bench.report(try rate(of: counter, variant) * 1000, "increments/s")
    }

    static func together(_ variant: String) throws {
        let counter = try SharedVariable(named: name, initialValue: 0, opening: .create)
        try counter.remove()
        let child = bench_fork()
        if child == 0 { while true { _ = try rate(of: counter, variant) } }
        // Ours and what the other did meanwhile.
        let (start, first) = (bench_now(), try counter.value)
        _ = try rate(of: counter, variant)
        let all = try Double(counter.value - first) / (bench_now() - start)
        bench_end(child)
        Bench.report(all, "increments/s")
    }

    static func queue(_ variant: String) throws {
        let queues = try (0..<2).map { try POSIX.MessageQueue(named: "\(name)-\($0)", capacity: 8, messageSize: 64) }
        for queue in queues { try queue.remove() }
        let (there, back) = (queues[0], queues[1])
        let child = bench_fork()
        let bytes = [UInt8](repeating: 7, count: 64)
        let isChild = child == 0
        if isChild, variant == "blocking" { while true { try back.send(there.receive().bytes) } }
        let rate: Double
        if variant == "blocking" {
            rate = try Bench.blockingRate {
                for _ in 0..<32 {
                    try there.send(bytes)
                    _ = try back.receive()
                }
            }
        } else {
            rate = try EventLoop.run {
                if isChild { while true { try await back.send(there.receive().bytes) } }
                return try await Bench.rate {
                    for _ in 0..<32 {
                        try await there.send(bytes)
                        _ = try await back.receive()
                    }
                }
            }
        }
        bench_end(child)
        Bench.report(rate * 32, "rt/s")
    }

    private static func rate(of counter: SharedVariable<Int>, _ variant: String) throws -> Double {
        if variant == "blocking" {
            return try Bench.blockingRate { for _ in 0..<1000 { try counter.withLock { $0 += 1 } } }
        }
        return try EventLoop.run {
            try await Bench.rate { for _ in 0..<1000 { try await counter.withLock { $0 += 1 } } }
        }
    }

    private static var name: String { "/bench-\(getpid())" }
}
