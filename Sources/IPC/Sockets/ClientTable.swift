// The clients of a server while they are served: how many there are, and the end of all.
import CIPC
import Synchronization

/// The tasks that serve clients. Whoever waits for room or for the end of all is woken by those who leave.
final class ClientTable: Sendable {
    private struct State {
        var tasks: [Int: Task<Void, Never>?] = [:]
        var next = 0
        var waiting: [(loop: EventLoop, token: WaitToken)] = []
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.tasks.count } }

    /// Serves a client in a task of its own, on this loop if this is one.
    func add(_ body: @escaping @Sendable () async -> Void) {
        let number = state.withLock { state in
            state.next += 1
            state.tasks[state.next] = .some(nil)
            return state.next
        }
        let task = Task(executorPreference: EventLoop.current) {
            await body()
            self.leave(number)
        }
        state.withLock { state in if state.tasks[number] != nil { state.tasks[number] = task } }
    }

    private func leave(_ number: Int) {
        let waiting = state.withLock { state in
            state.tasks[number] = nil
            defer { state.waiting = [] }
            return state.waiting
        }
        for (loop, token) in waiting { loop.send(.wake(token, .ready)) }
    }

    /// Waits until a client leaves, or fewer than `most` are there, or the limit passes.
    ///
    /// - Throws: `CancellationError`, ``SystemError`` if there is no loop to be had.
    func waitForChange(below most: Int, _ limit: Deadline?) async throws {
        let reason = try await EventLoop.waitToBeWoken(deadline: limit) { loop, token in
            self.state.withLock { state in
                guard state.tasks.count >= most else { return false }
                state.waiting.append((loop, token))
                return true
            }
        }
        if case .cancelled = reason { throw CancellationError() }
    }

    /// Waits for all to leave; those who are there when the limit passes are cancelled, and waited for.
    func finish(within limit: Duration) async {
        // In a task of its own, since every wait of a cancelled one would end at once.
        await Task.detached(executorPreference: EventLoop.current) {
            let deadline = Deadline(in: limit)
            while self.count > 0, !deadline.hasPassed { try? await self.waitForChange(below: 1, deadline) }
            for task in self.state.withLock({ Array($0.tasks.values) }) { task?.cancel() }
            while self.count > 0 { try? await self.waitForChange(below: 1, nil) }
        }.value
    }
}
