// ipc interact: a program on a terminal of its own, joined with ours, and recorded if asked.
import ArgumentParser
import IPC

struct InteractCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interact",
        abstract: "Use a program on a terminal of its own, and record it.",
        usage: "ipc interact [<options>] -- <command> ...",
        discussion: """
            Every key goes to the program, Ctrl-C and Ctrl-Z too; Ctrl-] ends the session
            and hangs the program up. Its window follows ours. Our terminal has its modes
            back in the end, whatever happens.

            Example: ipc interact --record session.cast -- bash
            """
    )

    @Option(help: ArgumentHelp("Record the session as an asciicast.", valueName: "file"), completion: .file())
    var record: String?

    @Flag(
        help: """
            Record what is typed too, but for lines that the terminal does not show. A program that reads single keys and \
            shows dots for them is not known to hide anything.
            """)
    var recordInput = false

    @Flag(help: "Print one JSON object when it is over.")
    var json = false

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.", completion: .file())
    var command: [String] = []

    func validate() throws {
        try RawArguments.checkAllBut(last: command.count)
        guard !command.isEmpty else { throw ValidationError("no program; say: ipc interact -- PROGRAM ARGUMENT...") }
        if recordInput, record == nil { throw ValidationError("--record-input goes with --record") }
    }

    func run() throws {
        let program = Command(words: RawArguments.all.suffix(command.count))
        try perform {
            var report = ConversationReport()
            let code: ExitCode
            do {
                let user = try Terminal.ofStandardInput()
                let recording = record.map { TerminalRecording.asciicast(FilePath($0), input: recordInput) }
                let size = try user.size
                let child = try await endingProperly {
                    try await program.withTerminal(size: size, echo: true, recording: recording) { session in
                        if try await session.interact(on: user) == .ended { try await session.wait() }
                        return session.program
                    }
                }
                report.fill(await child?.end())
                code = ExitCode(report.shellStatus)
            } catch let error where !(error is ExitCode) {
                await complain(error)
                report.fill(error)
                code = ExitCode(for: error)
            }
            if json { try await printJSON(report) }
            return code
        }
    }
}
