// ipc daemon start: a process of ours that holds the pid file's lock and stands by the program as long as it runs.
import ArgumentParser
import FoundationEssentials
import IPC

extension DaemonCommand {
    struct Start: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start a program that survives this command, the terminal and the session.",
            usage: "ipc daemon start [<options>] -- <command> ...",
            discussion: """
                Returns when the program has been executed and has not failed at once;
                otherwise its status is this command's. The program is in a session without a
                terminal, in the root directory unless --directory says otherwise, with
                /dev/null as its input, its output in the log or nowhere, and umask 077. A
                process of this command stands by it, passes TERM, INT, HUP, USR1 and USR2 on
                to it, and removes the pid file in the end.

                Example: ipc daemon start --pid-file app.pid --log app.log -- ./app
                """)

        @Option(
            help: ArgumentHelp("A file for the program's number and lock: one program to a file.", valueName: "file"),
            completion: .file())
        var pidFile: String?

        @Option(
            help: ArgumentHelp("Append the program's output and standard error to this file.", valueName: "file"),
            completion: .file())
        var log: String?

        @Option(
            help: ArgumentHelp("A program that fails within so many seconds has not started.", valueName: "seconds"))
        var settle = Seconds(duration: .milliseconds(100))

        @OptionGroup(title: "What the program gets")
        var child: ChildOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.", completion: .file())
        var command: [String] = []

        func validate() throws {
            try RawArguments.checkAllBut(last: command.count)
            if command.isEmpty { throw ValidationError("no program; say: ipc daemon start -- PROGRAM ARGUMENT...") }
            if pidFile?.isEmpty == true { throw ValidationError("--pid-file is empty") }
        }

        func run() throws {
            let role: Daemon.Role
            do {
                role = try Daemon.begin(
                    pidFile: pidFile.map { FilePath($0) }, log: log.map { FilePath($0) }, directory: ".")
            } catch {
                return try perform(json: json) { throw error }
            }
            switch role {
            case .launcher(let processID):
                // What stands by it and what it stands by are two processes; the file names the second.
                let named = try pidFile.map { try Daemon.running(pidFile: FilePath($0)) } ?? nil
                try perform {
                    let number = (named ?? processID).rawValue
                    if json {
                        try await printJSON(DaemonReport(state: "started", pid: number))
                    } else if pidFile == nil {
                        // Else nobody would know.
                        try await ByteWriter.standardOutput.write("\(number)\n")
                    }
                    return .success
                }
            case .daemon(let daemon): try perform { await standBy(daemon) }
            }
        }

        private func standBy(_ daemon: Daemon) async -> ExitCode {
            defer { daemon.removePIDFile() }
            do {
                let words = RawArguments.all.suffix(command.count)
                let program = try child.apply(
                    to: Command(words: [fromHere(words[words.startIndex])] + words.dropFirst())
                ).directory(FilePath(child.directory ?? "/")).modeMask(
                    child.umask?.permissions ?? FilePermissions(rawValue: 0o077)
                ).diesWithParent()
                let signals: Set<Signal> = [.terminate, .interrupt, .hangup, .user1, .user2]
                return try await program.withChild(passingOn: signals) { child in
                    // Until now names were those of the caller's directory.
                    _ = FileManager.default.changeCurrentDirectoryPath("/")
                    try daemon.setProcess(child.processID)
                    if let early = try? await child.wait(timeout: settle.duration), !early.isSuccess {
                        throw DidNotStart(program: program.program, status: early)
                    }
                    try daemon.ready()
                    return ExitCode(try await child.wait().shellStatus)
                }
            } catch {
                let status = (error as? DidNotStart)?.status.shellStatus ?? ExitCode(for: error).rawValue
                daemon.fail(error, status: status)
                return ExitCode(status)
            }
        }

        /// A name that has a slash means a file from where the caller is, and the program begins elsewhere.
        private func fromHere(_ name: [UInt8]) -> [UInt8] {
            let slash = UInt8(ascii: "/")
            guard name.contains(slash), name.first != slash else { return name }
            return Array(FileManager.default.currentDirectoryPath.utf8) + [slash] + name
        }
    }
}

/// A program that failed as soon as it was started.
struct DidNotStart: Error, CustomStringConvertible {
    let program: String
    let status: ExitStatus

    var description: String { "\(program): \(status) as soon as it was started" }
}
