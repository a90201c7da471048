// ipc lock: a program that runs while a lock on a file is held.
import ArgumentParser
import IPC

struct LockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "Run a program while a file is locked.",
        usage: "ipc lock [<options>] <file> -- <command> ...",
        discussion: """
            The file is made if it is missing, and stays. The lock is that of flock(1); the
            program does not inherit it. INT, TERM and HUP are passed on to the program.
            What is left of its group when it has ended is killed.
            Exit status: the program's; 124 if the lock was not to be had in time.

            Example: ipc lock --timeout 10 app.lock -- make install
            """
    )

    @Flag(help: "Let others share the lock, and only those that want it alone wait.")
    var shared = false

    @Flag(name: .customLong("try"), help: "Do not wait for the lock; the status is 124 if somebody holds it.")
    var tries = false

    @Option(help: ArgumentHelp("Wait no longer for the lock; the status is then 124.", valueName: "seconds"))
    var timeout: Seconds?

    @Flag(help: "Capture the output and print one JSON object.")
    var json = false

    @Argument(help: "The file to lock.", completion: .file())
    var file: String

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.", completion: .file())
    var command: [String] = []

    func validate() throws {
        try RawArguments.checkAllBut(last: command.count)
        guard !command.isEmpty else { throw ValidationError("no program; say: ipc lock FILE -- PROGRAM ARGUMENT...") }
        if tries, timeout != nil { throw ValidationError("--try does not wait, so it has no --timeout") }
    }

    func run() throws {
        try perform { json ? try await runForJSON() : try await runPlainly() }
    }

    private var prepared: Command {
        Command(words: RawArguments.all.suffix(command.count)).unchecked()
    }

    private func runPlainly() async throws -> ExitCode {
        let result = try await locked { try await prepared.run(passingOn: .passedOn) }
        return ExitCode(result.status.shellStatus)
    }

    private func runForJSON() async throws -> ExitCode {
        let report: (RunReport, ExitCode)
        do {
            let result = try await locked {
                try await prepared.input(.inherit).capture(passingOn: .passedOn)
            }
            report = (RunReport(result), ExitCode(result.status.shellStatus))
        } catch {
            await complain(error)
            report = (RunReport(error), ExitCode(for: error))
        }
        try await printJSON(report.0)
        return report.1
    }

    /// Runs the body with the lock held.
    private func locked<Result>(_ body: () async throws -> Result) async throws -> Result {
        let path = FilePath(file)
        let lock: FileLock
        do {
            // One that is not waited for is waited for no time at all.
            let limit = tries ? .zero : timeout?.duration
            lock = try await FileLock.acquire(shared ? .shared : .exclusive, on: path, timeout: limit)
        } catch let error as TimeoutError {
            throw LockHeldError(file: file, holder: (try? FileLock.holder(of: path)) ?? nil, limit: error.limit)
        }
        let result = try await body()
        lock.release()
        return result
    }
}

/// Somebody else has the lock.
struct LockHeldError: Error, CustomStringConvertible {
    let file: String
    /// Who, where that is known.
    let holder: ProcessID?
    let limit: Duration

    var description: String {
        let who = holder.map { "held by process \($0)" } ?? "held by somebody"
        return "lock \(file): \(who)\(limit > .zero ? ", not given back within \(limit.seconds) s" : "")"
    }
}
