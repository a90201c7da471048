// ipc kill: signals for processes and groups, with a value if need be, and no way to hit more than was named.
import ArgumentParser
import IPC

struct KillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill",
        abstract: "Send a signal to processes or process groups.",
        discussion: """
            A PID is the number of one process, with --group that of a group. Zero and
            negative numbers, which mean groups or everybody to kill(1), are refused. All
            are tried; the status is 71 if one could not be signalled.

            Example: ipc kill -s RTMIN+1 --value 42 4711
            """
    )

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The signal, by name or number.", valueName: "name"),
        completion: .list(signalNames))
    var signal = "TERM"

    @Flag(help: "The numbers are those of process groups.")
    var group = false

    @Option(help: ArgumentHelp("Send this number along; real-time signals keep each one.", valueName: "n"))
    var value: Int?

    @Flag(help: "Print one JSON object.")
    var json = false

    @Argument(help: ArgumentHelp("The numbers of processes, or of groups.", valueName: "pid"))
    var pids: [Int32]

    func validate() throws {
        _ = try Signal(argument: signal)
        guard !pids.isEmpty else { throw ValidationError("no process; say: ipc kill PID...") }
        if group, value != nil { throw ValidationError("--value goes to processes, not to groups") }
        if group, let bad = pids.first(where: { ProcessGroupID($0) == nil }) {
            throw ValidationError("\(bad) is not the number of a process group")
        }
        if let bad = pids.first(where: { ProcessID($0) == nil }) {
            throw ValidationError("\(bad) is not the number of a process; for a group there is --group")
        }
    }

    func run() throws {
        let signal = try Signal(argument: signal)
        try perform {
            var report = KillReport(signal: signal.name)
            for pid in pids {
                do { try send(signal, to: pid) } catch let error as SystemError {
                    await complain(error)
                    report.failures.append(.init(pid: pid, error))
                    continue
                }
                report.sent.append(pid)
            }
            if json { try await printJSON(report) }
            return report.failures.isEmpty ? .success : .systemError
        }
    }

    private func send(_ signal: Signal, to number: Int32) throws {
        if group {
            try ProcessGroupID(number)?.send(signal)
        } else if let value {
            try ProcessID(number)?.send(signal, value: value)
        } else {
            try ProcessID(number)?.send(signal)
        }
    }
}

/// What ipc kill --json prints.
private struct KillReport: Encodable {
    struct Failure: Encodable {
        let pid: Int32
        let operation: String
        let subject: String
        let errno: String
        let message: String

        init(pid: Int32, _ error: SystemError) {
            self.pid = pid
            operation = error.operation
            subject = error.subject
            errno = error.errno.name
            message = "\(error)"
        }
    }

    let signal: String
    var sent: [Int32] = []
    var failures: [Failure] = []
}
