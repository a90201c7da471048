// The path from clone to exec, below what commands ask of it: descriptors in every order.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct SpawnTests {
    private func start(_ mappings: [(source: Int32, target: Int32)], _ arguments: [String]) throws -> StartedProcess {
        try SpawnRequest(
            name: "TestChild", path: Array(TestChild.path.utf8),
            arguments: (["TestChild"] + arguments).map { Array($0.utf8) },
            environment: nil, directory: nil,
            mappings: mappings.map { ipc_spawn_mapping(source: $0.source, target: $0.target) }, group: 0,
            terminal: -1, controllingTerminal: -1, setup: ChildSetup()
        ).start()
    }

    private func end(of process: StartedProcess) -> IPC.ExitStatus? {
        #expect(ends(process.processID.rawValue))
        let status = ChildEnd.take(process.descriptor.number)?.status
        process.descriptor.close()
        return status
    }

    /// All orders of the elements.
    private func permutations<Element>(_ elements: [Element]) -> [[Element]] {
        guard elements.count > 1 else { return [elements] }
        return elements.indices.flatMap { index in
            var rest = elements
            let first = rest.remove(at: index)
            return permutations(rest).map { [first] + $0 }
        }
    }

    @Test("P35: five descriptors arrive in every order, over each other's numbers")
    func permuted() async throws {
        try await withTemporaryFolder { folder in
            // Files that tell their number, on descriptors that are in a row as far as the kernel has them so.
            let numbers = (0..<5).map { fcntl(0, F_DUPFD_CLOEXEC, 40 + Int32($0)) }
            defer { for number in numbers { close(number) } }
            for (index, number) in numbers.enumerated() {
                let file = open(folder.appending("\(index)").string, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
                dup2(file, number)
                close(file)
            }
            let report = open(folder.appending("report").string, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            defer { close(report) }
            let program = try #require(Command.which("readlink"))
            let words = ["readlink"] + numbers.map { "/proc/self/fd/\($0)" }
            var expected = ""
            for order in permutations(numbers) {
                let mappings = zip(order, numbers).map { ipc_spawn_mapping(source: $0, target: $1) }
                let standard = [(0, 0), (report, 1), (2, 2)].map {
                    ipc_spawn_mapping(source: Int32($0), target: Int32($1))
                }
                let process = try SpawnRequest(
                    name: "readlink", path: program.argumentBytes, arguments: words.map { Array($0.utf8) },
                    environment: nil,
                    directory: nil, mappings: standard + mappings, group: -1, terminal: -1, controllingTerminal: -1,
                    setup: ChildSetup()
                ).start()
                #expect(end(of: process) == .exited(0))
                for number in order { expected += "\(folder)/\(number - numbers[0])\n" }
            }
            #expect(Folder.text(of: folder.appending("report").string) == expected)
        }
    }

    @Test("P35: 0, 1 and 2 change places, and one file serves several numbers")
    func standardStreams() async throws {
        var (reader, writer): (Int32, Int32) = (-1, -1)
        try #require(ipc_pipe(&reader, &writer) == 0)
        defer { close(reader) }
        let process = try start([(0, 2), (writer, 0), (writer, 1), (writer, 7)], ["fds"])
        #expect(end(of: process) == .exited(0))
        close(writer)
        #expect(Folder.rest(of: reader) == "0 1 2 7\n")
    }

    @Test("A source that is not open is an error for all but 0 to 2, and then nothing has run")
    func closedSource() throws {
        let closed = fcntl(0, F_DUPFD_CLOEXEC, 60)
        close(closed)
        let error = try #require(throws: StartError.self) { _ = try start([(0, 0), (closed, 5)], ["fds"]) }
        #expect(error.errno == .badFileDescriptor)
        #expect(error.operation == "hand descriptors to")
        #expect(end(of: try start([(closed, 0), (1, 1), (2, 2)], ["exit", "3"])) == .exited(3))
    }

    @Test("More descriptors than there is room for are refused, and not cut off")
    func tooMany() throws {
        let mappings = (0..<257).map { (source: Int32(0), target: Int32(3 + $0)) }
        let error = try #require(throws: StartError.self) { _ = try start(mappings, ["fds"]) }
        #expect(error.errno == .argListTooLong)
        #expect(end(of: try start([(0, 0), (2, 1), (2, 2)] + mappings.prefix(253), ["exit", "0"])) == .exited(0))
    }
}
