// ipc daemon: start a program away from the terminal, ask after it, end it, have it read its configuration anew.
import ArgumentParser
import IPC

struct DaemonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon",
        abstract: "Start, watch, reload and stop a daemon.",
        discussion: """
            The lock of the pid file says whether the program runs, so that there is one to
            a file, and no number that was left behind is taken for it.

            Example: ipc daemon start --pid-file app.pid --log app.log -- ./app --port 8080
            """,
        subcommands: [Start.self, Status.self, Stop.self, Reload.self]
    )

    struct PIDFileOption: ParsableArguments {
        @Option(
            help: ArgumentHelp("The file that holds the program's number and lock.", valueName: "file"),
            completion: .file())
        var pidFile: String

        @Flag(help: "Print one JSON object.")
        var json = false

        var path: FilePath { FilePath(pidFile) }

        func validate() throws {
            if pidFile.isEmpty { throw ValidationError("--pid-file is empty") }
        }

        /// Says how it is with the daemon.
        func report(_ state: String, _ processID: ProcessID?) async throws {
            if json { return try await printJSON(DaemonReport(state: state, pid: processID?.rawValue)) }
            let who = processID.map { ", process \($0)" } ?? ""
            try await ByteWriter.standardOutput.write("\(state)\(who)\n")
            try ByteWriter.standardOutput.close()
        }

        /// Does the work of a subcommand, with an object for its error.
        func perform(_ command: some ParsableCommand, _ work: @escaping @Sendable () async throws -> ExitCode) throws {
            try command.perform(json: json, work)
        }
    }

    /// No daemon runs under the pid file, as service managers have it.
    static let notRunning = ExitCode(3)

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether it runs: status 0 and its number, or status 3.",
            discussion: "Example: ipc daemon status --pid-file app.pid")

        @OptionGroup var file: PIDFileOption

        func run() throws {
            try file.perform(self) {
                let processID = try Daemon.running(pidFile: file.path)
                try await file.report(processID == nil ? "not running" : "running", processID)
                return processID == nil ? notRunning : .success
            }
        }
    }

    struct Stop: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End it: SIGTERM, time to comply, SIGKILL.",
            discussion: "Returns when it is gone.\n\nExample: ipc daemon stop --pid-file app.pid")

        @OptionGroup var file: PIDFileOption

        @Option(help: ArgumentHelp("Kill it if it has not ended so many seconds after SIGTERM.", valueName: "seconds"))
        var killAfter = Seconds(duration: .seconds(10))

        func run() throws {
            try file.perform(self) {
                let processID = try await Daemon.stop(pidFile: file.path, grace: killAfter.duration)
                try await file.report("stopped", processID)
                return .success
            }
        }
    }

    struct Reload: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send it SIGHUP, on which most daemons read their configuration anew.",
            discussion: "Example: ipc daemon reload --pid-file app.pid")

        @OptionGroup var file: PIDFileOption

        func run() throws {
            try file.perform(self) {
                try await file.report("reloading", try Daemon.send(.hangup, pidFile: file.path))
                return .success
            }
        }
    }
}

struct DaemonReport: Encodable {
    let state: String
    let pid: Int32?
}
