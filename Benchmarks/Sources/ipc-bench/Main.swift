// ipc-bench WORKLOAD VARIANT: one measurement of the library, printed as the floors print theirs.
import CBench
import Glibc
import IPC

@main
struct Bench {
    static let seconds = number("BENCH_SECS", 0.4)

    static func number(_ name: String, _ standard: Double) -> Double {
        getenv(name).flatMap { Double(String(cString: $0)) } ?? standard
    }

    static func report(_ value: Double, _ unit: String) { print("R - \(value) \(unit)") }

    /// How often in a second, one after the other; the first time does not count.
    static func rate(_ once: () async throws -> Void) async throws -> Double {
        try await once()
        let start = bench_now()
        var (count, now) = (0.0, start)
        repeat {
            try await once()
            count += 1
            now = bench_now()
        } while now - start < Bench.seconds
        return count / (now - start)
    }

    /// The same without tasks.
    static func blockingRate(_ once: () throws -> Void) throws -> Double {
        try once()
        let start = bench_now()
        var (count, now) = (0.0, start)
        repeat {
            try once()
            count += 1
            now = bench_now()
        } while now - start < Bench.seconds
        return count / (now - start)
    }

    static func main() throws {
        Workers.runIfRequested()
        let arguments = CommandLine.arguments
        guard arguments.count >= 3 else {
            print("usage: ipc-bench spawn MIB async|blocking | capture stream|array | lines spans|strings")
            print("       ipc-bench pipeline read | ask pipes|sockets | worker perform")
            print(
                "       ipc-bench unix-pp|tcp-pp|pipe-pp async|deadline|pool|blocking | tcp-pp spin | signals async|pool"
            )
            print("       ipc-bench datagrams plain|many | descriptors one")
            print("       ipc-bench messages lines|delimiter|frames | fifo stream")
            print("       ipc-bench terminal text|deadline|pattern|line | echo plain|idle|lines")
            print("       ipc-bench semaphore|semaphores|queue|increment|increments|posix-queue blocking|async")
            exit(64)
        }
        switch arguments[1] {
        case "left", "late", "gone", "descriptors-of-child": try Manners.run(arguments[1], arguments[2])
        case "unix-pp": try PingPong.run(arguments[2], overSockets: true)
        case "tcp-pp": try PingPong.tcp(arguments[2])
        case "semaphore": try SystemVUse.alone(arguments[2])
        case "semaphores": try SystemVUse.turns(arguments[2])
        case "queue": try SystemVUse.queue(arguments[2])
        case "increment": try SharedUse.alone(arguments[2])
        case "increments": try SharedUse.together(arguments[2])
        case "posix-queue": try SharedUse.queue(arguments[2])
        case "datagrams": try Receiving.datagrams(arguments[2])
        case "descriptors": try Receiving.descriptors()
        case "pipe-pp": try PingPong.run(arguments[2], overSockets: false)
        case "spawn":
            try Spawning.run(mebibytes: Int64(arguments[2]) ?? 0, arguments.count > 3 ? arguments[3] : "async")
        case "capture": try Capturing.run(arguments[2])
        case "pipeline": try Programs.pipeline()
        case "ask": try Programs.ask(over: arguments[2] == "sockets" ? .socketPair : .pipes)
        case "worker": try Programs.worker()
        case "signals": try Signals.run(arguments[2])
        case "lines": try Lines.run(arguments[2])
        case "messages": try Messages.run(arguments[2])
        case "fifo": try Messages.fifo()
        case "echo": try Serving.run(arguments[2])
        case "terminal": try Terminals.run(arguments[2])
        default: exit(64)
        }
    }
}
