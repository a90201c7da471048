// ipc sem, ipc msg, ipc shm with --name.
import Glibc
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct NamedObjectCommandTests {
    private let name = "/ipc-tool-\(getpid())"

    @Test("A semaphore with a name counts: taken within a limit, held while a program runs, listed, removed")
    func semaphores() async throws {
        #expect(
            try await Tool.run("sem", "create", "--name", name, "--value", "1").output
                == "created: semaphore \(name), 1\n")
        #expect(try await Tool.run("sem", "create", "--name", name).output == "found: semaphore \(name), 1\n")
        #expect(try await Tool.run("sem", "create", "--name", name, "--new").status == 71)
        let held = try await Tool.run("sem", "take", "--name", name, "--", Tool.path, "sem", "create", "--name", name)
        #expect(held.output == "found: semaphore \(name), 0\n")
        #expect(try await Tool.run("sem", "take", "--name", name).output == "taken: semaphore \(name), 0\n")
        let late = try await Tool.run("sem", "take", "--name", name, "--timeout", "0.05")
        #expect(late.status == 124 && late.error == "ipc: acquire semaphore \(name): not done within 50 ms\n")
        let given = try await Tool.run("sem", "give", "--name", name, "--json")
        #expect(given.output == #"{"created":false,"name":"\#(name)","value":1}"# + "\n")
        #expect(try await Tool.run("sem", "list").output.contains("\(name) "))
        #expect(try await Tool.run("sem", "list", "--json").output.contains(#""name":"\#(name)""#))
        for words in ["--index 1", "--no-undo", "--key 1"] {
            #expect(try await Tool.script("'\(Tool.path)' sem give --name \(name) \(words)").status == 64)
        }
        #expect(try await Tool.run("sem", "remove", "--name", name).status == 0)
        #expect(
            try await Tool.run("sem", "remove", "--name", name).error
                == "ipc: remove semaphore \(name): there is none\n")
        #expect(
            try await Tool.run("sem", "give", "--name", name).error
                == "ipc: open semaphore \(name): there is none (ENOENT); 'ipc sem create' makes one\n")
        #expect(
            try await Tool.run("sem", "give", "--name", "/a/b").error.contains(
                "a name has a slash at its beginning or none"))
    }

    @Test("Messages of a queue with a name: the most urgent first; limits are named to who is not root")
    func messages() async throws {
        let made = try await Tool.run("msg", "create", "--name", name, "--capacity", "3", "--message-size", "100")
        #expect(made.output == "message queue \(name), 3 messages of up to 100 bytes\n")
        for (text, priority) in [("low", 1), ("high", 5)] {
            let sent = try await Tool.script(
                "printf \(text) | '\(Tool.path)' msg send --name \(name) --priority \(priority)")
            #expect(sent.status == 0)
        }
        #expect(try await Tool.run("msg", "receive", "--name", name).output == "high")
        let json = try await Tool.run("msg", "receive", "--name", name, "--json")
        #expect(json.output == #"{"bytes":3,"priority":1,"text":"low"}"# + "\n")
        #expect(try await Tool.run("msg", "receive", "--name", name, "--timeout", "0.05").status == 124)
        let large = try await Tool.script("head -c 101 /dev/zero | '\(Tool.path)' msg send --name \(name)")
        #expect(
            large.error
                == "ipc: send to message queue \(name): 101 bytes are more than the 100 of the queue (EMSGSIZE)\n")
        #expect(try await Tool.run("msg", "send", "--name", name, "--type", "1").status == 64)
        #expect(try await Tool.run("msg", "receive", "--name", name, "--type", "1").status == 64)
        #expect(try await Tool.run("msg", "list").status == 0)
        if geteuid() == 0 {
            let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups '\(Tool.path)'"
            let other = try await Tool.script("\(nobody) msg remove --name \(name)")
            #expect(other.status == 71)
            let many = try await Tool.script("\(nobody) msg create --name \(name)-many --capacity 100000")
            #expect(many.error.contains("fs.mqueue.msg_max = "), "\(many.error)")
        }
        #expect(try await Tool.run("msg", "remove", "--name", name).status == 0)
        #expect(try await Tool.run("msg", "remove", "--name", name).status == 71)
    }

    @Test("A number that processes share is added to, and looked at")
    func count() async throws {
        for value in ["1\n", "2\n"] { #expect(try await Tool.run("shm", "count", "--name", name).output == value) }
        #expect(
            try await Tool.run("shm", "count", "--name", name, "--by=-5", "--json").output == #"{"value":-3}"# + "\n")
        let over = try await Tool.run("shm", "count", "--name", name, "--by=\(Int.min)")
        #expect(over.status == 71 && over.error.hasPrefix("ipc: add to shared variable \(name): it would be more"))
        #expect(try SharedVariable(named: name, initialValue: 0).value == -3)
        #expect(try await Tool.run("shm", "remove", "--name", name).status == 0)
    }

    @Test("Memory with a name is written and read; what is a variable or a lock is shown and not written over")
    func memory() async throws {
        let made = try await Tool.run("shm", "create", "--name", name, "--size", "100")
        #expect(made.output == "shared memory \(name), 100 bytes\n")
        let write = try await Tool.script(
            "printf hello | '\(Tool.path)' shm write --name \(name) --offset 3 --padded-to 20")
        #expect(write.status == 0)
        #expect(try await Tool.run("shm", "read", "--name", name, "--offset", "3", "--text").output == "hello")
        #expect(try await Tool.run("shm", "read", "--name", name).output.utf8.count == 100)
        let listed = try await Tool.run("shm", "list").output.split(separator: "\n").first { $0.hasPrefix(name) }
        #expect(listed?.hasSuffix("shared memory, used by nobody") == true)
        #expect(try await Tool.run("shm", "remove", "--name", name).status == 0)
        try await SharedVariable.withNew(named: name, initialValue: 1) { _ in
            let refused = try await Tool.script("printf x | '\(Tool.path)' shm write --name \(name)")
            #expect(refused.error == "ipc: write shared variable \(name): its program alone knows what it holds\n")
            let listed = try await Tool.run("shm", "list").output.split(separator: "\n").first { $0.hasPrefix(name) }
            #expect(listed?.hasSuffix("shared variable, used by \(getpid())") == true)
        }
        if geteuid() == 0 {
            let memory = try SharedMemory(named: name, size: 10)
            let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups '\(Tool.path)'"
            let read = try await Tool.script("\(nobody) shm read --name \(name)")
            #expect(read.error == "ipc: open shared memory \(name): it belongs to user 0, mode 0600 (EACCES)\n")
            let remove = try await Tool.script("\(nobody) shm remove --name \(name)")
            #expect(remove.error.contains("it belongs to user 0; --force removes it"))
            try memory.remove()
        }
    }
}
