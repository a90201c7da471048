// Semaphores of System V: first values without a race, several steps at once, ends of waits, death of holders, Perl as the other side.
import Glibc
import SystemPackage
import Testing

@testable import IPC

/// A key that no other test of this run has.
func testKey(_ number: Int32) -> SystemV.Key { .number(0x1f00_0000 | (getpid() & 0xffff) << 8 | number) }

/// Until somebody waits. The kernel has no event for that, so it is asked again and again.
func untilSomeoneWaits(_ count: () throws -> Int) async throws {
    while try count() == 0 { try await EventLoop.sleep(until: Deadline(in: .milliseconds(1))) }
}

@Suite(.guarded)
struct SemaphoreTests {
    private let limit = Duration.seconds(20)

    @Test("S-99: taken at zero, given back, for one at a time", arguments: Place.allCases)
    func takeAndGive(_ place: Place) async throws {
        try await place.run {
            try await SystemV.SemaphoreSet.withNew { set in
                try await set.take()
                #expect(try set.value() == 1)
                await #expect(throws: TimeoutError.self) { try await set.take(timeout: .milliseconds(20)) }
                #expect(try set.value() == 1, "what timed out took nothing")
                let waiter = Task(executorPreference: EventLoop.current) { try await set.take(timeout: .seconds(20)) }
                try await untilSomeoneWaits { try set.waitingForZero() }
                try set.give()
                try await waiter.value
                #expect(try set.value() == 1)
                #expect(try set.lastProcess() == .current)
                try set.give()
                let error = #expect(throws: SystemVError.self) { try set.give() }
                #expect(error?.kind == .outOfRange)
                let inside = try await set.withTaken { try set.value() }
                #expect(inside == 1)
                #expect(try set.value() == 0)
            }
        }
    }

    @Test("P and V, several steps at once or none")
    func counting() async throws {
        try await SystemV.SemaphoreSet.withNew(count: 3, initialValue: 2) { set in
            #expect(set.count == 3)
            try await set.acquire(2, from: 1)
            #expect(try set.tryPerform(.decrement(0), .decrement(1)) == false)
            #expect(try set.value(0) == 2, "the first step was not made without the second")
            try await set.perform(.decrement(0), .increment(1, by: 5), .decrement(2, by: 2))
            #expect(try (0..<3).map { try set.value($0) } == [1, 5, 0])
            try set.set(2, to: 32_767)
            let over = #expect(throws: SystemVError.self) { try set.release(to: 2, undoOnExit: false) }
            #expect(over?.kind == .outOfRange)
            let outside = await #expect(throws: SystemVError.self) { try await set.acquire(from: 3) }
            #expect(outside?.kind == .outOfRange)
            let all = try await set.withAcquired(5, from: 1) { try set.value(1) }
            #expect(all == 0)
            #expect(try set.value(1) == 5)
        }
    }

    @Test("The blocking form waits on the caller's own thread, within its limit")
    func blocking() async throws {
        let set = try SystemV.SemaphoreSet(key: .private)
        defer { try? set.remove() }
        let thread = OwnThread(named: "semaphores")
        try await thread.run {
            try set.take()
            #expect(throws: TimeoutError.self) { try set.take(timeout: .milliseconds(10)) }
            try set.give()
            try set.perform(.waitForZero(), .increment(by: 3))
            try set.acquire(3)
        }
        #expect(try set.value() == 0)
    }

    @Test("S-98, V5: of many who make a set at once none sees it without its values")
    func creators() async throws {
        let key = testKey(1)
        for _ in 0..<(isOptimized ? 1000 : 250) {
            let values = try await withThrowingTaskGroup(of: (Int, Bool, Int32).self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let set = try SystemV.SemaphoreSet(key: key, initialValue: 3)
                        return (try set.value(), set.wasCreated, set.id)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(values.allSatisfy { $0.0 == 3 && $0.2 == values[0].2 })
            #expect(values.count { $0.1 } == 1)
            try SystemV.SemaphoreSet(existing: key).remove()
        }
    }

    @Test("S-98: a set that was used keeps its values; one that another program made is taken as it is")
    func found() async throws {
        let key = testKey(2)
        let first = try SystemV.SemaphoreSet(key: key, count: 2, initialValue: 5)
        defer { try? first.remove() }
        try await first.acquire(5, undoOnExit: false)
        let second = try SystemV.SemaphoreSet(key: key, count: 2, initialValue: 5)
        #expect(try (second.value(0), second.value(1)) == (0, 5))
        #expect(!second.wasCreated)
        #expect(try SystemV.SemaphoreSet(existing: key).count == 2)
        #expect(throws: SystemVError.self) { try SystemV.SemaphoreSet(key: key, opening: .create) }
        let wrong = #expect(throws: SystemVError.self) { try SystemV.SemaphoreSet(key: key, count: 5) }
        #expect(wrong?.kind == .wrongSize)
        #expect(wrong?.description.contains("semaphore set \(key)") == true)

        let foreign = testKey(3)
        let script = "$id = semget($ARGV[0], 2, 01600) // die $!; semctl($id, 1, 16, 7) // die $!"  // SETVAL
        try await Command("perl", arguments: ["-e", script, "\(foreign)"]).run()
        let taken = try SystemV.SemaphoreSet(key: foreign, count: 2, initialValue: 1)
        defer { try? taken.remove() }
        #expect(try (taken.value(0), taken.value(1)) == (0, 7))
    }

    @Test("What cannot be is a typed error that says why")
    func refusals() throws {
        func error(_ body: () throws -> Void) -> SystemVError? { #expect(throws: SystemVError.self, performing: body) }
        let none = error { _ = try SystemV.SemaphoreSet(key: testKey(4), count: 0) }
        #expect(none?.kind == .outOfRange)
        #expect(none?.description.contains("at least one") == true)
        #expect(error { _ = try SystemV.SemaphoreSet(key: testKey(4), opening: .open) }?.kind == .notFound)
        let large = error { _ = try SystemV.SemaphoreSet(key: testKey(4), count: 40_000) }
        #expect(large?.description.contains("kernel.sem") == true, "\(String(describing: large))")
        #expect(error { _ = try SystemV.SemaphoreSet(key: testKey(4), initialValue: 32_768) }?.kind == .outOfRange)
        let set = try SystemV.SemaphoreSet(key: testKey(4))
        try set.remove()
        #expect(error { try set.remove() }?.kind == .removed)
        #expect(error { _ = try set.value() }?.kind == .removed)
    }

    @Test("V2: whoever waits for a set that is removed is told so", arguments: Place.allCases)
    func removedWhileWaiting(_ place: Place) async throws {
        try await place.run {
            let set = try SystemV.SemaphoreSet(key: .private)
            let waiter = Task(executorPreference: EventLoop.current) { try await set.acquire(timeout: .seconds(20)) }
            try await untilSomeoneWaits { try set.waitingForIncrease() }
            try set.remove()
            let error = await #expect(throws: SystemVError.self) { try await waiter.value }
            #expect(error?.kind == .removed)
        }
    }

    @Test("V11: a cancelled wait takes nothing and leaves nothing waiting", arguments: Place.allCases)
    func cancelled(_ place: Place) async throws {
        try await place.run {
            try await SystemV.SemaphoreSet.withNew { set in
                for _ in 0..<20 {
                    let waiter = Task(executorPreference: EventLoop.current) { try await set.acquire() }
                    try await untilSomeoneWaits { try set.waitingForIncrease() }
                    waiter.cancel()
                    await #expect(throws: CancellationError.self) { try await waiter.value }
                    #expect(try set.waitingForIncrease() == 0)
                }
                try set.release(undoOnExit: false)
                #expect(try set.value() == 1)
            }
        }
    }

    @Test("V3: what a killed holder had is given back by the kernel; without undo it stays")
    func deadHolder() async throws {
        try await SystemV.SemaphoreSet.withNew { set in
            for (flags, left) in [(0o10000, 0), (0, 1)] {
                let script = """
                    $| = 1; semop($ARGV[0], pack("s3 s3", 0, 0, 0, 0, 1, $ARGV[1])) or die $!;
                    print "taken\\n"; sleep 100
                    """
                let pipe = try AnonymousPipe()
                let holder = try ForeignProcess(
                    "perl", ["-e", script, "\(set.id)", "\(flags)"], output: pipe.writer.descriptor.number)
                #expect(try await pipe.reader.readLine(timeout: limit) == "taken")
                #expect(try set.value() == 1)
                try await holder.end()
                #expect(try set.value() == left)
            }
        }
    }

    @Test("G-39, G-40: Perl takes and Swift gives, and the reverse")
    func perl() async throws {
        let key = testKey(5)
        let set = try SystemV.SemaphoreSet(key: key)
        defer { try? set.remove() }
        let take = #"$id = semget($ARGV[0], 0, 0) // die; semop($id, pack("s*", 0, 0, 0, 0, 1, 0)) or die $!"#
        let give = #"$id = semget($ARGV[0], 0, 0) // die; semop($id, pack("s*", 0, -1, 0)) or die $!"#
        try await Command("perl", arguments: ["-e", take, "\(key)"]).run()
        #expect(try set.tryPerform(.waitForZero()) == false)
        try set.give(undoOnExit: false)
        try await set.take(undoOnExit: false)
        let waiting = Task { try await Command("perl", arguments: ["-e", take, "\(key)"]).run() }
        try await untilSomeoneWaits { try set.waitingForZero() }
        try set.give(undoOnExit: false)
        _ = try await waiting.value
        #expect(try set.value() == 1)
        try await Command("perl", arguments: ["-e", give, "\(key)"]).run()
        #expect(try set.value() == 0)
    }

    @Test("P-24: a file's key is the one that Perl computes")
    func keys() async throws {
        let script = "use IPC::SysV 'ftok'; print ftok($ARGV[0]), ' ', ftok($ARGV[0], 77)"
        let perl = try await Command("perl", arguments: ["-e", script, "/etc/passwd"]).read()
        let ours = try [SystemV.Key.file("/etc/passwd"), .file("/etc/passwd", project: 77)]
        #expect(perl == "\(ours[0]) \(ours[1])")
        let error = #expect(throws: SystemError.self) { try SystemV.Key.file("/nonexistent") }
        #expect(error?.errno == .noSuchFileOrDirectory)
    }

    @Test("A set with values is not taken for one with more, and a foreign one with more is not written to")
    func marks() async throws {
        func kind(_ body: () throws -> Void) -> SystemVError.Kind? {
            (#expect(throws: SystemVError.self, performing: body))?.kind
        }
        let key = testKey(6)
        let set = try SystemV.SemaphoreSet(key: key, count: 2, initialValue: 5)
        #expect(kind { _ = try SystemV.SemaphoreSet(key: key, count: 3) } == .wrongSize)
        #expect(try SystemV.SemaphoreSet(key: key, count: 2).count == 2, "found by who asks for no values too")
        try set.setPermissions([.ownerReadWrite, .groupRead])
        #expect(try set.status.permissions == [.ownerReadWrite, .groupRead])
        #expect(try SystemV.SemaphoreSet(existing: key).count == 2)
        try set.remove()

        let script = "$id = semget($ARGV[0], 3, 01600) // die $!; semctl($id, 1, 16, 2) // die $!"
        try await Command("perl", arguments: ["-e", script, "\(key)"]).run()
        #expect(kind { _ = try SystemV.SemaphoreSet(key: key, count: 2, initialValue: 1) } == .wrongSize)
        let foreign = try SystemV.SemaphoreSet(existing: key)
        defer { try? foreign.remove() }
        #expect(try (0..<3).map { try foreign.value($0) } == [0, 2, 0])
    }

    @Test("A maker who was killed before he gave the values is followed by whoever knows them")
    func halfMade() async throws {
        let key = testKey(7)
        let script = "semget($ARGV[0], 3, 01601) // die $!"  // as a set of two with values, without them
        try await Command("perl", arguments: ["-e", script, "\(key)"]).run()
        let unknown = #expect(throws: SystemVError.self) { try SystemV.SemaphoreSet(existing: key) }
        #expect(unknown?.description.hasSuffix("its maker has not given it its values (EAGAIN)") == true)
        let set = try SystemV.SemaphoreSet(key: key, count: 2, initialValue: 4)
        defer { try? set.remove() }
        #expect(try (set.value(0), set.value(1)) == (4, 4))
    }

    @Test("Amounts and sizes that cannot be are errors, and leave nothing")
    func amounts() async throws {
        try await SystemV.SemaphoreSet.withNew(initialValue: 1) { set in
            for amount in [0, -1, .min, .max, 32_768] {
                let acquired = await #expect(throws: SystemVError.self) { try await set.acquire(amount) }
                let released = #expect(throws: SystemVError.self) { try set.release(amount) }
                #expect(acquired?.kind == .outOfRange && released?.kind == .outOfRange)
            }
            await #expect(throws: SystemVError.self) { try await set.perform() }
            let value = try set.value()
            #expect(value == 1)
            #expect(throws: SystemVError.self) { try SystemV.SemaphoreSet(key: .private, count: .max) }
            #expect(throws: SystemVError.self) { try SystemV.SemaphoreSet(key: .private, count: 600, initialValue: 1) }
            #expect(throws: SystemVError.self) { try SystemV.SemaphoreSet(existing: .private) }
            #expect(throws: SystemVError.self) { try SystemV.SemaphoreSet(key: .private, opening: .open) }
        }
    }
}
