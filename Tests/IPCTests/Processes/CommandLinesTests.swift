// The lines of a program as it writes them: the program lives as long as the loop.
import IPC
import Testing

@Suite(.guarded)
struct CommandLinesTests {
    private func collect(_ lines: CommandLines) async throws -> [String] {
        var seen: [String] = []
        for try await line in lines { seen.append(line) }
        return seen
    }

    @Test("The lines come in order and whole, wherever the loop runs", arguments: Place.allCases)
    func inOrder(_ place: Place) async throws {
        let lines = try await place.run {
            var seen: [String] = []
            for try await line in Command.testChild("slow-lines", 200, 0).lines() { seen.append(line) }
            return seen
        }
        #expect(lines == (1...200).map { "line \($0)" })
    }

    @Test func aLineComesWhenItIsWrittenAndNotAtTheEnd() async throws {
        let child = Command.script(#"echo one; read answer </proc/self/fd/0; echo $answer"#)
        var iterator = child.input(.pipe).lines().makeAsyncIterator()
        #expect(try await iterator.next() == "one")
        #expect(try await iterator.next() == "")
        let endless = Command.script("echo first; exec sleep 1000").lines()
        try await within(.seconds(5)) {
            for try await line in endless {
                #expect(line == "first")
                break
            }
        }
    }

    @Test func formatsAreThoseOfEveryStream() async throws {
        let cat = Command.testChild("cat")
        #expect(try await collect(cat.input("a\r\nb\n\nlast").lines()) == ["a", "b", "", "last"])
        #expect(try await collect(cat.input("a\r\nb\nlast").lines(keepingEnds: true)) == ["a\r\n", "b\n", "last"])
        #expect(try await collect(cat.input([97, 0xFF, 10]).lines(decoding: .repair)) == ["a\u{FFFD}"])
        #expect(try await collect(cat.input("").lines()).isEmpty)
        #expect(try await collect(cat.input("123456\n").lines(limit: 6)) == ["123456"])
    }

    @Test func bytesThatAreNoLineAreAnErrorAndEndTheProgram() async throws {
        for (bytes, kind) in [
            ([97, 10, 0xFF, 10], ReadError.Kind.invalidText), (Array("a\n1234567\n".utf8), .lineTooLong),
        ] {
            let command = Command.script("cat; exec sleep 1000").input(bytes)
            var iterator = command.lines(limit: 6).makeAsyncIterator()
            #expect(try await iterator.next() == "a")
            let error = await failure { _ = try await iterator.next() } as? ReadError
            #expect(error?.kind == kind)
            #expect(error?.line == 2)
            #expect(try await iterator.next() == nil, "after an error there is nothing more")
        }
    }

    @Test("A status other than 0 is an error after the last line, with the end of standard error")
    func failing() async throws {
        var seen: [String] = []
        let command = Command.script(#"echo a; "$0" flood err 20000 ; echo why >&2; echo b; exit 3"#)
        let error = try await #require(throws: CommandError.self) {
            for try await line in command.lines() { seen.append(line) }
        }
        #expect(seen == ["a", "b"])
        #expect(error.kind == .failed)
        #expect(error.status == .exited(3))
        #expect(error.result.error.count == 20_004)
        #expect(error.result.error.text.suffix(10).hasSuffix("why\n"))
        #expect(error.result.error.tail.count == 8 * 1024)
    }

    @Test("Leaving the loop ends the program, be it polite, stubborn or endless", arguments: Place.allCases)
    func leaving(_ place: Place) async throws {
        let scripts = [
            "echo $$; exec sleep 1000", "echo $$; while :; do echo more; done",
            #"trap "" TERM; echo $$; while :; do echo more; done"#,
            #"echo $$; (trap "" TERM; while :; do sleep 0.01; done) & wait"#,
        ]
        let pids = try await place.run {
            var pids: [Int32] = []
            for script in scripts {
                try await within(.seconds(1)) {
                    for try await line in Command.script(script).lines(grace: .milliseconds(50)) {
                        pids.append(Int32(line) ?? 0)
                        break
                    }
                }
            }
            return pids
        }
        #expect(pids.count == scripts.count)
        for pid in pids { #expect(ends(pid)) }
    }

    @Test func aLoopThatThrowsEndsTheProgramToo() async throws {
        var pid: Int32 = 0
        await #expect(throws: Failed.self) {
            for try await line in Command.script("echo $$; exec sleep 1000").lines() {
                pid = Int32(line) ?? 0
                throw Failed()
            }
        }
        #expect(pid > 0 && ends(pid))
    }

    @Test func eachLoopStartsTheProgramAnew() async throws {
        let lines = Command.script("echo $$").lines()
        let (first, second) = (try await collect(lines), try await collect(lines))
        #expect(first.count == 1 && second.count == 1 && first != second)
        _ = lines.makeAsyncIterator()
    }

    @Test func theLimitIsForEachLineAndForTheEndAfterTheLast() async throws {
        let limit = Duration.milliseconds(400) * Watchdog.patience
        let slow = try await collect(Command.testChild("slow-lines", 6, 100_000).lines(timeout: limit))
        #expect(slow.count == 6)
        let child = Command.script("echo a; exec >&-; exec sleep 1000")
        let error = try await #require(throws: TimeoutError.self) { _ = try await collect(child.lines(timeout: limit)) }
        #expect(error.limit == limit)
    }

    @Test("An output that is closed before the end is no end: the status is waited for")
    func closedEarly() async throws {
        let error = try await #require(throws: CommandError.self) {
            _ = try await collect(Command.script("echo a; exec >&- 2>&-; sleep 0.05; exit 4").lines())
        }
        #expect(error.status == .exited(4))
    }
}

struct Failed: Error {}
