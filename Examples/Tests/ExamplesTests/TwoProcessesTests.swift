// The examples in which two processes talk to each other, or keep out of each other's way.
import IPC
import Testing

@Suite("Two processes")
struct TwoProcessesTests {
    @Test("G-08: a lock that is free is taken at once")
    func lockFree() async throws {
        try await withFolder { folder in
            let run = try await Example.run("lock-wait", folder.appending("lock").string)
            #expect(run.output.hasPrefix("locked, on "))
            #expect(run.status == 0)
        }
    }

    @Test("G-08: a lock that is held is waited for within the limit, and the status says that it passed")
    func lockHeld() async throws {
        try await withFolder { folder in
            let file = folder.appending("lock")
            let run = try await FileLock.exclusive(on: file) { try await Example.run("lock-wait", file.string, "1") }
            #expect(run.output == "lock \(file): not done within 1 s\n")
            #expect(run.status == 75)
        }
    }

    @Test("G-16: a command in the background shares our output, and its status is learned")
    func background() async throws {
        let run = try await Example.run("background")
        #expect(run.lines.contains("in the background"))
        #expect(run.lines.contains { $0.starts(with: /started process [0-9]+/) })
        #expect(run.lines.last == "it exited with status 3")
    }

    @Test("G-21: who is asked and flushes answers; who does not is an error within the limit")
    func open2() async throws {
        let run = try await Example.run("open2-cat")
        #expect(
            run.lines == [
                "got      1\tstuff",
                "ask tr: no answer within 500 ms; it probably buffers its output, and would not on a terminal",
                "got STUFF",
            ])
        #expect(run.status == 0)
    }

    @Test("G-42: a pair of pipes goes to a copy of the program and back")
    func pipePair() async throws {
        let run = try await Example.run("pipe-pair")
        let first = try #require(
            run.output.wholeMatch(
                of:
                    /Parent (\d+) just read this: 'Child (\d+) is sending this to its parent'\nChild (\d+) just read this: 'Parent (\d+) is sending this'\n/
            ))
        #expect(first.1 == first.4)
        #expect(first.2 == first.3)
        #expect(first.1 != first.2)
    }

    @Test("G-42: one socket pair serves both ways")
    func socketPair() async throws {
        let run = try await Example.run("socket-pair")
        let match = try #require(
            run.output.wholeMatch(
                of: /Parent (\d+) just read this: Child (\d+) has read 'Parent (\d+) is sending this'\n/))
        #expect(match.1 == match.3)
        #expect(match.1 != match.2)
    }

    @Test("G-18: nobody opens what nobody may, and is refused the rest")
    func safeWriter() async throws {
        try await withFolder { folder in
            let (open, closed) = (folder.appending("open"), folder.appending("closed"))
            try await Command("mkdir", "-m", "777", open).run(timeout: limit)
            try await Command("mkdir", "-m", "700", closed).run(timeout: limit)
            try await Command("chmod", "711", folder).run(timeout: limit)
            let files = [open, closed].map { $0.appending("file") }
            let run = try await Example.run("safe-writer", files[0].string, files[1].string)
            #expect(run.lines.count == 2)
            guard try await Command("id", "-u").read() == "0" else {
                // Only root may become nobody.
                #expect(run.lines.allSatisfy { $0.contains("(EPERM)") })
                return
            }
            #expect(run.lines.first == "\(files[0]): written")
            #expect(run.lines.last?.hasSuffix("open \(files[1]): permission denied (EACCES)") == true)
            #expect(try await Command("stat", "-c", "%U %a", files[0]).read() == "nobody 600")
            #expect(try await Command("cat", files[0]).read() == "some data")
            #expect(try await Command("ls", closed).read() == "")
        }
    }
}
