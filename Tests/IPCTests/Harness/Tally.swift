// What several tasks of a test count and write down together.
import Synchronization

/// A number that any thread may change.
final class Counter: Sendable {
    private let number = Atomic(0)

    var value: Int { number.load(ordering: .relaxed) }

    @discardableResult
    func add(_ count: Int = 1) -> Int { number.add(count, ordering: .relaxed).newValue }
}

/// A list that any thread may add to.
final class Log<Entry: Sendable>: Sendable {
    private let list = Mutex<[Entry]>([])

    var entries: [Entry] { list.withLock { $0 } }

    func add(_ entry: Entry) { list.withLock { $0.append(entry) } }
}
