// Where a test's body runs: every call of the library works on an event loop, on the global pool and on an actor.
import IPC
import Testing

enum Place: String, CaseIterable, Sendable, CustomTestStringConvertible {
    /// In ``EventLoop/run(_:)``, on a thread of its own.
    case eventLoop
    /// On the concurrency runtime's own threads, from where waits go through the process-wide loop.
    case globalPool
    /// On an actor that knows of no loop.
    case actor

    var testDescription: String {
        switch self {
        case .eventLoop: "in EventLoop.run"
        case .globalPool: "on the global pool"
        case .actor: "on an actor"
        }
    }

    func run<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        switch self {
        case .eventLoop: try await runOnLoop(body)
        case .globalPool: try await runOnPool(body)
        case .actor: try await Somewhere().run(body)
        }
    }
}

/// Runs the body in `EventLoop.run`, which is synchronous, on the thread that tests may block.
func runOnLoop<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    try await OwnThread.shared.run { try EventLoop.run(body) }
}

@concurrent
func runOnPool<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
    try await body()
}

actor Somewhere {
    func run<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        try await body()
    }
}
