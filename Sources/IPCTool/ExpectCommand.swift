// ipc expect: a program on a terminal, and what to wait for and type there.
import ArgumentParser
import IPC

struct ExpectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expect",
        abstract: "Talk with a program on a terminal, step by step.",
        usage: "ipc expect [<options>] -- <command> ...",
        discussion: """
            The steps are taken in the order in which they stand. Then what the program
            shows is copied until it ends; its status is this command's, 124 if a limit
            passed. Patterns are regular expressions without back references; (?i) ignores
            case. What is shown has its control characters made visible, unless --raw.

            Example: ipc expect --expect '(?i)password:' --send-secret-env PASSWORD -- ssh host uptime
            """
    )

    @Option(
        help: ArgumentHelp(
            "So long may a step take, and the program be silent after the last.", valueName: "seconds"))
    var timeout = Seconds(duration: .seconds(30))

    @Option(
        parsing: .unconditionalSingleValue, help: ArgumentHelp("Wait until it shows this.", valueName: "regex"))
    var expect: [String] = []

    @Option(parsing: .unconditionalSingleValue, help: ArgumentHelp("Type this.", valueName: "text"))
    var send: [String] = []

    @Option(parsing: .unconditionalSingleValue, help: ArgumentHelp("Type this and Enter.", valueName: "text"))
    var sendLine: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Type the value of this variable and Enter, once typing does not show. It appears nowhere.",
            valueName: "var"))
    var sendSecretEnv: [String] = []

    @Flag(help: "After the steps, hand the terminal over to you; Ctrl-] ends that.")
    var interact = false

    @Option(help: ArgumentHelp("Record the session as an asciicast.", valueName: "file"), completion: .file())
    var record: String?

    @Option(help: ArgumentHelp("The size of its window.", valueName: "rowsxcolumns"))
    var size: WindowSize?

    @Flag(help: "Have the terminal show what is typed.")
    var echo = false

    @Flag(help: "Compare without escape sequences, such as those for colours.")
    var ignoreEscapes = false

    @Flag(help: "Show what is shown as it is, control characters too.")
    var raw = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.", completion: .file())
    var command: [String] = []

    func validate() throws {
        try RawArguments.checkAllBut(last: command.count)
        guard !command.isEmpty else {
            throw ValidationError("no program; say: ipc expect STEP... -- PROGRAM ARGUMENT...")
        }
        if json, interact { throw ValidationError("--json prints an object, so it does not go with --interact") }
        for pattern in expect {
            do { try TerminalPattern.pattern(pattern).validate() } catch { throw ValidationError("--\(error)") }
        }
    }

    func run() throws {
        let steps = ExpectStep.all(before: command.count)
        let program = Command(words: RawArguments.all.suffix(command.count))
        try perform {
            // Before anything is started that would have them in its environment.
            var secrets: [String: Secret] = [:]
            for name in sendSecretEnv where secrets[name] == nil {
                secrets[name] = try Secret(takingFromEnvironment: name)
            }
            let conversation = Conversation(options: self, steps: steps, secrets: secrets)
            return try await conversation.hold(with: program)
        }
    }
}

/// A step, as stated on the command line.
enum ExpectStep: Sendable {
    case expect(String)
    case send(String)
    case sendLine(String)
    case sendSecret(String)

    private static let others: Set = ["--timeout", "--record", "--size"]

    /// The steps in the order of the command line; the parser keeps that of each option only.
    static func all(before count: Int) -> [ExpectStep] {
        var words = RawArguments.all.dropFirst(2).dropLast(count).map { String(decoding: $0, as: UTF8.self) }[...]
        var steps: [ExpectStep] = []
        while let word = words.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let isTogether = parts.count == 2
            if others.contains(word) { _ = words.popFirst() }
            guard let make = step(parts[0]), let value = isTogether ? parts[1] : words.popFirst() else { continue }
            steps.append(make(value))
        }
        return steps
    }

    private static func step(_ option: String) -> ((String) -> ExpectStep)? {
        switch option {
        case "--expect": ExpectStep.expect
        case "--send": ExpectStep.send
        case "--send-line": ExpectStep.sendLine
        case "--send-secret-env": ExpectStep.sendSecret
        default: nil
        }
    }
}

/// A window's size on the command line: `24x80`.
struct WindowSize: ExpressibleByArgument {
    let size: TerminalSize

    init?(argument: String) {
        let sides = argument.split(separator: "x").map { UInt16($0) }
        guard sides.count == 2, let rows = sides[0], let columns = sides[1] else { return nil }
        size = TerminalSize(rows: Int(rows), columns: Int(columns))
    }
}
