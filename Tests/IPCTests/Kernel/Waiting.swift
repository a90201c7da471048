// What kernel tests need to know: that a task has come to its wait, and which thread it runs on.
import CIPC
import Testing

@testable import IPC

/// Returns once a task waits on the descriptor: on the caller's loop, or else on the process-wide one.
///
/// The look and the wait take turns on one thread, so that who looks and sees nobody lets the other run.
func untilSomeoneWaits(on descriptor: SharedDescriptor, for direction: Direction = .reading) async throws {
    let loop = try EventLoop.current ?? EventLoop.shared
    await withTaskExecutorPreference(loop) { await loop.untilSomeoneWaits(on: descriptor, for: direction) }
}

extension EventLoop {
    @concurrent
    fileprivate func untilSomeoneWaits(on descriptor: SharedDescriptor, for direction: Direction) async {
        let end = ContinuousClock.now + .seconds(20) * Watchdog.patience
        while !isWaitedFor(descriptor, direction) {
            guard .now < end else {
                _ = Issue.record("nobody waits on \(descriptor.subject)")
                return
            }
            await EventLoop.letOthersRun()
        }
    }

    func isWaitedFor(_ descriptor: SharedDescriptor, _ direction: Direction) -> Bool {
        let number = descriptor.number
        guard number < registrations.count, registrations[number].owner == descriptor.identity else { return false }
        return (direction == .reading ? registrations[number].firstReader : registrations[number].firstWriter) >= 0
    }

    /// The waits under way, those with a deadline, and the descriptors that somebody waits for. On the loop's thread.
    var pending: (waits: Int, timers: Int, waitedFor: Int) {
        let slots = (0..<Int32(waiters.count)).filter { waiters[$0].isInUse }
        let numbers = (0..<Int32(registrations.count)).filter { registrations[$0].wanted != 0 }
        return (slots.count, timers.heap.count, numbers.count)
    }
}

/// Runs a body as a task that lives on a loop.
func onLoop<Result: Sendable>(
    _ loop: EventLoop, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await Task(executorPreference: loop) { try await body() }.value
}

/// The kernel's number of the thread that this runs on.
func threadNumber() -> Int32 { ipc_thread_id() }

/// The error that a body throws; `nil` if it throws none.
func failure(of body: () async throws -> Void) async -> (any Error)? {
    do {
        try await body()
        return nil
    } catch {
        return error
    }
}
