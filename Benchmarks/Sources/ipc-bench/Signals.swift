// SIGUSR1 to another process and SIGUSR2 back, both by streams of the library.
import CBench
import Glibc
import IPC

enum Signals {
    static func run(_ variant: String) throws {
        bench_hold_signals(1)  // until there is a stream: one that comes early waits
        guard let parent = ProcessID(getpid()) else { exit(3) }
        let child = bench_fork()
        if child == 0 {
            try on(variant) { try await echo(to: parent) }
            _exit(0)
        }
        guard let other = ProcessID(child) else { exit(3) }
        let box = Box()
        try on(variant) { box.value = try await rate(with: other) }
        bench_end(child)
        Bench.report(box.value, "rt/s")
    }

    private static func on(_ variant: String, _ body: @escaping @Sendable () async throws -> Void) throws {
        switch variant {
        case "async": try EventLoop.run(body)
        case "pool": PingPong.onThePool(body)
        default: exit(64)
        }
    }

    private static func echo(to parent: ProcessID) async throws {
        let stream = try Signal.stream(.user1)
        bench_hold_signals(0)
        for await _ in stream { try parent.send(.user2) }
    }

    private static func rate(with child: ProcessID) async throws -> Double {
        let stream = try Signal.stream(.user2)
        bench_hold_signals(0)
        func exchange() async throws {
            try child.send(.user1)
            _ = try await stream.next()
        }
        for _ in 0..<1000 { try await exchange() }
        let start = bench_now()
        var (count, now) = (0, start)
        repeat {
            for _ in 0..<32 { try await exchange() }
            count += 32
            now = bench_now()
        } while now - start < Bench.seconds
        return Double(count) / (now - start)
    }
}
