// No more descriptors: a start that gets half of what it needs gives that back and says so.
import Glibc
import IPC
import Testing

@Suite struct ResourceLimitTests {
    @Test("P18: when descriptors run out half-way, all are closed again", .guarded)
    func descriptorsRunOut() async throws {
        let (status, output) = try await InnerRun.of("startsWithFewDescriptors")
        #expect(status == 0, "\(output)")
        #expect(output.contains("1 test"))
    }

    /// In a process of its own, whose limit it lowers. Free descriptors are added one by one until the start succeeds.
    @Test(.inner) func startsWithFewDescriptors() async throws {
        let attempt: @Sendable () async throws -> Void = {
            let result = try await Command.testChild("flood-then-cat", 100_000).input("in").capture()
            #expect(result.output.count == 100_002)
            #expect(result.error.count == 100_000)
        }
        _ = try EventLoop.shared
        try await attempt()
        try await runOnLoop(attempt)
        try await sweep { try await attempt() }
        try await sweep { try await runOnLoop(attempt) }
        try await sweep { try await Command.testChild("echo").input(.discard).output(.discard).error(.discard).run() }
    }

    private func sweep(_ attempt: () async throws -> Void) async throws {
        let before = Leftovers.descriptors()
        let taken = Set(before.compactMap { Int($0.key.split(separator: " ")[1]) })
        let usual = descriptorLimit(nil)
        var (refused, succeeded) = (0, 0)
        for free in 0..<14 {
            let limit = (3..<10_000).filter { !taken.contains($0) }[free]
            _ = descriptorLimit(limit)
            let error = await failure(of: attempt)
            _ = descriptorLimit(usual)
            switch error {
            case let error as StartError:
                #expect(error.kind == .resourceLimit, "\(free) free: \(error)")
                #expect(error.errno == .tooManyOpenFiles, "\(free) free: \(error)")
                refused += 1
            case let error as SystemError:
                #expect(error.errno == .tooManyOpenFiles && error.subject != "", "the loop itself: \(error)")
            case nil: succeeded += 1
            default: Issue.record("\(free) free: \(String(describing: error))")
            }
            #expect(Leftovers.children().isEmpty, "\(free) free")
            #expect(Set(Leftovers.descriptors()).subtracting(before).isEmpty, "\(free) free")
        }
        #expect(refused >= 3)
        #expect(succeeded >= 1)
    }
}

/// Lowers the limit of descriptors, and raises it again; the limit that was.
private func descriptorLimit(_ count: Int?) -> Int {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit)
    let former = Int(limit.rlim_cur)
    limit.rlim_cur = rlim_t(count ?? former)
    setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit)
    return former
}
