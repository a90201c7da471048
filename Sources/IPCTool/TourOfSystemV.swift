// The tour's stops for System V, with this program as the other side.
import IPC

extension Tour {
    static let semaphore = TourStop("a semaphore whose holder is killed") {
        let set = try SystemV.SemaphoreSet(key: ownKey)
        defer { try? set.remove() }
        let hold = ["sem", "take", "--key", "\(ownKey)", "--", "sh", "-c", "echo $PPID; exec sleep 100"]
        for try await line in Command("/proc/self/exe", arguments: hold).lines() {
            guard let holder = ProcessID(line) else { throw TourError(description: "the holder said \(line)") }
            try TourError.expect("the semaphore while it is held", try set.value(), 1)
            try holder.send(.kill)
            try await set.take(timeout: .seconds(10))
            break
        }
        try TourError.expect("the semaphore in our hands", try set.value(), 1)
        try set.give()
        return "its holder was killed, the kernel gave it back, and we took it"
    }

    static let queue = TourStop("a queue between two programs") {
        let queue = try SystemV.MessageQueue(key: ownKey)
        defer { try? queue.remove() }
        let receive = ["msg", "receive", "--key", "\(ownKey)", "--type", "2", "--timeout", "10"]
        async let other = Command("/proc/self/exe", arguments: receive).read()
        for (text, type) in [("for nobody", 1), ("for the other", 2)] { try await queue.send(text, type: type) }
        try TourError.expect("what the other took", try await other, "for the other")
        try TourError.expect("what is left", try queue.status.messages, 1)
        return "two messages, and the other program took the one of its type"
    }

    static let segment = TourStop("memory that two programs share") {
        let segment = try SystemV.SharedSegment(key: ownKey, size: 2000)
        defer { try? segment.remove() }
        let write = ["shm", "write", "--key", "\(ownKey)", "--padded-to", "60"]
        try await Command("/proc/self/exe", arguments: write).input("Message #1").run()
        try TourError.expect("the text", try segment.text(count: 60), "Message #1")
        return "the other program wrote Message #1, and we read it"
    }

    /// A key that no other tour has at the same time.
    private static var ownKey: SystemV.Key { .number(0x1d00_0000 | ProcessID.current.rawValue) }
}
