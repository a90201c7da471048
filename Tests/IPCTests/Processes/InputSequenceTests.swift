// One input over files, standard input and commands.
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct InputSequenceTests {
    private func write(_ text: String, to path: String) async throws {
        let file = try ByteWriter(.open(FilePath(path), for: .replace))
        try await file.write(text)
        try file.close()
    }

    private func lines(_ input: InputSequence) async throws -> [String] {
        var seen: [String] = []
        for try await line in input.lines() {
            seen.append("\(line.source):\(line.number):\(line.overallNumber):\(line.text)")
        }
        return seen
    }

    private func copied(_ input: InputSequence) async throws -> (bytes: [UInt8], failures: [InputFailure]) {
        let pipe = try AnonymousPipe()
        async let bytes = pipe.reader.readAll(limit: 16 << 20)
        let failures = try await input.copy(to: pipe.writer)
        try pipe.writer.close()
        return (try await bytes, failures)
    }

    @Test(
        "S-26: files and commands are one input; each line knows its source, its number there and over all",
        arguments: Place.allCases)
    func inOrder(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            try await write("one\ntwo", to: "\(folder)/f1")
            try await write("", to: "\(folder)/empty")
            try await write("three\r\n", to: "\(folder)/f2")
            let input = InputSequence(
                ["\(folder)/f1", "printf 'x\\ny\\n'|", FilePath("\(folder)/empty"), "\(folder)/f2"], commands: .allowed)
            let seen = try await place.run {
                var seen: [String] = []
                for try await line in input.lines() {
                    seen.append("\(line.number) \(line.overallNumber) \(line.text) \(line.source.kind)")
                }
                return seen
            }
            #expect(seen == ["1 1 one file", "2 2 two file", "1 3 x command", "2 4 y command", "1 5 three file"])
            #expect(input.failures.isEmpty)
            #expect(input.sources.map(\.kind) == [.file, .command, .file, .file])
            #expect(input.sources[1].description == "printf 'x\\ny\\n'|")
            let again = try await copied(input)
            #expect(String(decoding: again.bytes, as: UTF8.self) == "one\ntwox\ny\nthree\r\n")
        }
    }

    @Test("S-26, P-17: a name is a file's unless commands are allowed, whatever it looks like")
    func safe() async throws {
        try await withTemporaryFolder { folder in
            let names = ["touch owned|", "|touch owned", ">owned", "<owned", "touch owned |", " -", "-|", "|"]
            for name in names { try await write("in \(name)\n", to: "\(folder)/\(name)") }
            let paths = names.map { "\(folder)/\($0)" }
            #expect(try await copied(InputSequence(paths)).bytes == Array(names.map { "in \($0)\n" }.joined().utf8))
            let commands = InputSequence(["echo a|", "|", "echo b |", "|echo c", "echo d| "], commands: .allowed)
            #expect(commands.sources.map(\.kind) == [.command, .file, .command, .file, .file])
            #expect(InputSequence(["-", "--", "- "]).sources.map(\.kind) == [.standardInput, .file, .file])
            #expect(InputSequence([]).sources.map(\.kind) == [.standardInput])
            let missing = InputSequence(["touch \(folder)/owned|"])
            #expect(try await lines(missing).isEmpty)
            #expect((missing.failures.first?.error as? SystemError)?.errno == .noSuchFileOrDirectory)
            #expect(access("\(folder)/owned", F_OK) != 0)
        }
    }

    @Test("S-26: what cannot be read is reported with its source, and the rest is read")
    func failures() async throws {
        try await withTemporaryFolder { folder in
            try await write("good\n", to: "\(folder)/good")
            let names: [any ProgramArgument] = [
                "\(folder)/missing", folder, "\(folder)/good", "echo part; exit 3|", "kill -9 $$|",
                "no-such-program-at-all 2>/dev/null|",
                "a\0b", [UInt8](repeating: 97, count: 300), "\(folder)/good",
            ]
            let input = InputSequence(names, commands: .allowed)
            var seen: [String] = []
            for try await line in input.lines() { seen.append(line.text) }
            #expect(seen == ["good", "part", "good"])
            let errnos = input.failures.map { ($0.error as? SystemError)?.errno }
            #expect(
                errnos == [
                    .noSuchFileOrDirectory, .isDirectory, nil, nil, nil, .noSuchFileOrDirectory, .fileNameTooLong,
                ])
            let statuses = input.failures.compactMap { ($0.error as? CommandError)?.status }
            #expect(statuses == [.exited(3), .signalled(.kill, coreDumped: false), .exited(127)])
            #expect(input.failures.map(\.source.kind) == [.file, .file, .command, .command, .command, .file, .file])
            #expect(input.failures[0].description == "open \(folder)/missing: no such file or directory (ENOENT)")
            #expect(input.failures[1].description == "read \(folder): is a directory (EISDIR)")
            #expect(input.failures[2].description == "echo part; exit 3|: exited with status 3")
            let copy = try await copied(input)
            #expect(String(decoding: copy.bytes, as: UTF8.self) == "good\npart\ngood\n")
            #expect(copy.failures.count == 7 && input.failures.count == 14)
        }
    }

    @Test("Leaving the loop, an error and a cancellation end the command that runs", arguments: Place.allCases)
    func leaving(_ place: Place) async throws {
        let pids = try await place.run {
            var pids: [Int32] = []
            let left = InputSequence(["echo $$; sleep 1000|", "echo never|"], commands: .allowed)
            for try await line in left.lines() {
                pids.append(Int32(line.text) ?? 0)
                break
            }
            let invalid = InputSequence(["echo $$; printf '\\377\\n'; sleep 1000|"], commands: .allowed)
            let error = await failure {
                for try await line in invalid.lines() { pids.append(Int32(line.text) ?? 0) }
            }
            #expect((error as? ReadError)?.kind == .invalidText)
            let slow = InputSequence(["echo $$; sleep 1000|"], commands: .allowed)
            let limit = Duration.milliseconds(300) * Watchdog.patience
            let timeout = await failure {
                for try await line in slow.lines(timeout: limit) { pids.append(Int32(line.text) ?? 0) }
            }
            #expect(timeout is TimeoutError)
            let pipe = try AnonymousPipe()
            let copying = Task { try await slow.copy(to: pipe.writer) }
            pids.append(Int32(try await pipe.reader.readLine() ?? "") ?? 0)
            copying.cancel()
            #expect(await failure { _ = try await copying.value } is CancellationError)
            return pids
        }
        #expect(pids.count == 4)
        for pid in pids { #expect(pid > 0 && ends(pid)) }
    }

    @Test("The output's reader leaves: that is thrown, and the command is ended")
    func brokenPipe() async throws {
        let pipe = try AnonymousPipe()
        let input = InputSequence(["echo $$; while :; do echo more; done|", "/dev/null"], commands: .allowed)
        let copying = Task { try await input.copy(to: pipe.writer) }
        let pid = Int32(try await pipe.reader.readLine() ?? "") ?? 0
        pipe.reader.close()
        let error = await failure { _ = try await copying.value } as? SystemError
        #expect(error?.errno == .brokenPipe)
        #expect(pid > 0 && ends(pid))
        #expect(input.failures.isEmpty)
    }

    @Test("A FIFO is opened without waiting, and its writer is waited for", arguments: Place.allCases)
    func fifo(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/fifo"
            #expect(mkfifo(path, 0o600) == 0)
            defer { unlink(path) }
            try await place.run {
                let limit = Duration.milliseconds(100)
                let error = await failure {
                    for try await _ in InputSequence([path]).lines(timeout: limit) { Issue.record("a line") }
                }
                #expect(error is TimeoutError)
                let late = await failure {
                    _ = try await InputSequence([path]).copy(to: .standardError, timeout: limit)
                }
                #expect(late is TimeoutError)
                let reading = Task {
                    var seen: [String] = []
                    for try await line in InputSequence([path, "echo after|"], commands: .allowed).lines() {
                        seen.append(line.text)
                    }
                    return seen
                }
                try await Command.shell("echo first >\(path)").run(timeout: .seconds(20))
                let seen = try await reading.value
                #expect(seen == ["first", "after"])
                let empty = Task { try await InputSequence([path]).copy(to: .standardError) }
                try await Command.shell(": >\(path)").run(timeout: .seconds(20))
                #expect(try await empty.value.isEmpty)
            }
        }
    }

    @Test("Memory is bounded: a line beyond the limit is an error, and much is copied in blocks")
    func limits() async throws {
        let input = InputSequence(["head -c 2000000 /dev/zero|"], commands: .allowed)
        let error = await failure { for try await _ in input.lines(decoding: .repair) {} } as? ReadError
        #expect(error?.kind == .lineTooLong)
        #expect(try await copied(input).bytes.count == 2_000_000)
    }

    @Test("A process that a command leaves behind is not waited for, and not left")
    func leftBehind() async throws {
        let input = InputSequence(["sleep 1000 & echo $!|"], commands: .allowed)
        let seen = try await within(.seconds(5)) { try await lines(input) }
        let pid = seen.first.flatMap { Int32($0.split(separator: ":").last ?? "") } ?? 0
        #expect(pid > 0 && ends(pid))
        #expect(input.failures.isEmpty)
    }
}
