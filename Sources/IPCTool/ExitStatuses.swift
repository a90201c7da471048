// Every way in which the tool ends, and how errors become a line and a status.
import ArgumentParser
import IPC

extension ExitCode {
    /// The kernel refused something.
    static let systemError = ExitCode(71)
    /// The time limit ended it.
    static let timedOut = ExitCode(124)
    /// The program exists and cannot be executed.
    static let cannotExecute = ExitCode(126)
    /// The program was not found.
    static let notFound = ExitCode(127)
    /// The reader of the output has left: what a shell says of a program that SIGPIPE has ended.
    static let brokenPipe = ExitCode(141)

    /// The status for an error of the library.
    init(for error: any Error) {
        switch error {
        case is TimeoutError, is LockHeldError: self = .timedOut
        // A program that was ended for its output is a failure even if it calls its end a success.
        case let error as CommandError where error.status.isSuccess: self = .systemError
        case let error as CommandError: self = ExitCode(error.status.shellStatus)
        case let error as PipelineError where error.isOutputLimitExceeded: self = .systemError
        case let error as PipelineError: self = ExitCode(error.status.shellStatus)
        case let error as DaemonError where error.kind == .notRunning: self = DaemonCommand.notRunning
        case let error as DaemonError: self = ExitCode(error.status)
        case let error as StartError:
            switch error.kind {
            case .notFound: self = .notFound
            case .directoryNotFound, .resourceLimit, .streamNotOpened, .invalidArgument: self = .systemError
            // What was refused is not the program's execution but what was to come before it.
            case .notPermitted where error.operation != "execute", .userNotFound: self = .systemError
            default: self = .cannotExecute
            }
        default: self = .systemError
        }
    }
}

extension ParsableCommand {
    /// Does the work of a subcommand and ends with its status; an error becomes a line and a status of its own.
    func perform(_ work: @escaping @Sendable () async throws -> ExitCode) throws {
        throw try EventLoop.run {
            do { return try await work() } catch let code as ExitCode {
                return code
            } catch let error as SystemError
                where error.errno == .brokenPipe && error.subject == ByteWriter.standardOutput.name
            {
                // Who has seen enough has left.
                return ExitCode.brokenPipe
            } catch {
                await complain(error)
                return ExitCode(for: error)
            }
        }
    }
}

extension ParsableCommand {
    /// The same, with an object for an error too where JSON is asked for.
    func perform(json: Bool, _ work: @escaping @Sendable () async throws -> ExitCode) throws {
        try perform {
            do { return try await work() } catch {
                if json, !(error is ExitCode) { try await printJSON(RunReport(error)) }
                throw error
            }
        }
    }
}

/// Says an error in one line on standard error.
func complain(_ error: any Error) async {
    let hint = Hint.about(error).map { "; \($0)" } ?? ""
    try? await ByteWriter.standardError.write(errorLine("\(error)\(hint)"))
}

/// A text as the tool says it on standard error.
func errorLine(_ text: some CustomStringConvertible) -> String {
    var line = Progress.wiping + Look.text("ipc:", in: .red, on: .standardError) + " "
    // A name that somebody gave is no command for the terminal.
    for scalar in text.description.unicodeScalars {
        let isControl = scalar.properties.generalCategory == .control
        line += isControl ? scalar.escaped(asASCII: true) : String(scalar)
    }
    return line + "\n"
}
