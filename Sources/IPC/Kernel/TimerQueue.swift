// The deadlines that an event loop watches: a heap with the earliest at its root, from which any can be taken out.

struct TimerQueue {
    struct Entry {
        let instant: UInt64
        let slot: Int32
    }

    private(set) var heap: [Entry] = []

    var earliest: UInt64? { heap.first?.instant }

    /// Adds the deadline of a waiter, which remembers where it stands.
    mutating func insert(_ instant: UInt64, for slot: Int32, in waiters: inout WaiterTable) {
        heap.append(Entry(instant: instant, slot: slot))
        waiters[slot].timer = Int32(heap.count - 1)
        rise(heap.count - 1, &waiters)
    }

    /// Takes a waiter's deadline out, if it has one.
    mutating func remove(_ slot: Int32, from waiters: inout WaiterTable) {
        let position = Int(waiters[slot].timer)
        guard position >= 0 else { return }
        waiters[slot].timer = -1
        let last = heap.removeLast()
        guard position < heap.count else { return }
        place(last, at: position, &waiters)
        rise(position, &waiters)
        sink(position, &waiters)
    }

    private mutating func place(_ entry: Entry, at position: Int, _ waiters: inout WaiterTable) {
        heap[position] = entry
        waiters[entry.slot].timer = Int32(position)
    }

    private mutating func rise(_ start: Int, _ waiters: inout WaiterTable) {
        var position = start
        let entry = heap[position]
        while position > 0 {
            let parent = (position - 1) / 2
            guard entry.instant < heap[parent].instant else { break }
            place(heap[parent], at: position, &waiters)
            position = parent
        }
        if position != start { place(entry, at: position, &waiters) }
    }

    private mutating func sink(_ start: Int, _ waiters: inout WaiterTable) {
        var position = start
        let entry = heap[position]
        while true {
            var child = position * 2 + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].instant < heap[child].instant { child += 1 }
            guard heap[child].instant < entry.instant else { break }
            place(heap[child], at: position, &waiters)
            position = child
        }
        if position != start { place(entry, at: position, &waiters) }
    }
}
