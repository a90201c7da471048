// Where a program's standard streams come from and go to.
import CIPC
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct CommandStreamsTests {
    private func content(_ file: FilePath) -> String? { Folder.text(of: file.string) }

    @Test func aFileIsInput() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("in")
            try await Command.testChild("echo", "text").output(.file(file)).run()
            #expect(try await Command.testChild("cat").input(.file(file)).read() == "text")
        }
    }

    @Test func aFileIsMadeForItsOwnerAloneAndReplacedOrAddedTo() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("out")
            try await Command.testChild("echo", "a long first line").output(.file(file)).run()
            var status = stat()
            stat(file.string, &status)
            #expect(status.st_mode & 0o7777 == 0o600)
            try await Command.testChild("echo", "second").output(.file(file)).run()
            #expect(content(file) == "second\n")
            try await Command.testChild("echo", "third").output(.file(file, .append)).run()
            #expect(content(file) == "second\nthird\n")
            let shared = folder.appending("shared")
            let permissions = FilePermissions(rawValue: 0o644)
            try await Command.testChild("echo").output(.file(shared, .create, permissions: permissions)).run()
            stat(shared.string, &status)
            #expect(status.st_mode & 0o7777 == 0o644)
        }
    }

    @Test func bothOutputsGoToFilesOfTheirOwn() async throws {
        try await withTemporaryFolder { folder in
            let (out, err) = (folder.appending("out"), folder.appending("err"))
            try await Command.script("echo o; echo e >&2").output(.file(out)).error(.file(err)).run()
            #expect(content(out) == "o\n")
            #expect(content(err) == "e\n")
        }
    }

    @Test func mergedOutputsKeepTheOrderOfWriting() async throws {
        let script = Command.script("for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done").mergingError()
        let expected = (1...5).map { "out \($0)\nerr \($0)\n" }.joined()
        let result = try await script.capture()
        #expect(result.output.text == expected)
        #expect(result.error.count == 0)
        try await withTemporaryFolder { folder in
            let file = folder.appending("both")
            try await script.output(.file(file)).run()
            #expect(content(file) == expected)
        }
        #expect(try await script.output(.discard).capture().output.count == 0)
    }

    @Test func aDescriptorIsAStreamAndClosesWithTheCommand() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("file")
            let number: Int32
            do {
                let descriptor = try Descriptor.open(file, for: .replace)
                number = descriptor.withRawDescriptor { $0 }
                let command = Command.script("echo o; echo e >&2").output(.descriptor(descriptor)).mergingError()
                try await command.run()
                try await command.run()
            }
            #expect(content(file) == "o\ne\no\ne\n", "the copies of a command share the open file and its offset")
            #expect(fcntl(number, F_GETFD) < 0 || Folder.target(of: "/proc/self/fd/\(number)") != file.string)
            let input = Command.testChild("cat").input(.descriptor(try Descriptor.open(file, for: .read)))
            #expect(try await input.read() == "o\ne\no\ne")
            #expect(try await input.read() == "", "the offset is shared as well")
        }
    }

    @Test("P36: a descriptor that is lent keeps its flags, and a child's pipe ends are blocking")
    func flags() async throws {
        let flags = try await Command.script("for n in 0 1 2; do grep flags /proc/self/fdinfo/$n; done").input("x")
            .capture()
        // The middle digit is O_NONBLOCK's: 04000.
        for line in flags.output.text.split(separator: "\n") {
            let value = Int32(line.split(separator: "\t").last ?? "", radix: 8) ?? -1
            #expect(value >= 0 && value & Int32(O_NONBLOCK) == 0, "\(line)")
        }
    }

    @Test func discardedStreamsAreEmptyAndSwallowEverything() async throws {
        #expect(try await Command.testChild("cat").input(.discard).read() == "")
        #expect(try await Command.testChild("cat").read() == "", "without an input there is nothing to read")
        try await Command.testChild("flood", "both", 1_000_000).output(.discard).error(.discard).run()
    }

    @Test func bytesAreInputForEveryForm() async throws {
        let command = Command.testChild("cat").input("one\ntwo\n")
        #expect(try await command.read() == "one\ntwo")
        #expect(try await command.capture().output.text == "one\ntwo\n")
        var lines: [String] = []
        for try await line in command.lines() { lines.append(line) }
        #expect(lines == ["one", "two"])
        try await withTemporaryFolder { folder in
            let file = folder.appending("out")
            try await command.output(.file(file)).run()
            #expect(content(file) == "one\ntwo\n")
        }
        let child = try await command.output(.pipe).start()
        #expect(try await child.standardOutput?.readAll(limit: 100) == Array("one\ntwo\n".utf8))
        #expect(try await child.wait().isSuccess)
    }

    @Test("Pipes that a form does not hand out are served: written ones read, those to read closed")
    func pipesNobodyAskedFor() async throws {
        let cat = Command.testChild("cat").input(.pipe)
        #expect(try await cat.read() == "")
        for try await _ in cat.lines() { Issue.record("a line from nowhere") }
        try await cat.run(timeout: .seconds(10))
        let loud = Command.testChild("flood", "both", 200_000).output(.pipe).error(.pipe)
        let result = try await loud.run(timeout: .seconds(10))
        #expect(result.output.count == 200_000)
        #expect(result.error.count == 200_000)
        try await loud.withInput(timeout: .seconds(10)) { _ in }
    }
}
