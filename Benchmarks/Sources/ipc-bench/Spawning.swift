// A program started and waited for, again and again, from a process of a given size.
import CBench
import Glibc
import IPC

enum Spawning {
    static func run(mebibytes: Int64, _ variant: String) throws {
        bench_touch(mebibytes)
        let command = Command("/bin/true")
        let rate: Double
        switch variant {
        case "async": rate = try EventLoop.run { try await Bench.rate { try await command.run() } }
        case "blocking":
            let once: @Sendable () async throws -> Void = { try await command.run() }
            rate = try Bench.blockingRate { try EventLoop.run(once) }
        default: exit(64)
        }
        Bench.report(rate, "spawns/s")
    }
}
