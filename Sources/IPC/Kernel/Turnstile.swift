// One at a time, in the order of arrival: how concurrent writes become whole ones.
import Synchronization

/// Lets one task through at a time, first come, first served; waiting for the turn can be cancelled and has a deadline.
final class Turnstile: Sendable {
    private struct Visitor {
        let number: UInt64
        var place: (loop: EventLoop, token: WaitToken)?
    }

    private struct Line {
        var visitors: [Visitor] = []
        var admitted: Set<UInt64> = []
        var lastNumber: UInt64 = 0
    }

    private static let free = 0
    private static let taken = 1
    private static let takenWithLine = 2

    private let state = Atomic(Turnstile.free)
    private let line = Mutex(Line())

    /// How many wait for their turn.
    var numberInLine: Int { line.withLock { $0.visitors.count } }

    /// Takes the turn if it is free.
    @inline(__always)
    func enterAtOnce() -> Bool {
        state.compareExchange(expected: Turnstile.free, desired: Turnstile.taken, ordering: .acquiring).exchanged
    }

    /// Gives the turn to the next.
    @inline(__always)
    func leave() {
        let wasAlone = state.compareExchange(
            expected: Turnstile.taken, desired: Turnstile.free, ordering: .releasing
        ).exchanged
        if !wasAlone { admitNext() }
    }

    /// Takes the turn, or waits for it; how the wait ended. Every `.ready` is to be followed by ``leave()``.
    func enter(deadline: Deadline?) async throws(SystemError) -> Wake {
        if enterAtOnce() { return .ready }
        let number: UInt64? = line.withLock { line in
            // Under the lock the state leaves `takenWithLine` for nobody else.
            if state.exchange(Turnstile.takenWithLine, ordering: .acquiring) == Turnstile.free {
                if line.visitors.isEmpty { state.store(Turnstile.taken, ordering: .relaxed) }
                return nil
            }
            line.lastNumber += 1
            line.visitors.append(Visitor(number: line.lastNumber))
            return line.lastNumber
        }
        guard let number else { return .ready }
        while true {
            let reason: Wake
            do throws(SystemError) {
                reason = try await EventLoop.waitToBeWoken(deadline: deadline) { loop, token in
                    self.line.withLock { line in
                        guard let index = line.visitors.firstIndex(where: { $0.number == number }) else { return false }
                        line.visitors[index].place = (loop, token)
                        return true
                    }
                }
            } catch {
                if isAdmitted(number, withdrawing: true) { leave() }
                throw error
            }
            // Whether it is our turn is written down here; the wake only said to look.
            let isReady = if case .ready = reason { true } else { false }
            let isAdmitted = isAdmitted(number, withdrawing: !isReady)
            if isReady && !isAdmitted { continue }
            if isAdmitted && !isReady { leave() }
            return reason
        }
    }

    /// Whether a visitor was given the turn, which is told once; if not, it may leave the line.
    private func isAdmitted(_ number: UInt64, withdrawing: Bool) -> Bool {
        line.withLock { line in
            if line.admitted.remove(number) != nil { return true }
            if withdrawing { line.visitors.removeAll { $0.number == number } }
            return false
        }
    }

    private func admitNext() {
        let next = line.withLock { line -> Visitor? in
            guard !line.visitors.isEmpty else {
                state.store(Turnstile.free, ordering: .releasing)
                return nil
            }
            let next = line.visitors.removeFirst()
            line.admitted.insert(next.number)
            return next
        }
        if let place = next?.place { place.loop.send(.wake(place.token, .ready)) }
    }
}
