// The lock that survives its holder: alone, told of the dead, poisoned and repaired, named in time-outs.
import Glibc
import SystemPackage
import Testing

@testable import IPC

@Suite(.guarded)
struct RobustLockTests {
    private let limit = Duration.seconds(20)

    /// Kills a process that holds the lock, and returns when it is gone.
    private func killHolder(_ verb: String, _ name: String) async throws -> ProcessID {
        try await withSharer(verb, name) { $0.processID }
    }

    @Test("One at a time, whoever waits", arguments: Place.allCases)
    func alone(_ place: Place) async throws {
        try await place.run {
            try await RobustLock.withNew(named: sharedName("alone")) { lock in
                let inside = Counter()
                let runs = Log<Int>()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<20 {
                        group.addTask {
                            for _ in 0..<20 {
                                try await lock.withLock(timeout: limit) {
                                    runs.add(inside.add())
                                    inside.add(-1)
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(runs.entries == [Int](repeating: 1, count: 400))
                #expect(lock.holder == nil && !lock.isPoisoned)
            }
        }
    }

    @Test("On threads that are not asynchronous, and if it is free alone")
    func blocking() async throws {
        try await RobustLock.withNew(named: sharedName("blocking")) { lock in
            try await OwnThread.shared.run {
                #expect(try lock.withLock { lock.holder } == .current)
                try lock.withLock(timeout: .seconds(20)) {
                    let error = #expect(throws: SharedObjectError.self) { try lock.withLock {} }
                    #expect(error?.kind == .deadlock)
                    let second = #expect(throws: SharedObjectError.self) { try lock.tryWithLock {} }
                    #expect(second?.kind == .deadlock)
                }
            }
            try await withSharer("hold", lock.name) { child in
                #expect(try lock.tryWithLock { true } == nil)
                try await OwnThread.shared.run {
                    let error = #expect(throws: TimeoutError.self) { try lock.withLock(timeout: .milliseconds(20)) {} }
                    #expect(error?.subject.contains("held by process \(child.processID) (TestSharers)") ?? false)
                }
            }
        }
    }

    @Test("M1: the next learns that the holder died, and repairs; without a repair it is poisoned until one comes")
    func repair() async throws {
        try await RobustLock.withNew(named: sharedName("repair")) { lock in
            let dead = try await killHolder("hold", lock.name)
            let repaired = Log<ProcessID?>()
            let result = try await lock.withLock(repairing: { who in repaired.add(who) }) { 7 }
            #expect(result == 7 && repaired.entries == [dead])
            try await lock.withLock {}
            let second = try await killHolder("hold", lock.name)
            let died = await #expect(throws: SharedObjectError.self) { try await lock.withLock { Issue.record("ran") } }
            #expect(died?.kind == .holderDied && died?.process == second)
            #expect(
                died?.description
                    == "lock lock \(lock.name): process \(second) died while it had it, and nobody has repaired what it left (EOWNERDEAD)"
            )
            let poisoned = await #expect(throws: SharedObjectError.self) {
                try await lock.withLock { Issue.record("ran") }
            }
            #expect(poisoned?.kind == .poisoned && poisoned?.process == second && lock.isPoisoned)
            struct Broken: Error {}
            await #expect(throws: Broken.self) {
                try await lock.withLock(repairing: { _ in throw Broken() }) { Issue.record("ran") }
            }
            #expect(lock.isPoisoned)
            try await lock.withLock(repairing: { #expect($0 == second) }) {}
            #expect(!lock.isPoisoned)
            try await lock.withLock {}
        }
    }

    @Test("M2: whoever is killed while it repairs leaves that to the next")
    func repairKilled() async throws {
        try await RobustLock.withNew(named: sharedName("repair2")) { lock in
            _ = try await killHolder("hold-unrepaired", lock.name)
            _ = try await killHolder("repair", lock.name)
            let count = Counter()
            try await lock.withLock(repairing: { _ in count.add() }) {}
            #expect(count.value == 1)
        }
    }

    @Test("M1: who waits when the holder is killed gets it at once, a hundred times, and nobody is left out")
    func waiters() async throws {
        try await RobustLock.withNew(named: sharedName("waiters")) { lock in
            var times: [Duration] = []
            for _ in 0..<(isOptimized ? 100 : 25) {
                let killed = Log<ContinuousClock.Instant>()
                let waiting = Latch(count: 3)
                times += try await withThrowingTaskGroup(of: Duration?.self) { group in
                    try await withSharer("hold", lock.name) { child in
                        for _ in 0..<3 {
                            group.addTask { @concurrent in
                                waiting.open()
                                let end = try await lock.withLock(timeout: .seconds(20), repairing: { _ in }) {
                                    ContinuousClock.now
                                }
                                return killed.entries.first.map { end - $0 }
                            }
                        }
                        await waiting.wait()
                        killed.add(.now)
                        try child.send(.kill)
                    }
                    return try await group.reduce(into: []) { $0.append($1 ?? .zero) }
                }
            }
            times.sort()
            #expect(times[times.count * 9 / 10] < .milliseconds(200), "\(times)")
        }
    }

    @Test("M14: a time-out names the holder, and says that it is stopped")
    func stopped() async throws {
        try await RobustLock.withNew(named: sharedName("stopped")) { lock in
            try await withSharer("hold", lock.name) { child in
                #expect(lock.holder == child.processID)
                try child.send(.stop)
                while try ProcessRecord(of: child.processID).state != .stopped { await Task.yield() }
                let error = await #expect(throws: TimeoutError.self) {
                    try await lock.withLock(timeout: .milliseconds(50)) {}
                }
                #expect(
                    error?.description
                        == "lock lock \(lock.name), held by process \(child.processID) (TestSharers), which is stopped: not done within 50 ms"
                )
                try child.send(.resume)
            }
        }
    }

    @Test("V11: a wait that is cancelled, or whose time is up, takes nothing and leaves no thread")
    func cancelled() async throws {
        try await RobustLock.withNew(named: sharedName("cancelled")) { lock in
            try await withSharer("hold", lock.name) { _ in
                let tasks = (0..<20).map { _ in Task { @concurrent in try await lock.withLock { Issue.record("ran") } }
                }
                for task in tasks { task.cancel() }
                for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
                await #expect(throws: TimeoutError.self) { try await lock.withLock(timeout: .milliseconds(20)) {} }
                await #expect(throws: TimeoutError.self) { try await lock.withLock(timeout: .zero) {} }
            }
            try await lock.withLock(repairing: { _ in }) {}
        }
    }

    @Test("A body that has begun is not interrupted by the cancellation of its task")
    func bodyGoesOn() async throws {
        try await RobustLock.withNew(named: sharedName("goes-on")) { lock in
            let (begun, done, held) = (Latch(), Latch(), Latch())
            let holding = Task { @concurrent in
                try await OwnThread.shared.run {
                    try lock.withLock {
                        held.open()
                        while !hasCallThread() { sched_yield() }
                    }
                }
            }
            await held.wait()
            let task = Task { @concurrent in
                // Contended, so that it runs on a thread of its own.
                try await lock.withLock {
                    begun.open()
                    usleep(50_000)
                    done.open()
                }
            }
            try await holding.value
            await begun.wait()
            task.cancel()
            try? await task.value
            #expect(done.isOpen)
            try await lock.withLock {}
        }
    }

    @Test("M11: a child that a C library forks ends without giving back what it does not have")
    func forked() async throws {
        try await RobustLock.withNew(named: sharedName("forked")) { lock in
            try await OwnThread.shared.run {
                try lock.withLock {
                    let child = fork()
                    if child == 0 { _exit(0) }
                    var status: Int32 = 0
                    #expect(waitpid(child, &status, 0) == child && status == 0)
                    #expect(lock.holder == .current)
                }
            }
            #expect(lock.holder == nil && !lock.isPoisoned)
            try await lock.withLock {}
        }
    }

    @Test("M3: a lock whose file is cut short is an error for the next who wants it, and no SIGBUS")
    func truncated() async throws {
        let lock = try RobustLock(named: sharedName("cut"))
        defer { unlink(sharedPath(lock.name)) }
        // Whoever waits for it meanwhile is refused as well, so this body was alone.
        try await lock.withLock { _ = truncate(sharedPath(lock.name), 0) }
        let after = await #expect(throws: SharedObjectError.self) { try await lock.withLock { Issue.record("ran") } }
        #expect(after?.kind == .truncated)
        try await RobustLock.withNew(named: sharedName("other")) { try await $0.withLock {} }
    }

    @Test("M5: every byte of a lock set to 0x00, 0xFF and others: a typed error, a time-out or the lock, never a hang")
    func everyByte() async throws {
        let name = sharedName("bytes")
        let lock = try RobustLock(named: name)
        defer { try? lock.remove() }
        let memory = try SharedMemory(existing: name)
        let good = try memory.read(count: memory.size)
        var generator = Chance(seed: 10)
        let repaired: @Sendable (ProcessID?) throws -> Void = { _ in }
        var refused = 0
        for place in Array(0..<72) + Array(4016..<4096) {
            for byte in [0x00, 0xFF, UInt8.random(in: .min ... .max, using: &generator)] {
                try memory.write(good)
                try memory.write([byte], at: place)
                for opens in [false, true] {
                    do {
                        let lock = opens ? try RobustLock(named: name) : lock
                        try await lock.withLock(timeout: .milliseconds(500), repairing: repaired) {}
                    } catch is SharedObjectError { refused += 1 } catch is TimeoutError {}
                }
            }
        }
        try memory.write(good)
        #expect(refused > 100)
        try await lock.withLock {}
    }

    @Test("Another kind of object, and what is none of ours, are refused")
    func foreign() throws {
        let name = sharedName("foreign")
        func refused(_ kind: SharedObjectError.Kind) {
            let error = #expect(throws: SharedObjectError.self) { _ = try RobustLock(named: name) }
            #expect(error?.kind == kind, "\(error.map(String.init(describing:)) ?? "")")
        }
        let variable = try SharedVariable(named: name, initialValue: 1)
        refused(.wrongLayout)
        try variable.remove()
        for size in [0, 1, 4095, 4096, 100_000] {
            let file = open(sharedPath(name), O_CREAT | O_RDWR, 0o600)
            ftruncate(file, size)
            close(file)
            refused(.wrongLayout)
            unlink(sharedPath(name))
        }
    }
}

/// Whether a call that blocks is under way.
private func hasCallThread() -> Bool {
    Folder.names(in: "/proc/self/task").contains {
        Folder.text(of: "/proc/self/task/\($0)/wchan")?.contains("futex") ?? false
            && Folder.text(of: "/proc/self/task/\($0)/comm") == "ipc-call\n"
    }
}
