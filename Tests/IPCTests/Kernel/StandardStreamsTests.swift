// Standard input, output and error, each in a process of its own that was started with something else there.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct StandardStreamsTests {
    /// What standard input is, as a shell makes it, and what comes of reading it.
    enum Input: String, CaseIterable, Sendable {
        case pipe = #"printf 'one\ntwo\n' | "$@""#
        case file = #"f=$(mktemp); printf 'one\ntwo\n' >"$f"; "$@" <"$f"; s=$?; rm "$f"; exit $s"#
        case null = #"exec "$@" </dev/null"#
        case slowPipe = #"(printf 'one\nt'; sleep 0.05; printf 'wo\n') | "$@""#

        var outcome: String {
            switch self {
            case .pipe, .file, .slowPipe: "2 lines"
            case .null: "0 lines"
            }
        }
    }

    @Test(arguments: Input.allCases)
    func standardInputIsReadWhateverItIs(_ input: Input) async throws {
        let (status, output) = try await InnerRun.of("inProcessThatReadsItsInput", script: input.rawValue)
        #expect(status == 0, "\(output)")
        #expect(output.contains("standard input: \(input.outcome)\n"), "\(output)")
        #expect(output.contains("and standard error\n"))
    }

    @Test func streamsThatTheProgramWasStartedWithoutAreEBADF() async throws {
        let (status, output) = try await InnerRun.of("inProcessWithoutInputAndOutput")
        #expect(status == 0, "\(output)")
    }

    @Test("P34: foreign code that opens a file never gets 0, 1 or 2 of a program that was started without them")
    func theNumbersOfAbsentStreamsAreTaken() async throws {
        let (status, output) = try await InnerRun.of(
            "inProcessWhoseNumbersAreTaken", script: #"exec "$@" <&- >&- 2>&-"#)
        #expect(status == 0, "\(output)")
    }

    @Test func aReaderOfStandardOutputThatHasLeftIsAnErrorAndNotADeathS10() async throws {
        let (status, output) = try await InnerRun.of("inProcessWhoseOutputNobodyReads")
        #expect(status == 0, "\(output)")
    }
}

struct StandardStreamsInnerTests {
    /// On the shared streams nothing is changed for others, whatever is done with them here.
    private func expectUntouched() {
        for number: Int32 in 0...2 {
            let flags = ipc_get_status_flags(number)
            #expect(flags < 0 || flags & IPC_O_NONBLOCK == 0, "P36: \(number) is shared")
        }
    }

    @Test(.inner, .timeLimit(.minutes(1))) func inProcessWhoseNumbersAreTaken() {
        let bare = Glibc.open("/dev/null", O_RDWR)
        defer { close(bare) }
        var byte: UInt8 = 0
        let (reads, writes) = (read(0, &byte, 1), [write(1, "x", 1), write(2, "x", 1)])
        // Standard output is no place to say it, so the status has to.
        let isRight = bare > 2 && reads == -1 && writes == [-1, -1]
        if !isRight { _exit(3) }
        #expect(isRight)
    }

    @Test(.inner, .timeLimit(.minutes(1))) func inProcessThatReadsItsInput() async throws {
        _ = try await runOnLoop { try await ByteReader.standardInput.readLine() }
        expectUntouched()
        for try await _ in ByteReader.standardInput.lines() { expectUntouched() }
        try await ByteWriter.standardOutput.write("standard input: \(ByteReader.standardInput.linesRead) lines\n")
        try await ByteWriter.standardError.write("and standard error\n")
        expectUntouched()
        ByteReader.standardInput.close()
        try ByteWriter.standardOutput.close()
        #expect(fcntl(0, F_GETFD) >= 0 && fcntl(1, F_GETFD) >= 0, "closing the object leaves the descriptor open")
        #expect((await failure { try await ByteWriter.standardOutput.write("x") } as? SystemError)?.errno == .canceled)
    }

    @Test(.inner, .timeLimit(.minutes(1))) func inProcessWithoutInputAndOutput() async throws {
        let saved = dup(1)
        for number: Int32 in 0...1 { close(number) }
        let read = await failure { _ = try await ByteReader.standardInput.readLine() }
        let write = await failure { try await ByteWriter.standardOutput.write("x") }
        dup2(saved, 1)
        #expect(read as? SystemError == SystemError("read", on: "standard input", .badFileDescriptor))
        #expect(write as? SystemError == SystemError("write", on: "standard output", .badFileDescriptor))
    }

    @Test(.inner, .serialized, .timeLimit(.minutes(1)), arguments: Place.allCases)
    func inProcessWhoseOutputNobodyReads(_ place: Place) async throws {
        signal(SIGPIPE, SIG_DFL)
        let saved = dup(1)
        var (reader, writer): (Int32, Int32) = (-1, -1)
        try #require(ipc_pipe(&reader, &writer) == 0)
        dup2(writer, 1)
        for number in [reader, writer] { close(number) }
        let output = ByteWriter(.borrowing(1, writing: true, subject: "standard output"))
        let error = try await place.run { await failure { try await output.write("x") } }
        dup2(saved, 1)
        close(saved)
        #expect(error as? SystemError == SystemError("write", on: "standard output", .brokenPipe))
    }
}
