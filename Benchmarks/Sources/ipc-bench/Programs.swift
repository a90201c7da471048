// Programs together: a pipeline, questions and answers, this program as its own child.
import CBench
import Glibc
import IPC

enum Programs {
    static func pipeline() throws {
        let pipeline = Command("seq", "1", "10").piped(to: Command("cat")).piped(to: Command("wc", "-l"))
        let rate = try EventLoop.run { try await Bench.rate { _ = try await pipeline.read() } }
        Bench.report(rate, "pipelines/s")
    }

    static func ask(over transport: TwoWayTransport) throws {
        let rate = try EventLoop.run {
            try await Command("cat").withPipes(over: transport) { cat in
                try await Bench.rate { _ = try await cat.ask("what is the answer to this question", timeout: nil) }
            }
        }
        Bench.report(rate, "answers/s")
    }

    static func worker() throws {
        let rate = try EventLoop.run { try await Bench.rate { _ = try await Echo.perform(1) } }
        Bench.report(rate, "workers/s")
    }

    /// A worker that gives back what it gets.
    struct Echo: Worker {
        static func run(_ request: Int) async throws -> Int { request }
    }
}
