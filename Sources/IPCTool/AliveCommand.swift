// ipc alive: whether a process is there, in four statuses where kill -0 has two.
import ArgumentParser
import IPC

struct AliveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alive",
        abstract: "Say whether a process is there.",
        discussion: """
            Exit status: 0 it is there (running or stopped), 1 it is gone, 2 it is another
            user's and may not be signalled, 3 it has ended and waits for whoever started
            it to ask how.

            Example: ipc alive 4711
            """
    )

    @Flag(help: "Print one JSON object.")
    var json = false

    @Argument(help: ArgumentHelp("The number of the process.", valueName: "pid"))
    var pid: Int32

    func validate() throws {
        if ProcessID(pid) == nil { throw ValidationError("\(pid) is not the number of a process") }
    }

    func run() throws {
        try perform {
            let state = ProcessID(pid)?.state ?? .gone
            if json {
                try await printJSON(Report(pid: pid, state: state.rawValue))
            } else {
                try await ByteWriter.standardOutput.write("\(pid) \(state.words)\n")
                try ByteWriter.standardOutput.close()
            }
            return state.exitCode
        }
    }

    private struct Report: Encodable {
        let pid: Int32
        let state: String
    }
}

extension ProcessState {
    fileprivate var words: String {
        switch self {
        case .running: "is running"
        case .stopped: "is stopped"
        case .zombie: "has ended and was not waited for"
        case .gone: "is gone"
        case .notOurs: "is another user's"
        }
    }

    fileprivate var exitCode: ExitCode {
        switch self {
        case .running, .stopped: .success
        case .gone: ExitCode(1)
        case .notOurs: ExitCode(2)
        case .zombie: ExitCode(3)
        }
    }
}
