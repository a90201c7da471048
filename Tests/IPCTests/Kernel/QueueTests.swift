// The loop's own containers, each against a plain array that does the same slowly.
import CIPC
import Testing

@testable import IPC

struct TimerQueueTests {
    @Test(arguments: 0..<10)
    func givesTheEarliestFirstWhateverIsTakenOutBetween(_ seed: UInt64) {
        var chance = Chance(seed: seed)
        var queue = TimerQueue()
        var table = WaiterTable()
        var reference: [(instant: UInt64, slot: Int32)] = []
        for step in 0..<1_000 {
            switch Int.random(in: 0..<10, using: &chance) {
            case 0..<6:
                let slot = table.take(inertHook).slot
                let instant = UInt64.random(in: 0..<(step % 3 == 0 ? 8 : 1_000_000), using: &chance)
                queue.insert(instant, for: slot, in: &table)
                reference.append((instant, slot))
            case 6..<8:
                guard let index = reference.indices.randomElement(using: &chance) else { continue }
                let slot = reference.remove(at: index).slot
                queue.remove(slot, from: &table)
                check(table[slot].timer == -1, "the waiter knows that it has no deadline any more")
                queue.remove(slot, from: &table)
                table.giveBack(slot)
            default:
                guard let first = queue.heap.first else { continue }
                check(first.instant == reference.map(\.instant).min(), "the first is the earliest")
                queue.remove(first.slot, from: &table)
                reference.removeAll { $0.slot == first.slot }
                table.giveBack(first.slot)
            }
            check(queue.earliest == reference.map(\.instant).min(), "the earliest is the earliest")
            check(queue.heap.count == reference.count, "all others are there")
        }
        for (position, entry) in queue.heap.enumerated() {
            check(table[entry.slot].timer == Int32(position), "each waiter knows where its deadline stands")
        }
        var last: UInt64 = 0
        while let first = queue.heap.first {
            check(first.instant >= last, "they come in order")
            last = first.instant
            queue.remove(first.slot, from: &table)
        }
    }
}

struct WaiterTableTests {
    @Test func everyWaitHasANameOfItsOwn() {
        var table = WaiterTable()
        var names: Set<WaitToken> = []
        for _ in 0..<100 {
            let tokens = (0..<10).map { _ in table.take(inertHook) }
            #expect(Set(tokens.map(\.slot)).count == 10)
            for token in tokens {
                check(names.insert(token).inserted, "\(token) is new")
                let isCurrent = table.isCurrent(token)
                table[token.slot].generation &+= 1  // as a wake does
                let isCurrentAfterWake = table.isCurrent(token)
                table.giveBack(token.slot)
                let isCurrentAfterEnd = table.isCurrent(token)
                check(isCurrent && !isCurrentAfterWake && !isCurrentAfterEnd, "good until the wake")
            }
        }
        #expect(table.count == 10, "places are used again")
    }

    @Test func aPlaceComesBackEmpty() {
        var table = WaiterTable()
        let token = table.take(inertHook)
        table[token.slot].early = .cancelled
        table[token.slot].descriptor = 5
        table.giveBack(token.slot)
        let next = table.take(inertHook)
        #expect(next.slot == token.slot)
        #expect(table[next.slot].early == nil)
        #expect(table[next.slot].descriptor == -1)
        #expect(table[next.slot].next == -1)
        #expect(table[next.slot].continuation == nil)
    }

    @Test func hooksKeepTheirAddressWhileTheTableGrows() {
        var table = WaiterTable()
        let first = table.take(inertHook)
        let hook = table[first.slot].hook
        for _ in 0..<1_000 { _ = table.take(inertHook) }
        #expect(table[first.slot].hook == hook)
        #expect(hook.pointee.slot == first.slot)
        #expect(table[999].hook.pointee.slot == 999)
    }
}

struct TableTests {
    @Test func growsWithoutLosingAnything() {
        var table = Table<Int>(capacity: 2)
        for number in 0..<10_000 { table.append(number) }
        #expect(table.count == 10_000)
        for number in 0..<10_000 { check(table[Int32(number)] == number, "\(number) is where it was put") }
        table[7] += 1
        table.address(8).pointee += 1
        #expect(table[7] == 8 && table[8] == 9)
    }
}

struct JobQueueTests {
    @Test(arguments: 0..<10)
    func isFirstInFirstOutThroughEveryGrowth(_ seed: UInt64) {
        // A job to be queued and never run.
        let job = unsafeBitCast(UnsafeRawPointer(bitPattern: 4_096), to: UnownedJob.self)
        let anybodys = Unmanaged.passRetained(ActorExecutor())
        defer { anybodys.release() }
        var chance = Chance(seed: seed)
        var queue = JobQueue()
        var (appended, taken) = (0, 0)
        for _ in 0..<200 {
            for _ in 0..<Int.random(in: 0..<100, using: &chance) {
                queue.append(QueuedJob(job: job, actorsExecutor: appended % 3 == 0 ? anybodys : nil))
                appended += 1
            }
            for _ in 0..<Int.random(in: 0..<100, using: &chance) {
                guard let job = queue.popFirst() else { break }
                check((job.actorsExecutor != nil) == (taken % 3 == 0), "job \(taken) comes out in its turn")
                taken += 1
            }
            check(queue.count == appended - taken, "none is lost")
            check(queue.isEmpty == (appended == taken), "empty when all are taken")
        }
        while let job = queue.popFirst() {
            check((job.actorsExecutor != nil) == (taken % 3 == 0), "job \(taken) comes out in its turn")
            taken += 1
        }
        #expect(taken == appended)
    }
}

private func inertHook(_ slot: Int32) -> ipc_cancellation_hook {
    ipc_cancellation_hook(
        cancel: { _, _, _ in }, loop: UnsafeMutableRawPointer(bitPattern: 4096)!, slot: slot, generation: 0)
}
