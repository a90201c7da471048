// Locks on files: within limits, one holder at a time, nothing left of a wait that was given up.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct FileLockTests {
    @Test("S-16: a lock that is held is not had within the limit, and is had afterwards", arguments: Place.allCases)
    func limit(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            try await place.run {
                let held = try await FileLock.acquire(.exclusive, on: path)
                let error = await failure {
                    try await FileLock.exclusive(on: path, timeout: .milliseconds(20)) { _ = Issue.record("not ours") }
                }
                #expect((error as? TimeoutError)?.description == "lock \(path): not done within 20 ms")
                let deadline = await failure {
                    try await FileLock.exclusive(on: path, deadline: Deadline(in: .milliseconds(5))) {}
                }
                #expect(deadline is TimeoutError)
                held.release()
                let value = try await FileLock.exclusive(on: path, timeout: .seconds(10)) { 7 }
                #expect(value == 7)
            }
        }
    }

    @Test("S-16: limits inside each other, the earlier counts", arguments: Place.allCases)
    func nested(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            try await place.run {
                let held = try await FileLock.acquire(.exclusive, on: path)
                for (outer, inner) in [(5, 60_000), (60_000, 5)] {
                    let error = await failure {
                        try await Deadline(in: .milliseconds(outer)).run {
                            try await FileLock.exclusive(on: path, timeout: .milliseconds(inner)) {}
                        }
                    }
                    #expect((error as? TimeoutError)?.limit == .milliseconds(5))
                }
                held.release()
            }
        }
    }

    @Test("S-16: a hundred wait at once, and each has it alone", arguments: Place.allCases)
    func oneAfterTheOther(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            for kind in [FileLock.Kind.wholeFile, .record] {
                let (inside, entered) = (Counter(), Counter())
                try await place.run {
                    let held = try await FileLock.acquire(.exclusive, on: path, kind: kind)
                    let tasks = (0..<100).map { _ in
                        Task(executorPreference: EventLoop.current) {
                            try await FileLock.exclusive(on: path, kind: kind, timeout: .seconds(50)) {
                                check(inside.add() == 1, "alone")
                                await Task.yield()
                                inside.add(-1)
                                entered.add()
                            }
                        }
                    }
                    while CallThread.count < 100 { await Task.yield() }
                    #expect(entered.value == 0)
                    held.release()
                    for task in tasks { try await task.value }
                }
                #expect(entered.value == 100)
            }
        }
    }

    @Test(
        "S-16: a hundred whose limit passes leave no thread blocked and take no lock later", arguments: Place.allCases)
    func allTooLate(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            try await place.run {
                let held = try await FileLock.acquire(.exclusive, on: path)
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<100 {
                        group.addTask {
                            let limit = Duration.milliseconds(50 + number % 10)
                            return await failure { try await FileLock.exclusive(on: path, timeout: limit) {} }
                                is TimeoutError
                        }
                    }
                    for try await isLate in group { #expect(isLate) }
                }
                held.release()
                for _ in 0..<100 {
                    try check(isFree(path), "nobody has it")
                }
            }
        }
    }

    @Test("S-16: a wait that is cancelled leaves nothing behind", arguments: Place.allCases)
    func cancelled(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            try await place.run {
                let held = try await FileLock.acquire(.shared, on: path)
                let before = Leftovers.descriptors().count
                let tasks = (0..<20).map { number in
                    Task(executorPreference: EventLoop.current) {
                        try await FileLock.exclusive(on: path) { _ = Issue.record("not ours: \(number)") }
                    }
                }
                while CallThread.count < 20 { await Task.yield() }
                for task in tasks { task.cancel() }
                for task in tasks { #expect(await failure { try await task.value } is CancellationError) }
                #expect(Leftovers.descriptors().count == before)
                held.release()
                #expect(try isFree(path))
            }
        }
    }

    @Test("S-16: what ends the body gives the lock back", arguments: Place.allCases)
    func body(_ place: Place) async throws {
        struct Own: Error {}
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            try await place.run {
                for kind in [FileLock.Kind.wholeFile, .record, .record(5..<6)] {
                    #expect(
                        await failure { try await FileLock.exclusive(on: path, kind: kind) { throw Own() } } is Own)
                    #expect(await failure { try await FileLock.shared(on: path, kind: kind) { throw Own() } } is Own)
                    let entered = Latch()
                    let task = Task(executorPreference: EventLoop.current) {
                        try await FileLock.exclusive(on: path, kind: kind) {
                            entered.open()
                            try await Task.sleep(for: .seconds(1_000))
                        }
                    }
                    await entered.wait()
                    let isFreeMeanwhile = try isFree(path, kind)
                    #expect(!isFreeMeanwhile)
                    task.cancel()
                    #expect(await failure { try await task.value } is CancellationError)
                    let isFreeAgain = try isFree(path, kind)
                    #expect(isFreeAgain)
                }
            }
        }
    }

    @Test func sharedOnesShareAndExclusiveOnesDoNot() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            for kind in [FileLock.Kind.wholeFile, .record] {
                let one = try await FileLock.acquire(.shared, on: path, kind: kind, timeout: .zero)
                let other = try await FileLock.acquire(.shared, on: path, kind: kind, timeout: .seconds(10))
                #expect(one.mode == .shared && other.path == path)
                #expect(try !isFree(path, kind))
                one.release()
                #expect(try !isFree(path, kind))
                other.release()
                let alone = try await FileLock.acquire(.exclusive, on: path, kind: kind, timeout: .zero)
                #expect(try !isFree(path, kind, for: .shared))
                alone.release()
            }
        }
    }

    @Test func rangesAreLockedOneByOne() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.lock")
            let first = try await FileLock.acquire(.exclusive, on: path, kind: .record(0..<10), timeout: .zero)
            #expect(try !isFree(path, .record(9..<20)))
            #expect(try !isFree(path, .record))
            let second = try await FileLock.acquire(.exclusive, on: path, kind: .record(10..<20), timeout: .zero)
            let whole = try await FileLock.acquire(.exclusive, on: path, timeout: .zero)
            let error = await failure {
                try await FileLock.shared(on: path, kind: .record(15..<Int64.max), timeout: .milliseconds(5)) {}
            }
            #expect(error is TimeoutError)
            first.release()
            second.release()
            whole.release()
            #expect(try isFree(path, .record))
        }
    }
}

/// Whether the lock could be had at the moment.
func isFree(_ path: FilePath, _ kind: FileLock.Kind = .wholeFile, for mode: FileLock.Mode = .exclusive) throws -> Bool {
    let lock =
        switch mode {
        case .shared: try FileLock.tryShared(on: path, kind: kind)
        case .exclusive: try FileLock.tryExclusive(on: path, kind: kind)
        }
    return lock != nil
}
