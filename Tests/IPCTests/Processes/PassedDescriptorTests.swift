// Descriptors that a program gets beside the three: each by its number, and no other.
import CIPC
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct PassedDescriptorTests {
    /// All orders of the elements.
    private func permutations<Element>(_ elements: [Element]) -> [[Element]] {
        guard elements.count > 1 else { return [elements] }
        return elements.indices.flatMap { index in
            var rest = elements
            let first = rest.remove(at: index)
            return permutations(rest).map { [first] + $0 }
        }
    }

    /// Files that have their own number as their text.
    private func files(_ count: Int, in folder: FilePath) async throws -> [FilePath] {
        var files: [FilePath] = []
        for number in 0..<count {
            files.append(folder.appending("\(number)"))
            try await Command("echo", number).output(.file(files[number])).run()
        }
        return files
    }

    /// What each of the program's descriptors is open on, and which it has.
    private func seen(by command: Command, _ numbers: [Int32]) async throws -> [String] {
        let links = numbers.map { "/proc/self/fd/\($0)" }
        return try await command.adding(arguments: links).read().split(separator: "\n").map(String.init)
    }

    @Test("P35: five descriptors by the numbers 3 to 7, in every order")
    func everyOrder() async throws {
        try await withTemporaryFolder { folder in
            let files = try await files(5, in: folder)
            let numbers: [Int32] = [3, 4, 5, 6, 7]
            for order in permutations(files) {
                var command = Command("readlink")
                for (file, number) in zip(order, numbers) {
                    command = command.passing(try Descriptor.open(file, for: .read), as: number)
                }
                #expect(try await seen(by: command, numbers) == order.map(\.string))
            }
        }
    }

    @Test("P35: five descriptors change places with each other, in every order")
    func swapped() async throws {
        try await withTemporaryFolder { folder in
            let files = try await files(5, in: folder)
            // In a row where nothing is open, so that each is another one's goal.
            let numbers = (0..<5).map { Int32(600 + $0) }
            for (file, number) in zip(files, numbers) {
                let opened = open(file.string, O_RDONLY | O_CLOEXEC)
                #expect(fcntl(number, F_GETFD) < 0 && fcntl(opened, F_DUPFD_CLOEXEC, number) == number)
                close(opened)
            }
            defer { for number in numbers { close(number) } }
            for order in permutations(Array(0..<5)) {
                var command = Command("readlink")
                for (index, goal) in order.enumerated() {
                    command = command.passing(inherited: numbers[index], as: numbers[goal])
                }
                let expected = (0..<5).map { goal in files[order.firstIndex(of: goal) ?? 0].string }
                #expect(try await seen(by: command, numbers) == expected)
            }
            let same = Command.script("cat <&600; cat <&604", "x").passing(inherited: 600).passing(inherited: 604)
            // dash knows numbers of one digit alone.
            let names = try await seen(
                by: Command("readlink").passing(inherited: 600).passing(inherited: 604), [600, 604])
            #expect(names == [files[0].string, files[4].string] && same.description.contains("600"))
            for number in numbers { #expect(fcntl(number, F_GETFD) == FD_CLOEXEC, "as it was here") }
        }
    }

    @Test("P33, W4: the program has those and no others, whatever is open here", arguments: Place.allCases)
    func noOthers(_ place: Place) async throws {
        let careless = (0..<20).map { _ in open("/dev/null", O_RDONLY) }
        defer { for number in careless { close(number) } }
        try await place.run {
            let pipe = try AnonymousPipe()
            let child = Command.testChild("fds")
            #expect(try await child.passing(pipe.reader, as: 5).passing(pipe.writer, as: 9).read() == "0 1 2 5 9")
            #expect(try await child.passing(inherited: 0, as: 1_000).read() == "0 1 2 1000")
            #expect(try await child.passing(pipe.reader, as: 4).passing(pipe.writer, as: 4).read() == "0 1 2 4")
            let merged = try await child.mergingError().passing(pipe.reader, as: 3).input(.inherit).read()
            #expect(merged == "0 1 2 3")
        }
    }

    @Test("P-18: readers and writers of pipes are read and written there")
    func pipes() async throws {
        let (there, back) = (try AnonymousPipe(), try AnonymousPipe())
        let child = try await Command.script("tr a-z A-Z <&5 >&7").passing(there.reader, as: 5)
            .passing(back.writer, as: 7).start()
        there.reader.close()
        try back.writer.close()
        try await there.writer.write("hello\n")
        try there.writer.close()
        #expect(try await back.reader.readAll(limit: 100) == Array("HELLO\n".utf8))
        #expect(try await child.wait().isSuccess)
    }

    @Test("P36: what is passed is not made non-blocking, here or there")
    func blocking() async throws {
        let pipe = try AnonymousPipe()
        let flags = try await Command.script("sed -n s/flags://p /proc/self/fdinfo/5").passing(pipe.reader, as: 5)
            .read()
        let value = try #require(Int32(flags.filter(\.isNumber), radix: 8))
        #expect(value & O_NONBLOCK == 0)
    }

    @Test func aCommandCanBeStartedManyTimesWithWhatItOwns() async throws {
        try await withTemporaryFolder { folder in
            let files = try await files(2, in: folder)
            let command = Command("readlink", "/proc/self/fd/8").passing(try .open(files[1], for: .read), as: 8)
            for _ in 0..<3 { #expect(try await command.read() == files[1].string) }
            let both = command.piped(to: Command("cat"))
            #expect(try await both.read() == files[1].string)
        }
    }

    @Test(
        "The standard numbers and those that are none are refused", arguments: [-1, 0, 1, 2, 1 << 20, .max] as [Int32])
    func refused(_ number: Int32) async throws {
        let pipe = try AnonymousPipe()
        let error = try await #require(throws: StartError.self) {
            try await Command("true").passing(pipe.reader, as: number).run()
        }
        #expect(error.kind == .invalidArgument)
        #expect("\(error)".contains("true with \(number) as the number of an additional descriptor"))
    }

    @Test("What is not open is not passed, and that is an error")
    func notOpen() async throws {
        let error = await failure { try await Command("true").passing(inherited: 999, as: 5).run() }
        #expect((error as? StartError)?.errno == .badFileDescriptor, "\(String(describing: error))")
        let pipe = try AnonymousPipe()
        pipe.reader.close()
        let closed = await failure { try await Command("true").passing(pipe.reader, as: 5).run() }
        #expect(closed is StartError || closed is SystemError, "\(String(describing: closed))")
    }
}

extension Command {
    fileprivate func adding(arguments: [String]) -> Command {
        arguments.reduce(self) { $0.adding($1) }
    }
}
