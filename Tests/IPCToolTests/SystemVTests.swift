// ipc sem, ipc msg, ipc shm.
import Glibc
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct SystemVTests {
    private let key = "\(0x1e00_0000 | getpid() & 0xffff)"

    @Test("A semaphore is made, found, taken within a limit, held while a program runs, given, removed")
    func semaphores() async throws {
        let made = try await Tool.run("sem", "create", "--key", key)
        #expect(made.output.hasPrefix("created: semaphore set \(key), id "))
        #expect(try await Tool.run("sem", "create", "--key", key).output.hasPrefix("found"))
        #expect(try await Tool.run("sem", "create", "--key", key, "--new").status == 71)
        let held = try await Tool.run("sem", "take", "--key", key, "--", Tool.path, "sem", "create", "--key", key)
        #expect(held.output.hasSuffix(" 1\n"), "it is 1 while the program runs")
        #expect(try await Tool.run("sem", "take", "--key", key).output.hasSuffix(" 1\n"))
        let late = try await Tool.run("sem", "take", "--key", key, "--timeout", "0.05")
        #expect(late.status == 124)
        #expect(late.error == "ipc: take semaphore set \(key): not done within 50 ms\n")
        let failed = try await Tool.run("sem", "give", "--key", key, "--json")
        #expect(failed.output.contains(#""values":[0]"#))
        let status = try await Tool.run("sem", "take", "--key", key, "--", "sh", "-c", "exit 7")
        #expect(status.status == 7)
        #expect(try await Tool.run("sem", "take", "--key", key, "--", "/nonexistent").status == 127)
        #expect(try await Tool.run("sem", "list", "--json").output.contains(#""key":\#(key)"#))
        #expect(try await Tool.run("sem", "remove", "--key", key).status == 0)
        let gone = try await Tool.run("sem", "give", "--key", key)
        #expect(gone.error == "ipc: open semaphore set \(key): there is none (ENOENT); 'ipc sem create' makes one\n")
    }

    @Test("--counting: as many as the value says can hold it")
    func counting() async throws {
        _ = try await Tool.run("sem", "create", "--key", key, "--value", "2")
        for left in [" 1\n", " 0\n"] {
            #expect(try await Tool.run("sem", "take", "--counting", "--key", key).output.hasSuffix(left))
        }
        #expect(try await Tool.run("sem", "take", "--counting", "--key", key, "--timeout", "0.05").status == 124)
        #expect(try await Tool.run("sem", "give", "--counting", "--key", key).output.hasSuffix(" 1\n"))
        _ = try await Tool.run("sem", "remove", "--key", key)
    }

    @Test("Messages go from standard input to standard output, by type")
    func messages() async throws {
        #expect(try await Tool.run("msg", "create", "--key", key).output.hasPrefix("message queue \(key), id "))
        #expect(try await Tool.script("printf one | '\(Tool.path)' msg send --key \(key) --type 5").status == 0)
        #expect(try await Tool.script("printf two | '\(Tool.path)' msg send --key \(key) --type 2").status == 0)
        let listed = try await Tool.run("msg", "list").output.split(separator: "\n").first { $0.hasPrefix("\(key) ") }
        #expect(listed?.contains("2 messages") == true)
        #expect(try await Tool.run("msg", "receive", "--key", key, "--type", "5").output == "one")
        let json = try await Tool.run("msg", "receive", "--key", key, "--type=-9", "--json")
        #expect(json.output == #"{"bytes":3,"text":"two","type":2}"# + "\n")
        #expect(try await Tool.run("msg", "receive", "--key", key, "--timeout", "0.05").status == 124)
        let large = try await Tool.script("head -c 100000 /dev/zero | '\(Tool.path)' msg send --key \(key)")
        #expect(large.error.contains("kernel.msgmax"))
        #expect(try await Tool.run("msg", "remove", "--key", key).status == 0)
        #expect(
            try await Tool.run("msg", "remove", "--key", key).error
                == "ipc: remove message queue \(key): there is none\n")
    }

    @Test("A segment is written and read, and another user's is left alone", .enabled(if: geteuid() == 0))
    func segments() async throws {
        #expect(try await Tool.run("shm", "create", "--key", key, "--size", "100").output.hasSuffix("100 bytes\n"))
        let write = try await Tool.script(
            "printf hello | '\(Tool.path)' shm write --key \(key) --offset 3 --padded-to 20")
        #expect(write.status == 0)
        #expect(try await Tool.run("shm", "read", "--key", key, "--offset", "3", "--text").output == "hello")
        #expect(try await Tool.run("shm", "read", "--key", key).output.utf8.count == 100)
        let outside = try await Tool.run("shm", "read", "--key", key, "--offset", "90", "--count", "11")
        #expect(outside.error.contains("11 bytes at 90 are not inside its 100"))
        let listed = try await Tool.run("shm", "list").output.split(separator: "\n").first { $0.hasPrefix("\(key) ") }
        #expect(listed?.contains("left over") == true)
        let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups '\(Tool.path)'"
        let refused = try await Tool.script("\(nobody) shm remove --key \(key)")
        #expect(refused.status == 71 && refused.error.contains("it belongs to user 0; --force removes it"))
        let forced = try await Tool.script("\(nobody) shm remove --force --key \(key)")
        #expect(
            forced.status == 71 && forced.error.contains("it belongs to user 0, mode 0600 (EPERM)"), "\(forced.error)")
        #expect(try await Tool.run("shm", "remove", "--key", key).status == 0)
    }

    @Test("A key is a number, or a file's")
    func keys() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("key")
            _ = try await Command("touch", file.string).run()
            let key = try SystemV.Key.file(file)
            let made = try await Tool.run("sem", "create", "--key", file.string)
            #expect(made.output.contains("semaphore set \(key), "))
            #expect(try await Tool.run("sem", "remove", "--key", "\(key)").status == 0)
            #expect(try await Tool.run("sem", "create", "--key", "many").status == 64)
        }
    }

    @Test(
        "V1: a limit that is reached is named; another user's object is refused with its owner",
        .enabled(if: geteuid() == 0))
    func refusals() async throws {
        // In a namespace of its own, whose limits concern nobody else.
        let cases = [
            ("sem create --key 1", "sem create --key 2", "echo 250 32000 32 1 >/proc/sys/kernel/sem", "kernel.sem"),
            ("msg create --key 1", "msg create --key 2", "echo 1 >/proc/sys/kernel/msgmni", "kernel.msgmni is 1"),
            (
                "shm create --size 1 --key 1", "shm create --size 1 --key 2", "echo 1 >/proc/sys/kernel/shmmni",
                "kernel.shmmni is 1"
            ),
        ]
        for (first, second, limit, name) in cases {
            let script = "unshare -i sh -c '\(limit) && $0 \(first) >/dev/null && exec $0 \(second)' '\(Tool.path)'"
            let run = try await Tool.script(script)
            #expect(run.status == 71 && run.error.contains(name) && run.error.contains("(ENOSPC)"), "\(run.error)")
        }
        _ = try await Tool.run("sem", "create", "--key", key)
        let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups '\(Tool.path)'"
        let foreign = try await Tool.script("\(nobody) sem take --key \(key)")
        #expect(foreign.error.contains("it belongs to user 0, mode 0600 (EACCES)"), "\(foreign.error)")
        _ = try await Tool.run("sem", "remove", "--key", key)
        #expect(try await Tool.run("msg", "send", "--key", "0").status == 64)
    }
}
