// System V: a semaphore alone, semaphores in turns, a queue there and back; on the caller's thread or asynchronously.
import CBench
import Glibc
import IPC

enum SystemVUse {
    static func alone(_ variant: String) throws {
        bench_pin()
        let set = try SystemV.SemaphoreSet(key: .private)
        defer { try? set.remove() }
        if variant == "blocking" {
            let pair = {
                for _ in 0..<32 {
                    try set.release(undoOnExit: false)
                    try set.acquire(undoOnExit: false)
                }
            }
            return Bench.report(try Bench.blockingRate(pair) * 32, "pairs/s")
        }
        let rate = try EventLoop.run {
            try await Bench.rate {
                for _ in 0..<32 {
                    try set.release(undoOnExit: false)
                    try await set.acquire(undoOnExit: false)
                }
            }
        }
        Bench.report(rate * 32, "pairs/s")
    }

    static func turns(_ variant: String) throws {
        let set = try SystemV.SemaphoreSet(key: .private, count: 2)
        let child = bench_fork()
        if variant == "blocking" {
            if child == 0 {
                while true {
                    try set.acquire(from: 0, undoOnExit: false)
                    try set.release(to: 1, undoOnExit: false)
                }
            }
            let round = {
                for _ in 0..<32 {
                    try set.release(to: 0, undoOnExit: false)
                    try set.acquire(from: 1, undoOnExit: false)
                }
            }
            try end(child, Bench.blockingRate(round)) { try set.remove() }
        }
        let own = child == 0 ? (take: 0, give: 1) : (take: 1, give: 0)
        let rate = try EventLoop.run {
            if own.take == 0 {
                while true {
                    try await set.acquire(from: 0, undoOnExit: false)
                    try set.release(to: 1, undoOnExit: false)
                }
            }
            return try await Bench.rate {
                for _ in 0..<32 {
                    try set.release(to: own.give, undoOnExit: false)
                    try await set.acquire(from: own.take, undoOnExit: false)
                }
            }
        }
        try end(child, rate) { try set.remove() }
    }

    static func queue(_ variant: String) throws {
        let queue = try SystemV.MessageQueue(key: .private)
        let child = bench_fork()
        let bytes = [UInt8](repeating: 7, count: 64)
        if variant == "blocking" {
            if child == 0 { while true { try queue.send(queue.receive(.type(1), limit: 64).bytes, type: 2) } }
            let round = {
                for _ in 0..<32 {
                    try queue.send(bytes, type: 1)
                    _ = try queue.receive(.type(2), limit: 64)
                }
            }
            try end(child, Bench.blockingRate(round)) { try queue.remove() }
        }
        let isChild = child == 0
        let rate = try EventLoop.run {
            if isChild {
                while true { try await queue.send(queue.receive(.type(1), limit: 64).bytes, type: 2) }
            }
            return try await Bench.rate {
                for _ in 0..<32 {
                    try await queue.send(bytes, type: 1)
                    _ = try await queue.receive(.type(2), limit: 64)
                }
            }
        }
        try end(child, rate) { try queue.remove() }
    }

    private static func end(_ child: Int32, _ rate: Double, _ remove: () throws -> Void) throws -> Never {
        bench_end(child)
        try remove()
        Bench.report(rate * 32, "rt/s")
        exit(0)
    }
}
