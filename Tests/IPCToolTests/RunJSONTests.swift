// ipc run --json: one object for success and failure alike, with the same status.
import FoundationEssentials
import IPC
import Testing

@testable import IPCTests

/// What ipc run --json prints.
private struct Report: Decodable {
    var pid: Int32?
    var status: Int32?
    var signal: String?
    var coreDumped: Bool?
    var output: String?
    var outputBase64: String?
    var outputDropped: Int?
    var error: String?
    var errorBase64: String?
    var errorDropped: Int?
    var wallSeconds: Double?
    var userSeconds: Double?
    var systemSeconds: Double?
    var peakMemoryBytes: Int?
    var kind: String?
    var operation: String?
    var subject: String?
    var errno: String?
    var message: String?

    /// The one object that a run has printed, on one line.
    init(_ run: ToolRun, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(
            run.output.split(separator: "\n", omittingEmptySubsequences: false).count == 2,
            sourceLocation: sourceLocation)
        self = try JSONDecoder().decode(Report.self, from: Data(run.outputBytes))
    }
}

@Suite(.guarded)
struct RunJSONTests {
    @Test func successIsOneObjectWithOutputsAndUsage() async throws {
        let run = try await Tool.run("run", "--json", "--", "sh", "-c", "echo out; echo err >&2")
        #expect(run.status == 0)
        #expect(run.error == "")
        let report = try Report(run)
        #expect(report.status == 0)
        #expect((report.pid ?? 0) > 1)
        #expect(report.output == "out\n")
        #expect(report.error == "err\n")
        #expect(report.outputBase64 == nil && report.errorBase64 == nil && report.outputDropped == nil)
        #expect(report.kind == nil && report.message == nil && report.signal == nil)
        let wall = try #require(report.wallSeconds)
        #expect(wall > 0 && .seconds(wall) <= run.duration)
        #expect((report.userSeconds ?? -1) >= 0 && (report.systemSeconds ?? -1) >= 0)
        #expect((report.peakMemoryBytes ?? 0) > 100_000)
    }

    @Test func aStatusOrASignalIsInTheObjectAndTheToolsOwn() async throws {
        let failed = try await Tool.child(["--json"], "exit", "9")
        #expect(failed.status == 9)
        #expect(try Report(failed).status == 9)
        #expect(failed.error == "")
        let killed = try await Tool.child(["--json"], "kill-self", "KILL")
        #expect(killed.status == 137)
        let report = try Report(killed)
        #expect(report.signal == "SIGKILL" && report.coreDumped == false && report.status == nil)
    }

    @Test func outputThatIsNotTextIsInBase64() async throws {
        let run = try await Tool.run("run", "--json", "--", "sh", "-c", #"printf '\377\000'; printf '\303\n' >&2"#)
        let report = try Report(run)
        #expect(report.output == nil && report.error == nil)
        #expect(report.outputBase64.flatMap { Data(base64Encoded: $0) } == Data([0xFF, 0]))
        #expect(report.errorBase64.flatMap { Data(base64Encoded: $0) } == Data([0xC3, 10]))
    }

    @Test func everythingThatIsTextIsWholeInTheObject() async throws {
        let text = (0...127).map { String(UnicodeScalar(UInt8($0))) }.joined() + "\u{2028}é日\u{1F600}\"\\/"
        let run = try await Tool.child(["--json"], "cat", input: text.replacing("\0", with: ""))
        #expect(try Report(run).output == text.replacing("\0", with: ""))
    }

    @Test func failingStartsHaveKindOperationSubjectAndErrno() async throws {
        try await withTemporaryFolder { folder in
            let busy = try await Ground.prepare(folder)
            for failing in FailingStart.allCases {
                let name = [
                    "missing": "there-is-no-such-program", "notExecutable": "plain", "busy": "busy", "empty": "empty",
                ]
                guard let file = name[failing.rawValue] else { continue }
                let run = try await Tool.run("run", "--json", "--", "\(folder)/\(file)")
                #expect(run.status == (failing == .missing ? 127 : 126))
                let report = try Report(run)
                #expect(report.kind == failing.expected.kind.description)
                #expect(report.errno == failing.expected.errno.name)
                #expect(report.operation == "execute")
                #expect(report.subject == "\(folder)/\(file)")
                #expect(run.errorLines.count == 1 && run.error.hasPrefix("ipc: \(report.message ?? "")"))
                #expect(report.pid == nil && report.status == nil)
            }
            let directory = try await Tool.child(["--json", "--directory", "\(folder)/missing"], "exit", "0")
            #expect(directory.status == 71)
            #expect(try Report(directory).kind == "directoryNotFound")
            try busy.close()
        }
    }

    @Test func aLimitOfTimeHasWhatWasWritten() async throws {
        let run = try await Tool.run(
            "run", "--json", "--timeout", "\(0.5 * Double(Watchdog.patience))", "--", "sh", "-c",
            "echo out; echo err >&2; exec sleep 1000")
        #expect(run.status == 124)
        let report = try Report(run)
        #expect(report.kind == "timeout" && report.operation == "run" && report.errno == "ETIMEDOUT")
        #expect(report.output == "out\n" && report.error == "err\n")
        #expect(run.errorLines.count == 1)
    }

    @Test("P23: more output than the limit is a failure, whatever the program calls its end")
    func outputLimit() async throws {
        let run = try await Tool.child(["--json", "--output-limit", "1000"], "flood", "out", "1000000")
        #expect(run.status == 143)
        let report = try Report(run)
        #expect(report.kind == "outputLimitExceeded")
        #expect(report.output?.utf8.count == 1_000)
        #expect((report.outputDropped ?? 0) > 0)
        #expect(report.signal == "SIGTERM")
        let exact = try await Tool.child(["--json", "--output-limit", "1000"], "flood", "out", "1000")
        #expect(exact.status == 0)
        let content = try await Tool.run(
            "run", "--json", "--output-limit", "5", "--", "sh", "-c",
            "trap 'exit 0' TERM; echo 123456; while :; do sleep 0.01; done")
        #expect(content.status == 71)
        #expect(try Report(content).kind == "outputLimitExceeded")
        let zero = try await Tool.child(["--json", "--output-limit", "0"], "exit", "0")
        #expect(zero.status == 0)
    }

    @Test func theProgramStillReadsTheCallersInput() async throws {
        let run = try await Tool.child(["--json"], "cat", input: "text")
        #expect(try Report(run).output == "text")
    }

    @Test("I-3: an object that cannot be written is one line and a status of its own")
    func nowhereToWrite() async throws {
        for (redirection, name) in [(">/dev/full", "ENOSPC"), (">&-", "EBADF")] {
            for program in [#""$child" exit 0"#, "/no/such/program"] {
                let run = try await Tool.script(#""$ipc" run --json -- \#(program) \#(redirection)"#)
                #expect(run.status == 71, "\(redirection) \(program)")
                #expect(
                    run.errorLines.last
                        == "ipc: write standard output: \(name == "EBADF" ? "bad file descriptor" : "no space left on device") (\(name))"
                )
                #expect(run.errorLines.count == (program.hasPrefix("/") ? 2 : 1))
            }
            let tour = try await Tool.script(#""$ipc" tour --json \#(redirection)"#)
            #expect(tour.status == 71)
            #expect(tour.errorLines.count == 1)
        }
        let broken = try await Tool.script(#"{ "$ipc" run --json -- true; echo $? >&2; } | true; sleep 0.1"#)
        #expect(!broken.error.contains("141"), "no death by SIGPIPE: \(broken.error)")
    }
}
