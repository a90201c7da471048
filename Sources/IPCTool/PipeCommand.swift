// ipc pipe: programs joined by pipes, with one limit over all and a word on the one that failed.
import ArgumentParser
import IPC

struct PipeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipe",
        abstract: "Run programs joined by pipes; name the one that fails.",
        usage: "ipc pipe [<options>] -- <command> ... :: <command> ...",
        discussion: """
            The stages stand after --, with :: between them. The status is that of the last
            stage that failed, as in a shell with pipefail, or 0. A stage that ends because
            the next one wants no more has not failed.

            Example: ipc pipe --timeout 10 -- ps ax :: grep swift :: wc -l
            """
    )

    @Option(help: ArgumentHelp("End all after so many seconds, with status 124.", valueName: "seconds"))
    var timeout: Seconds?

    @Option(help: ArgumentHelp("Kill what is left so long after SIGTERM.", valueName: "seconds"))
    var killAfter = Seconds(duration: .seconds(2))

    @OptionGroup(title: "What each program gets")
    var child: ChildOptions

    @Flag(help: "Capture the output and print one JSON object, with an entry for each stage.")
    var json = false

    @Argument(parsing: .postTerminator, help: "The stages, after --, with :: between them.", completion: .file())
    var stages: [String] = []

    func validate() throws {
        try RawArguments.checkAllBut(last: stages.count)
        if words.contains(where: \.isEmpty) {
            throw ValidationError("a stage is missing; say: ipc pipe -- PROGRAM ARGUMENT... :: PROGRAM ARGUMENT...")
        }
    }

    func run() throws {
        try perform { json ? try await runForJSON() : try await runPlainly() }
    }

    /// The words of each stage, as bytes.
    private var words: [ArraySlice<[UInt8]>] {
        RawArguments.all.suffix(stages.count)
            .split(separator: Array("::".utf8), omittingEmptySubsequences: false)
    }

    private func prepared() throws -> Pipeline {
        let commands = try words.map { try child.apply(to: Command(words: $0)) }
        guard let pipeline = Pipeline(commands) else { throw ValidationError("no stages") }
        return pipeline
    }

    private func runPlainly() async throws -> ExitCode {
        let result = try await prepared().run(
            timeout: timeout?.duration, grace: killAfter.duration, passingOn: .passedOn)
        return ExitCode(result.status.shellStatus)
    }

    private func runForJSON() async throws -> ExitCode {
        let report: (PipeReport, ExitCode)
        do {
            let pipeline = try prepared()
            let result = try await pipeline.capture(
                timeout: timeout?.duration, grace: killAfter.duration, passingOn: .passedOn)
            report = (PipeReport(result), ExitCode(result.status.shellStatus))
        } catch {
            await complain(error)
            report = (PipeReport(error), ExitCode(for: error))
        }
        try await printJSON(report.0)
        return report.1
    }
}

/// What `ipc pipe --json` prints.
private struct PipeReport: Encodable {
    struct Stage: Encodable {
        let command: String
        let pid: Int32?
        var status: Int32?
        var signal: String?
        let wasCutOff: Bool
        let error: String?
        let errorBase64: String?

        init(_ stage: StageResult) {
            command = stage.name
            pid = stage.processID?.rawValue
            switch stage.status {
            case .exited(let code): status = code
            case .signalled(let by, _): signal = by.name
            case .unknown: break
            }
            wasCutOff = stage.wasCutOff
            let said = JSONBytes(stage.error.bytes)
            (error, errorBase64) = (said.text, said.base64)
        }
    }

    private var status: Int32?
    private var stages: [Stage] = []
    private var output: String?
    private var outputBase64: String?
    private var wallSeconds: Double?
    private var failedStage: Int?
    private var failure: RunReport?

    init(_ result: PipelineResult) { fill(result) }

    init(_ error: any Error) {
        failure = RunReport(error)
        if let error = error as? PipelineError {
            fill(error.result)
            failedStage = error.stage.position
        }
    }

    private mutating func fill(_ result: PipelineResult) {
        status = result.status.shellStatus
        stages = result.stages.map { Stage($0) }
        let bytes = JSONBytes(result.output.bytes)
        (output, outputBase64) = (bytes.text, bytes.base64)
        wallSeconds = result.duration.seconds
        failedStage = result.failedStage?.position
    }
}
