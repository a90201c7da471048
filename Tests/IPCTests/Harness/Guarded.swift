// The guard around every test that touches the process: one at a time, with a limit, and with nothing left behind.
import Glibc
import IPC
import Testing

/// On a suite it is around each test in it, and in suites inside it; on a test it can give that one another limit.
struct Guarded: SuiteTrait, TestTrait, TestScoping {
    let limit: Duration
    /// So long something may stay after the test, and then be gone.
    var grace = Duration.seconds(2)

    var isRecursive: Bool { true }

    /// Set inside a guarded test, so that the guards of an outer suite, an inner suite and a test are one.
    @TaskLocal private static var nameOfTest: String?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        if let name = Guarded.nameOfTest {
            Watchdog.shared.guardAgainstHang(of: name, limit: limit)
            return try await function()
        }
        await TestTurn.ofThisProcess.take()
        defer { TestTurn.ofThisProcess.giveBack() }
        try await WarmUp.once.value
        try await runOnLoop {}  // leaves a poller for the next loop, where the last test has used that up
        let name = "\(test.name) (\(test.sourceLocation.fileID):\(test.sourceLocation.line))"
        let before = Leftovers.now()
        Watchdog.shared.guardAgainstHang(of: name, limit: limit)
        defer { Watchdog.shared.rest() }
        let outcome: Result<Void, any Error>
        do {
            try await Guarded.$nameOfTest.withValue(name) { try await function() }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        let left = await Guarded.whatStays(beyond: before, within: grace)
        if !left.isEmpty {
            let list = left.map { "\n  \($0)" }.joined()
            Issue.record("left behind:\(list)", sourceLocation: test.sourceLocation)
        }
        try outcome.get()
    }

    /// What is there beyond `before` and does not go away by itself within a moment: a close can reach the process-wide
    /// loop after the test has ended, and a test without a guard may have a file open meanwhile.
    static func whatStays(
        beyond before: Leftovers, within limit: Duration = .seconds(2)
    ) async -> [Leftovers.Entry] {
        let end = ContinuousClock.now + limit * Watchdog.patience
        var left = Set(Leftovers.now().beyond(before))
        while !left.isEmpty, .now < end {
            try? await Task.sleep(for: .milliseconds(10))
            left = Leftovers.now().entries.intersection(left)
        }
        return left.sorted()
    }
}

extension Trait where Self == Guarded {
    /// One at a time, with nothing left behind, done within a minute.
    static var guarded: Guarded { Guarded(limit: .seconds(60)) }

    /// The same with another limit.
    static func guarded(limit: Duration) -> Guarded { Guarded(limit: limit) }
}

/// What is started on first need and then stays: had once before the first look, it is no test's leftover.
private enum WarmUp {
    static let once = Task {
        _ = try EventLoop.shared
        try await Command.testChild("exit", 0).diesWithParent().run()  // starts the thread that starts such programs
        try await runOnPool {
            let pipe = try AnonymousPipe()
            async let byte = pipe.reader.read(upTo: 1)
            try await pipe.writer.write("x")
            _ = try await byte
        }
        try await runOnLoop { try await Task.sleep(for: .milliseconds(1)) }
        try await Signal.cancelling(on: .windowSizeChanged) {}  // the thread for signals, and the library's own pipe
        // So long that Dispatch makes its timer: a moment that has passed when it comes to look needs none.
        try await Task.sleep(for: .milliseconds(50) * Watchdog.patience)
    }
}
