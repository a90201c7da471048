// POSIX semaphores and message queues: C's own as the other side, limits, refusals, and who is the one instance.
import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import IPC

/// Threads that sleep in a call of the library.
private var callThreads: Int {
    Folder.names(in: "/proc/self/task").count { Folder.text(of: "/proc/self/task/\($0)/comm") == "ipc-call\n" }
}

private func testChild(_ words: String...) -> Command { Command(TestChild.path, arguments: words) }

@Suite(.guarded)
struct POSIXSemaphoreTests {
    private let limit = Duration.seconds(20)

    @Test("Acquired and released, by turns", arguments: Place.allCases)
    func turns(_ place: Place) async throws {
        try await place.run {
            try await POSIX.Semaphore.withNew(named: sharedName("sem"), initialValue: 2) { semaphore in
                try await semaphore.acquire()
                #expect(try semaphore.tryAcquire() && semaphore.value == 0 && !semaphore.tryAcquire())
                await #expect(throws: TimeoutError.self) { try await semaphore.acquire(timeout: .milliseconds(20)) }
                await #expect(throws: TimeoutError.self) { try await semaphore.acquire(timeout: .zero) }
                async let acquired: Void = semaphore.acquire(timeout: limit)
                try await untilSomeoneWaits { callThreads }
                try semaphore.release()
                try await acquired
                #expect(try semaphore.value == 0)
                let waiting = Task { try await semaphore.acquire() }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                try semaphore.release()
                #expect(try semaphore.value == 1, "a wait that was cancelled took nothing")
                let result = try await semaphore.withAcquired { try semaphore.value }
                #expect(try result == 0 && semaphore.value == 1)
                try await OwnThread.other.run {
                    try semaphore.acquire()
                    _ = #expect(throws: TimeoutError.self) { try semaphore.acquire(timeout: .milliseconds(20)) }
                }
            }
        }
    }

    @Test("C's sem_open finds it, and what C has made is found", arguments: [1, 70_000])
    func foreign(value: Int) async throws {
        let name = sharedName("csem")
        let semaphore = try POSIX.Semaphore(named: name, initialValue: value)
        #expect(semaphore.wasCreated)
        try await testChild("semaphore", name, "post").run()
        #expect(try semaphore.value == value + 1)
        try await testChild("semaphore", name, "wait").run()
        #expect(try semaphore.value == value)
        try semaphore.remove()
        try await testChild("semaphore", name, "create").run()
        let theirs = try POSIX.Semaphore(named: name)
        #expect(try !theirs.wasCreated && theirs.value == 3)
        try theirs.remove()
        #expect(access("/dev/shm/sem." + name.dropFirst(), F_OK) != 0)
    }

    @Test("V15: a bare semaphore stays taken when its holder is killed, as the documentation says")
    func killed() async throws {
        try await POSIX.Semaphore.withNew(named: sharedName("ksem"), initialValue: 1) { semaphore in
            let child = try await testChild("semaphore", semaphore.name, "wait", "rest").output(.pipe).start()
            _ = try await child.standardOutput?.readLine(timeout: limit)
            try child.send(.kill)
            _ = try await child.wait()
            #expect(try semaphore.value == 0)
        }
    }

    @Test("V4, V5, V16: values out of range, files that are none, and many makers at once")
    func refusals() async throws {
        let name = sharedName("rsem")
        for value in [-1, Int(Int32.max) + 1] {
            let error = #expect(throws: SharedObjectError.self) {
                try POSIX.Semaphore(named: name, initialValue: value)
            }
            #expect(error?.kind == .outOfRange)
        }
        let full = try POSIX.Semaphore(named: name, initialValue: Int(Int32.max))
        let over = #expect(throws: SharedObjectError.self) { try full.release() }
        #expect(over?.kind == .outOfRange)
        try full.remove()
        let file = open("/dev/shm/sem." + name.dropFirst(), O_CREAT | O_RDWR, 0o600)
        close(file)
        let empty = #expect(throws: SharedObjectError.self) { try POSIX.Semaphore(named: name) }
        #expect(empty?.kind == .wrongLayout)
        unlink("/dev/shm/sem." + name.dropFirst())
        for round in 0..<100 {
            let name = sharedName("msem\(round)")
            let values = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask { @concurrent in try POSIX.Semaphore(named: name, initialValue: 9).value }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(values == [9, 9, 9, 9])
            try POSIX.Semaphore(named: name, opening: .open).remove()
        }
    }

    @Test("Bytes that are no value are an error", arguments: [0x8000_0000, 0xFFFF_FFFF] as [UInt32])
    func damaged(word: UInt32) async throws {
        let name = sharedName("dsem")
        let semaphore = try POSIX.Semaphore(named: name, initialValue: 1)
        defer { try? semaphore.remove() }
        let file = open("/dev/shm/sem." + name.dropFirst(), O_RDWR)
        withUnsafeBytes(of: word) { _ = pwrite(file, $0.baseAddress, 4, 0) }
        close(file)
        let error = #expect(throws: SharedObjectError.self) { try semaphore.value }
        #expect(error?.kind == .damaged)
    }

    @Test("M3: a semaphore whose file is cut short is an error")
    func truncated() async throws {
        let name = sharedName("tsem")
        let semaphore = try POSIX.Semaphore(named: name, initialValue: 1)
        truncate("/dev/shm/sem." + name.dropFirst(), 0)
        let error = #expect(throws: SharedObjectError.self) { try semaphore.value }
        #expect(error?.kind == .truncated)
        await #expect(throws: SharedObjectError.self) { try await semaphore.acquire(timeout: limit) }
        try semaphore.remove()
    }
}

@Suite(.guarded)
struct POSIXMessageQueueTests {
    private let limit = Duration.seconds(20)

    @Test("V14: the most urgent comes first, of those the oldest", arguments: Place.allCases)
    func order(_ place: Place) async throws {
        try await place.run {
            try await POSIX.MessageQueue.withNew(named: sharedName("order")) { queue in
                #expect(queue.capacity == 10 && queue.messageSize == 8192 && queue.wasCreated)
                for (text, priority) in [("b1", 1), ("a", 0), ("c", 32_767), ("b2", 1)] {
                    try await queue.send(text, priority: priority)
                }
                try await queue.send([], priority: 0)
                #expect(try queue.count == 5)
                var texts: [String] = []
                for _ in 0..<5 { texts.append(try await queue.receive().text) }
                #expect(texts == ["c", "b1", "b2", "a", ""])
                #expect(try queue.tryReceive() == nil)
            }
        }
    }

    @Test("V11: full and empty are waited for, within limits, on the loop alone", arguments: Place.allCases)
    func waiting(_ place: Place) async throws {
        try await place.run {
            try await POSIX.MessageQueue.withNew(named: sharedName("wait"), capacity: 2, messageSize: 10) { queue in
                async let first = queue.receive(timeout: limit)
                await Task.yield()
                try await queue.send("one")
                #expect(try await first.text == "one")
                await #expect(throws: TimeoutError.self) { try await queue.receive(timeout: .milliseconds(20)) }
                #expect(try queue.trySend([1]) && queue.trySend([2]) && !queue.trySend([3]))
                await #expect(throws: TimeoutError.self) { try await queue.send([3], timeout: .milliseconds(20)) }
                async let sent: Void = queue.send([3], timeout: limit)
                #expect(try await queue.receive().bytes == [1])
                try await sent
                #expect(try queue.count == 2)
                let task = Task { try await queue.send([4]) }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(try queue.count == 2 && callThreads == 0)
                try await OwnThread.other.run {
                    _ = #expect(throws: TimeoutError.self) { try queue.send([9], timeout: .milliseconds(20)) }
                    let second = try queue.receive(timeout: .seconds(20))
                    #expect(second.bytes == [2])
                    try queue.send([5], priority: 3)
                }
                #expect(try await queue.receive() == .init(priority: 3, bytes: [5]))
            }
        }
    }

    @Test("C's queue of the same name, both ways")
    func foreign() async throws {
        try await POSIX.MessageQueue.withNew(named: sharedName("cqueue")) { queue in
            try await testChild("queue", queue.name, "send", "7", "from C").run()
            #expect(try await queue.receive(timeout: limit) == .init(priority: 7, bytes: Array("from C".utf8)))
            try await queue.send("from Swift", priority: 9)
            #expect(try await testChild("queue", queue.name, "receive").read() == "9 from Swift")
        }
    }

    @Test("V14: names, limits and other sizes are errors that name the limit; too large a message stays with us")
    func refusals() async throws {
        let name = sharedName("limits")
        func refused(_ kind: SharedObjectError.Kind, _ body: () throws -> Void) -> String {
            let error = #expect(throws: SharedObjectError.self, performing: body)
            #expect(error?.kind == kind)
            return error?.detail ?? ""
        }
        func limit(_ name: String) -> Int {
            Int(Folder.text(of: "/proc/sys/fs/mqueue/\(name)")?.dropLast() ?? "") ?? 0
        }
        let most = limit("msg_max")
        if getuid() != 0 {
            let many = refused(.outOfRange) { _ = try POSIX.MessageQueue(named: name, capacity: most + 1) }
            #expect(many.contains("fs.mqueue.msg_max = \(most)"))
        }
        _ = refused(.outOfRange) { _ = try POSIX.MessageQueue(named: name, capacity: 0) }
        _ = refused(.outOfRange) { _ = try POSIX.MessageQueue(named: name, messageSize: 0) }
        _ = refused(.outOfRange) { _ = try POSIX.MessageQueue(named: name, capacity: 1 << 40) }
        _ = refused(.notFound) { _ = try POSIX.MessageQueue(named: name, opening: .open) }
        try await POSIX.MessageQueue.withNew(named: name, capacity: 3, messageSize: 10) { queue in
            _ = refused(.alreadyExists) { _ = try POSIX.MessageQueue(named: name, opening: .create) }
            _ = refused(.wrongSize) { _ = try POSIX.MessageQueue(named: name, capacity: 4) }
            _ = refused(.wrongSize) { _ = try POSIX.MessageQueue(named: name, messageSize: 11) }
            let (there, count) = (try POSIX.MessageQueue(named: name), try queue.count)
            #expect(there.capacity == 3 && there.messageSize == 10 && count == 0)
            let large = refused(.tooLarge) { _ = try queue.trySend([UInt8](repeating: 1, count: 11)) }
            #expect(large == "11 bytes are more than the 10 of the queue")
            _ = refused(.outOfRange) { _ = try queue.trySend([1], priority: 32_768) }
            _ = refused(.outOfRange) { _ = try queue.trySend([1], priority: -1) }
            let none = try queue.tryReceive()
            #expect(none == nil)
            queue.close()
            #expect(throws: SystemError.self) { try queue.trySend([1]) }
        }
        #expect(refused(.notFound) { _ = try POSIX.MessageQueue(named: name, opening: .open) } == "there is none")
    }

    @Test("One opened for one thing alone can do no other")
    func uses() async throws {
        try await POSIX.MessageQueue.withNew(named: sharedName("uses")) { queue in
            let sender = try POSIX.MessageQueue(named: queue.name, opening: .open, for: .sending)
            let receiver = try POSIX.MessageQueue(named: queue.name, opening: .open, for: .receiving)
            try await sender.send("one")
            #expect(throws: SharedObjectError.self) { try sender.tryReceive() }
            #expect(throws: SharedObjectError.self) { try receiver.trySend([1]) }
            #expect(try await receiver.receive().text == "one")
        }
    }

    @Test("A wait ends when this process closes the queue")
    func closing() async throws {
        try await POSIX.MessageQueue.withNew(named: sharedName("closing")) { queue in
            let task = Task { try await queue.receive() }
            await Task.yield()
            queue.close()
            let error = await #expect(throws: SystemError.self) { try await task.value }
            #expect(error?.errno == .canceled)
        }
    }
}

@Suite(.guarded)
struct SingleInstanceTests {
    @Test("S-96, P-22: one is the one; the next is told which, and takes its place when it is killed")
    func one() async throws {
        let name = sharedName("one")
        #expect(try SingleInstance.running(name) == nil)
        for _ in 0..<5 {
            try await withSharer("instance", name) { child in
                let error = #expect(throws: SharedObjectError.self) { _ = try SingleInstance(named: name) }
                #expect(error?.kind == .alreadyRunning && error?.process == child.processID)
                #expect(error?.description == "become instance \(name): process \(child.processID) is the one (EAGAIN)")
                let running = try SingleInstance.running(name)
                #expect(running == child.processID)
            }
            #expect(try SingleInstance.running(name) == nil)
            let here = try SingleInstance(named: name)
            #expect(try SingleInstance.running(name) == .current)
            here.end()
            #expect(access(sharedPath(name), F_OK) != 0)
        }
    }

    @Test("Of many at once one wins, again and again")
    func many() async throws {
        let name = sharedName("many")
        for _ in 0..<50 {
            let winners = await withTaskGroup(of: SingleInstance?.self) { group in
                for _ in 0..<8 { group.addTask { @concurrent in try? SingleInstance(named: name) } }
                return await group.reduce(into: []) { $0.append($1) }
            }.compactMap { $0 }
            #expect(winners.count == 1)
            // Not by letting go: a task that has ended may hold its result for a while longer.
            for winner in winners { winner.end() }
        }
    }
}
