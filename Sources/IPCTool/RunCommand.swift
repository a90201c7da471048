// ipc run: a program with a time limit, its tree ended with it, its status passed on.
import ArgumentParser
import IPC
import Synchronization

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a program with limits; end its whole tree with it.",
        usage: "ipc run [<options>] -- <command> ...",
        discussion: """
            The program has this command's standard streams and leads a process group of
            its own. INT, TERM and HUP are passed on to it. What is left of its group when
            it has ended is killed.

            Example: ipc run --timeout 30 --directory build -- make -j4
            """
    )

    @Option(help: ArgumentHelp("End it after so many seconds, with status 124.", valueName: "seconds"))
    var timeout: Seconds?

    @Option(help: ArgumentHelp("Kill what is left so long after SIGTERM.", valueName: "seconds"))
    var killAfter = Seconds(duration: .seconds(2))

    @OptionGroup(title: "What the program gets")
    var child: ChildOptions

    @Flag(help: "Kill the program when this command is killed.")
    var dieWithParent = false

    @Option(help: ArgumentHelp("With --json: end it when it writes more.", valueName: "bytes"))
    var outputLimit: Int?

    @Flag(help: "Leave alone what the program has left running.")
    var keep = false

    @Flag(help: "Capture the output and print one JSON object.")
    var json = false

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.", completion: .file())
    var command: [String] = []

    func validate() throws {
        try RawArguments.checkAllBut(last: command.count)
        guard !command.isEmpty else { throw ValidationError("no program; say: ipc run -- PROGRAM ARGUMENT...") }
        if let outputLimit, outputLimit < 0 { throw ValidationError("--output-limit is a number of bytes, 0 or more") }
        if outputLimit != nil, !json {
            throw ValidationError("--output-limit goes with --json, which captures the output")
        }
    }

    func run() throws {
        try perform { json ? try await runForJSON() : try await runPlainly() }
    }

    private func prepared() throws -> Command {
        var prepared = try child.apply(to: Command(words: RawArguments.all.suffix(command.count)))
        if keep { prepared = prepared.keepingTree() }
        if dieWithParent { prepared = prepared.diesWithParent() }
        return prepared
    }

    private func runPlainly() async throws -> ExitCode {
        let result = try await prepared().unchecked().run(
            timeout: timeout?.duration, grace: killAfter.duration, passingOn: .passedOn)
        return ExitCode(result.status.shellStatus)
    }

    private func runForJSON() async throws -> ExitCode {
        let report: (RunReport, ExitCode)
        let limit = outputLimit.map { CaptureLimit.failing(beyond: $0) } ?? .failing(beyond: 64 << 20)
        do {
            let output = Captured()
            var command = try prepared().unchecked().input(.inherit)
            if Progress.canBeSeen { command = command.observingOutput { output.add($1.count) } }
            let result = try await Progress.of(output) {
                try await command.capture(
                    limit: limit, timeout: timeout?.duration, grace: killAfter.duration, passingOn: .passedOn)
            }
            report = (RunReport(result), ExitCode(result.status.shellStatus))
        } catch {
            await complain(error)
            report = (RunReport(error), ExitCode(for: error))
        }
        try await printJSON(report.0)
        return report.1
    }
}

/// How much a program has written so far.
private final class Captured: Counted {
    private let bytes = Atomic(0)

    var count: Int { bytes.load(ordering: .relaxed) }

    func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }
}

/// A number of seconds on the command line, with or without a fraction.
struct Seconds: ExpressibleByArgument {
    let duration: Duration

    init(duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let seconds = Double(argument), seconds >= 0, seconds < 1e9 else { return nil }
        duration = .nanoseconds(Int64((seconds * 1e9).rounded(.up)))
    }

    var defaultValueDescription: String { "\(duration.components.seconds)" }
}
