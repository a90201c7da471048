// Message queues of System V: types, sizes, full queues, ends of waits, Perl as the other side.
import Glibc
import SystemPackage
import Testing

@testable import IPC

/// How many threads of this process are inside a call that blocks.
private func callsUnderWay(_ call: String) -> Int {
    // The function of the kernel in which each sleeps.
    let function = call == "msgrcv" ? "do_msgrcv" : "do_msgsnd"
    return Folder.names(in: "/proc/self/task").count { Folder.text(of: "/proc/self/task/\($0)/wchan") == function }
}

@Suite(.guarded)
struct MessageQueueTests {
    private let limit = Duration.seconds(20)

    @Test("V12: messages come by type, by urgency, by any other type, or in order", arguments: Place.allCases)
    func types(_ place: Place) async throws {
        try await place.run {
            try await SystemV.MessageQueue.withNew { queue in
                for (text, type) in [("c", 3), ("a", 1), ("b", 2), ("c2", 3), ("a2", 1), ("", 4)] {
                    try await queue.send(text, type: type)
                }
                #expect(try queue.status.messages == 6)
                #expect(try await queue.receive(.type(3)).text == "c")
                #expect(try await queue.receive(.lowest(upTo: 2)).text == "a")
                #expect(try await queue.receive(.except(1)).text == "b")
                #expect(try await queue.receive() == SystemV.MessageQueue.Message(type: 3, bytes: Array("c2".utf8)))
                #expect(try queue.tryReceive(.type(3)) == nil)
                #expect(try await queue.receive(.lowest(upTo: 9)).text == "a2")
                #expect(try await queue.receive().bytes.isEmpty)
                await #expect(throws: TimeoutError.self) { try await queue.receive(timeout: .milliseconds(10)) }
            }
        }
    }

    @Test("V10: a message that is too large is an error, on either side, and nothing is lost")
    func sizes() async throws {
        try await SystemV.MessageQueue.withNew { queue in
            let most = SystemV.MessageQueue.largestMessage
            let large = await #expect(throws: SystemVError.self) {
                try await queue.send([UInt8](repeating: 0, count: most + 1))
            }
            #expect(large?.kind == .tooLarge)
            #expect(large?.description.contains("kernel.msgmax") == true)
            try await queue.send([UInt8](repeating: 7, count: most))
            let small = await #expect(throws: SystemVError.self) { try await queue.receive(limit: most - 1) }
            #expect(small?.kind == .tooLarge)
            #expect(try await queue.receive(limit: most).bytes.count == most)
            try queue.set(byteLimit: 100)
            let never = await #expect(throws: SystemVError.self) {
                try await queue.send([UInt8](repeating: 7, count: 101), timeout: .seconds(20))
            }
            #expect(never?.kind == .tooLarge, "what the queue never has room for is not waited for")
            let type = await #expect(throws: SystemVError.self) { try await queue.send("x", type: 0) }
            #expect(type?.kind == .outOfRange)
        }
    }

    @Test("V11: a full queue is waited for, within the limit, until there is room", arguments: Place.allCases)
    func full(_ place: Place) async throws {
        try await place.run {
            try await SystemV.MessageQueue.withNew { queue in
                try queue.set(byteLimit: 4)
                try await queue.send("1234")
                #expect(try queue.trySend([1]) == false)
                await #expect(throws: TimeoutError.self) { try await queue.send("5", timeout: .milliseconds(20)) }
                let sender = Task(executorPreference: EventLoop.current) { try await queue.send("5", type: 2) }
                try await untilSomeoneWaits { callsUnderWay("msgsnd") }
                #expect(try await queue.receive().text == "1234")
                try await sender.value
                #expect(try await queue.receive(timeout: .seconds(20)).text == "5")
                #expect(try queue.status.messages == 0)
            }
        }
    }

    @Test(
        "V2, V13: whoever waits for a queue that is removed is told so; a cancelled wait takes nothing",
        arguments: Place.allCases)
    func ends(_ place: Place) async throws {
        try await place.run {
            let queue = try SystemV.MessageQueue(key: .private)
            for _ in 0..<10 {
                let waiter = Task(executorPreference: EventLoop.current) { try await queue.receive(.type(1)) }
                try await untilSomeoneWaits { callsUnderWay("msgrcv") }
                waiter.cancel()
                await #expect(throws: CancellationError.self) { try await waiter.value }
            }
            try await queue.send("still there")
            #expect(try await queue.receive(timeout: .seconds(20)).text == "still there")
            let waiter = Task(executorPreference: EventLoop.current) { try await queue.receive(timeout: .seconds(20)) }
            try await untilSomeoneWaits { callsUnderWay("msgrcv") }
            try queue.remove()
            let error = await #expect(throws: SystemVError.self) { try await waiter.value }
            #expect(error?.kind == .removed)
            let gone = await #expect(throws: SystemVError.self) { try await queue.send("x") }
            #expect(gone?.kind == .removed)
        }
    }

    @Test("The blocking forms wait on the caller's own thread")
    func blocking() async throws {
        let queue = try SystemV.MessageQueue(key: .private)
        defer { try? queue.remove() }
        try queue.set(byteLimit: 4)
        let thread = OwnThread(named: "messages")
        let other = Task {
            try await thread.run { () -> String in
                try queue.send(Array("1234".utf8))
                try queue.send(Array("5678".utf8))
                return try queue.receive(.type(9)).text
            }
        }
        try await untilSomeoneWaits { callsUnderWay("msgsnd") }
        #expect(try await queue.receive(timeout: limit).text == "1234")
        #expect(try await queue.receive(timeout: limit).text == "5678")
        try await untilSomeoneWaits { callsUnderWay("msgrcv") }
        try await queue.send("9", type: 9)
        #expect(try await other.value == "9")
    }

    @Test("P-16, G-42: queues go both ways with Perl, with types")
    func perl() async throws {
        let key = testKey(10)
        let queue = try SystemV.MessageQueue(key: key, opening: .create)
        defer { try? queue.remove() }
        let script = #"""
            $id = msgget($ARGV[0], 0) // die $!;
            msgrcv($id, $got, 100, 5, 0) // die $!;
            ($type, $text) = unpack("l! a*", $got);
            msgsnd($id, pack("l! a*", 6, "$text back"), 0) or die $!;
            """#
        let perl = Task { try await Command("perl", arguments: ["-e", script, "\(key)"]).run() }
        try await queue.send("not for Perl", type: 4)
        try await queue.send("there and", type: 5)
        #expect(try await queue.receive(.type(6), timeout: limit).text == "there and back")
        _ = try await perl.value
        #expect(try await queue.receive().type == 4)
    }

    @Test("Types that cannot be are errors, and are never taken for another selection")
    func selections() async throws {
        try await SystemV.MessageQueue.withNew { queue in
            try await queue.send("somebody else's", type: 7)
            for selection: SystemV.MessageQueue.Selection in [
                .type(0), .type(-7), .except(0), .except(-1), .lowest(upTo: 0), .lowest(upTo: .min),
            ] {
                let error = await #expect(throws: SystemVError.self) { try await queue.receive(selection) }
                #expect(error?.kind == .outOfRange)
            }
            #expect(try queue.tryReceive(limit: .max)?.text == "somebody else's")
            try queue.set(byteLimit: 100)
            let never = #expect(throws: SystemVError.self) { try queue.trySend([UInt8](repeating: 0, count: 101)) }
            #expect(never?.kind == .tooLarge)
            #expect(throws: SystemVError.self) { try SystemV.MessageQueue(key: .private, opening: .open) }
        }
    }

    @Test("Who opens one says whether it may be there")
    func opening() throws {
        let key = testKey(11)
        let missing = #expect(throws: SystemVError.self) { try SystemV.MessageQueue(key: key, opening: .open) }
        #expect(missing?.kind == .notFound)
        let queue = try SystemV.MessageQueue(key: key)
        defer { try? queue.remove() }
        #expect(try SystemV.MessageQueue(key: key, opening: .open) == queue)
        let second = #expect(throws: SystemVError.self) { try SystemV.MessageQueue(key: key, opening: .create) }
        #expect(second?.kind == .alreadyExists)
        #expect(try queue.status.permissions == .ownerReadWrite)
    }
}
