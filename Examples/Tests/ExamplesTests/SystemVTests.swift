// The examples of System V, with Perl as the other side.
import Glibc
import IPC
import Testing

@Suite("System V")
struct SystemVTests {
    @Test("G-37: a segment is made, written, read and gone")
    func shm() async throws {
        let run = try await Example.run("shm-demo")
        #expect(run.lines.count == 3)
        #expect(run.lines.dropFirst().first == "same")
        let id = run.lines.first.flatMap { $0.split(separator: " ").last }.flatMap { Int32($0) }
        #expect(try SystemV.objects(of: [.segment]).contains { $0.id == id } == false)
    }

    @Test("G-38, G-39, G-40: made, taken and given, by the examples and by Perl in turns")
    func semaphores() async throws {
        let key = "\(getpid())"
        defer { try? SystemV.SemaphoreSet(existing: .number(getpid())).remove() }
        #expect(try await Example.run("sem-give", key).output == "open semaphore set \(key): there is none (ENOENT)\n")
        #expect(try await Example.run("sem-create", key).output.hasPrefix("created \(key), id "))
        #expect(try await Example.run("sem-create", key).output.hasPrefix("found \(key), id "))
        #expect(try await Example.run("sem-take", key).output == "taken \(key)\n")
        let late = try await Example.run("sem-take", key, "1")
        #expect(late.output == "take semaphore set \(key): not done within 1 s\n")
        #expect(late.status == 75)
        let give = "$id = semget($ARGV[0], 0, 0) // die; semop($id, pack('s*', 0, -1, 0)) or die"
        try await Command("perl", arguments: ["-e", give, key]).run()
        #expect(try await Example.run("sem-take", key).status == 0)
        #expect(try await Example.run("sem-give", key).output == "given \(key)\n")
        let early = try await Example.run("sem-give", key)
        #expect(early.status == 71)
    }

    @Test("S-96: eight processes add to one variable, and none is lost")
    func counter() async throws {
        #expect(try await Example.run("shared-counter").output == "eight processes have counted to 80000\n")
        #expect(try NamedObject.all().contains { $0.name.hasPrefix("/shared-counter-") } == false)
    }

    @Test("G-42: a message goes into a queue and comes out by its type")
    func msg() async throws {
        #expect(try await Example.run("msg-demo").output == "1234 message\n")
    }
}
