// A program that is read and written at the same time, over pipes and over a pair of sockets.
import CIPC
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct TwoWayTests {
    static let transports: [TwoWayTransport] = [.pipes, .socketPair]

    @Test("S-45: questions and answers", arguments: transports, Place.allCases)
    func ask(_ transport: TwoWayTransport, _ place: Place) async throws {
        try await place.run {
            let numbered = try await Command("cat", "-u", "-n").withPipes(over: transport) { cat in
                var answers: [String] = []
                for word in ["stuff", "", "more"] { answers.append(try await cat.ask(word)) }
                return answers
            }
            #expect(numbered == ["     1\tstuff", "     2\t", "     3\tmore"])
            let loud = try await Command.testChild("upcase").withPipes(over: transport) { child in
                #expect(child.name == "TestChild" && child.processID.exists)
                return try await child.ask("quiet", deadline: Deadline(in: .seconds(20)))
            }
            #expect(loud == "QUIET")
        }
    }

    @Test("S-43: the manual's calculator", .enabled(if: ForeignProcess.exists("bc")), arguments: transports)
    func calculator(_ transport: TwoWayTransport) async throws {
        let answer = try await Command("bc", "-l").withPipes(over: transport) { bc in
            try await bc.standardInput.write("2^10\n")
            let first = try await bc.standardOutput.readLine()
            return [first, try await bc.ask("3*4"), try await bc.ask("scale=2; 1/3")]
        }
        #expect(answer == ["1024", "12", ".33"])
    }

    @Test(
        "P21, H-12: ten megabytes each way and ten of complaints, read in any order", arguments: transports,
        ["write out err", "write err out", "err write out", "err out write", "out write err"])
    func large(_ transport: TwoWayTransport, _ order: String) async throws {
        let input = floodedBytes(10_000_000)
        let program = Command.testChild("flood-then-cat", 10_000_000).error(.pipe)
        let (out, err) = try await program.withPipes(over: transport) { pipes in
            let errors = try #require(pipes.standardError)
            var (out, err): ([UInt8], [UInt8]) = ([], [])
            // As much as the program has written before it reads.
            func read(_ reader: ByteReader) async throws -> [UInt8] {
                var bytes: [UInt8] = []
                while bytes.count < 10_000_000 { bytes += try await reader.read(upTo: 10_000_000 - bytes.count) }
                return bytes
            }
            for step in order.split(separator: " ") {
                switch step {
                case "write":
                    try await pipes.standardInput.write(input)
                    try pipes.standardInput.close()
                case "err": err = try await read(errors)
                default: out = try await read(pipes.standardOutput)
                }
            }
            out += try await pipes.standardOutput.readAll(limit: 20_000_000)
            return (out, err)
        }
        expectSame(err, input)
        expectSame(out, input + input)
    }

    @Test(
        "S-43: its standard error goes to the error, to a reader, or to where the command says", arguments: transports)
    func complaints(_ transport: TwoWayTransport) async throws {
        let program = Command.script("echo why >&2; cat; exit 5")
        let error = try await #require(throws: CommandError.self) {
            try await program.withPipes(over: transport) { pipes in #expect(pipes.standardError == nil) }
        }
        #expect(error.kind == .failed && error.status == .exited(5))
        #expect(error.result.error.text == "why\n")
        let read = try await program.error(.pipe).unchecked().withPipes(over: transport) {
            try await $0.standardError?.readLine()
        }
        #expect(read == "why")
        let merged = try await program.mergingError().unchecked().withPipes(over: transport) {
            try await $0.standardOutput.readLine()
        }
        #expect(merged == "why")
    }

    @Test("What the body has not read is dropped, also of a program that never stops", arguments: transports)
    func unread(_ transport: TwoWayTransport) async throws {
        let line = try await within(.seconds(5)) {
            try await Command("yes").withPipes(over: transport) { try await $0.standardOutput.readLine() }
        }
        #expect(line == "y")
        try await within(.seconds(5)) {
            try await Command.testChild("flood", "out", 500_000).withPipes(over: transport) { _ in }
            try await Command("true").withPipes(over: transport) { _ in }
        }
    }

    @Test("P24: what the program leaves behind delays nobody", arguments: transports)
    func grandchild(_ transport: TwoWayTransport) async throws {
        for (verb, lives) in [("grandchild", false), ("grandchild-session", true)] {
            let rest = try await within(.seconds(3)) {
                try await Command.testChild(verb, 1_000).withPipes(over: transport) {
                    try await $0.standardOutput.readAll(limit: 1_000)
                }
            }
            let pid = try #require(Int32(String(decoding: rest, as: UTF8.self).dropLast()))
            if lives { dispatch(pid) } else { #expect(ends(pid)) }
        }
    }

    @Test func aSignalReachesTheProgram() async throws {
        let program = Command.script(#"trap "echo got; exit 0" USR1; echo ready; while :; do sleep 0.01; done"#)
        let lines = try await program.withPipes { pipes in
            let first = try await pipes.standardOutput.readLine()
            try pipes.send(.user1)
            return [first, try await pipes.standardOutput.readLine()]
        }
        #expect(lines == ["ready", "got"])
    }
}
