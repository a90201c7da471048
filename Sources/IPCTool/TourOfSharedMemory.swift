// The tour's stops for what processes share by a name, with this program as the other side.
import IPC

extension Tour {
    static let variable = TourStop("a variable that processes share") {
        try await SharedVariable.withNew(named: ownName, initialValue: 0) { counter in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let count = ["shm", "count", "--name", counter.name]
                        try await Command("/proc/self/exe", arguments: count).output(.discard).run()
                    }
                    group.addTask { for _ in 0..<1000 { try await counter.withLock { $0 += 1 } } }
                }
                try await group.waitForAll()
            }
            try TourError.expect("the sum", try counter.value, 8008)
            return "eight programs and eight tasks counted to \(try counter.value)"
        }
    }

    static let memory = TourStop("memory that is cut short under our hands") {
        try await SharedMemory.withNew(named: ownName, size: 8192) { memory in
            try memory.write([UInt8](repeating: 1, count: 8192))
            try await Command("truncate", "-s", "0", "/dev/shm\(ownName)").run()
            do { _ = try memory.read(count: 8192) } catch let error as SharedObjectError {
                try TourError.expect("the error", error.kind, .truncated)
                return "an error, and no death by SIGBUS"
            }
            throw TourError(description: "memory that is gone was read")
        }
    }

    static let priorities = TourStop("a queue with priorities") {
        try await POSIX.MessageQueue.withNew(named: ownName) { queue in
            for (text, priority) in [("later", 1), ("now", 9)] { try await queue.send(text, priority: priority) }
            let receive = ["msg", "receive", "--name", queue.name, "--timeout", "10"]
            let first = try await Command("/proc/self/exe", arguments: receive).read()
            try TourError.expect("what the other took", first, "now")
            return "two messages, and the other program took the more urgent one"
        }
    }

    /// A name that no other tour has at the same time.
    private static var ownName: String { "/ipc-tour-\(ProcessID.current)" }
}
