// Kernels that know less than the one here: a tracer refuses what they would not know, and everything works all the same.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded, .enabled(if: ForeignProcess.exists("strace")))
struct OldKernelTests {
    /// Runs an inner test with a tracer that refuses some calls; makes sure that it did refuse some.
    private func run(_ test: String, refusing calls: String, with error: String) async throws {
        try await withTemporaryFolder { folder in
            let log = folder.appending("trace").string
            let options = Sanitizer.optionsOfTracer.map { "'\($0)'" }.joined(separator: " ")
            let inject = "strace -f -qq \(options) -o '\(log)' -e trace=\(calls) -e inject=\(calls):error=\(error)"
            let (status, output) = try await InnerRun.of(test, script: "exec \(inject) \"$@\"")
            #expect(status == 0, "\(output)")
            #expect(Folder.text(of: log)?.contains("INJECTED") == true, "the fault was never made")
        }
    }

    @Test func pipesWorkWithoutNOWAITAndNOSIGNAL() async throws {
        try await run("inProcessWithoutFlagsForPipes", refusing: "preadv2,pwritev2", with: "EOPNOTSUPP")
    }

    @Test func pipesWorkWithoutTheCallsThatTakeFlags() async throws {
        try await run("inProcessWithoutFlagsForPipes", refusing: "preadv2,pwritev2", with: "ENOSYS")
    }

    @Test func brokenPipesAreErrorsWithoutBothFlagsS10() async throws {
        try await run("inProcessWithoutFlagsWhoseReadersLeave", refusing: "preadv2,pwritev2", with: "EOPNOTSUPP")
    }

    @Test func brokenPipesAreErrorsWithNOWAITAndWithoutNOSIGNALS10() async throws {
        // Refused is the first of each thread, which on the test's thread is the question whether the flag is known.
        try await run("inProcessWithoutNOSIGNALWhoseReaderLeaves", refusing: "pwritev2", with: "EOPNOTSUPP:when=1")
    }
}

struct OldKernelInnerTests {
    @Test(.inner, .serialized, .timeLimit(.minutes(1)), arguments: Place.allCases)
    func inProcessWithoutFlagsForPipes(_ place: Place) async throws {
        #expect(!Kernel.hasPipesThatDoNotWait && !Kernel.hasNoSignalFlag)
        var (reader, writer): (Int32, Int32) = (-1, -1)
        try #require(ipc_pipe(&reader, &writer) == 0)
        try await place.run { [reader, writer] in
            let own = try AnonymousPipe(capacity: 4096)
            async let sent: Void = {
                try await own.writer.write([UInt8](repeating: 7, count: 50_000))
                try own.writer.close()
            }()
            #expect(try await own.reader.readAll(limit: .max) == [UInt8](repeating: 7, count: 50_000))
            try await sent

            let source = ByteReader(.borrowing(reader, writing: false, subject: "their pipe"))
            let target = ByteWriter(.borrowing(writer, writing: true, subject: "their pipe"))
            async let line = source.readLine()
            try await untilSomeoneWaits(on: source.descriptor)
            try await target.write("shared\n")
            #expect(try await line == "shared")
            #expect(ipc_get_status_flags(reader) & IPC_O_NONBLOCK == 0)
            #expect(ipc_get_status_flags(writer) & IPC_O_NONBLOCK == 0)
        }
        for number in [reader, writer] { close(number) }
    }

    @Test(.inner, .serialized, .timeLimit(.minutes(1)), arguments: Place.allCases)
    func inProcessWithoutFlagsWhoseReadersLeave(_ place: Place) async throws {
        signal(SIGPIPE, SIG_DFL)
        #expect(!Kernel.hasNoSignalFlag)
        try await place.run {
            for _ in 0..<3 {
                let pipe = try AnonymousPipe()
                pipe.reader.close()
                let error = await failure { try await pipe.writer.write("x") } as? SystemError
                #expect(error?.errno == .brokenPipe)
            }
        }
    }

    @Test(.inner, .timeLimit(.minutes(1))) func inProcessWithoutNOSIGNALWhoseReaderLeaves() async throws {
        signal(SIGPIPE, SIG_DFL)
        try await runOnLoop {
            #expect(!Kernel.hasNoSignalFlag && Kernel.hasPipesThatDoNotWait)
            let pipe = try AnonymousPipe(capacity: 4096)
            async let write = failure { try await pipe.writer.write([UInt8](repeating: 1, count: 10_000)) }
            try await untilSomeoneWaits(on: pipe.writer.descriptor, for: .writing)
            pipe.reader.close()
            let error = await write as? SystemError
            #expect(error?.errno == .brokenPipe)
            #expect(error?.transferred == 4_096)
        }
    }
}
