// The list of what goes by a name.
import Glibc
import SystemPackage
import Testing

@testable import IPC

@Suite(.guarded)
struct NamedObjectTests {
    private func find(_ name: String, _ kind: NamedObject.Kind) throws -> NamedObject? {
        try NamedObject.all(of: [kind]).first { $0.name == name }
    }

    @Test("V8: each kind is listed with whose it is, who uses it and who holds it, and removed from the list")
    func kinds() async throws {
        let name = sharedName("listed")
        let memory = try SharedMemory(named: name, size: 100)
        let listed = try #require(try find(name, .memory))
        #expect(listed.size == 100 && listed.userID == getuid() && listed.users == [.current] && listed.holder == nil)
        #expect(listed.permissions == .ownerReadWrite)
        memory.close()
        #expect(try find(name, .memory)?.users == [])
        try listed.remove()
        #expect(throws: SharedObjectError.self) { try listed.remove() }
        #expect(try find(name, .memory) == nil)

        try await SharedVariable.withNew(named: name, initialValue: 1) { _ in
            let size = try find(name, .variable)?.size
            #expect(size == 4096)
        }
        let isListed = try await POSIX.Semaphore.withNew(named: name) { _ in try find(name, .semaphore) != nil }
        #expect(isListed)
        try await RobustLock.withNew(named: name) { lock in
            try await withSharer("hold", name) { child in
                let held = try find(name, .lock)
                #expect(held?.holder == child.processID && held?.isPoisoned == false)
                #expect(Set(held?.users ?? []) == [child.processID, .current])
            }
            await #expect(throws: SharedObjectError.self) { try await lock.withLock {} }
            #expect(try find(name, .lock)?.isPoisoned == true)
        }
        let instance = try SingleInstance(named: name)
        #expect(try find(name, .instance)?.holder == .current)
        instance.end()
        #expect(try NamedObject.all().allSatisfy { $0.name != name })
    }

    @Test("Queues are listed where their folder is mounted")
    func queues() async throws {
        try await POSIX.MessageQueue.withNew(named: sharedName("listedq")) { queue in
            try await queue.send("hello")
            let listed = try find(queue.name, .queue)
            if NamedObject.listsQueues {
                #expect(listed?.size == 5 && listed?.userID == getuid())
            } else {
                #expect(listed == nil)
            }
        }
    }
}
