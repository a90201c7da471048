// One at a time, in the order of arrival: how concurrent writes become whole ones.
import Synchronization

/// Lets one task through at a time, first come, first served; waiting for the turn can be cancelled and has a deadline.
final class Turnstile: Sendable {
    private struct Visitor {
        let number: UInt64
        var place: (loop: EventLoop, token: WaitToken)?
    }

    private struct State {
        var isTaken = false
        var queue: [Visitor] = []
        var admitted: Set<UInt64> = []
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Takes the turn, or waits for it; how the wait ended. Every `.ready` is to be followed by ``leave()``.
    func enter(deadline: Deadline?) async throws(SystemError) -> Wake {
        let number: UInt64? = state.withLock { state in
            guard state.isTaken else {
                state.isTaken = true
                return nil
            }
            state.lastNumber += 1
            state.queue.append(Visitor(number: state.lastNumber))
            return state.lastNumber
        }
        guard let number else { return .ready }
        let reason = try await EventLoop.waitToBeWoken(deadline: deadline) { loop, token in
            self.state.withLock { state in
                guard let index = state.queue.firstIndex(where: { $0.number == number }) else { return false }
                state.queue[index].place = (loop, token)
                return true
            }
        }
        // Whether it is our turn is written down here; the wake only said to look.
        let isAdmitted = state.withLock { state in
            state.queue.removeAll { $0.number == number }
            return state.admitted.remove(number) != nil
        }
        if case .ready = reason { return isAdmitted ? .ready : .cancelled }
        if isAdmitted { leave() }
        return reason
    }

    /// Gives the turn to the next.
    func leave() {
        let next = state.withLock { state -> Visitor? in
            guard !state.queue.isEmpty else {
                state.isTaken = false
                return nil
            }
            let next = state.queue.removeFirst()
            state.admitted.insert(next.number)
            return next
        }
        if let place = next?.place { place.loop.send(.wake(place.token, .ready)) }
    }
}
