// ipc signals: the table of this host's signals, or one of them by its name or number.
import ArgumentParser
import IPC

struct SignalsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signals",
        abstract: "List this host's signals, or look one up.",
        discussion: """
            Names are taken with and without SIG, in whatever case. Numbers differ from
            system to system: ask.

            Example: ipc signals 17
            """
    )

    @Argument(help: "A name such as TERM or RTMIN+3, or a number.", completion: .list(signalNames))
    var signal: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws { _ = try wanted() }

    func run() throws {
        let signals = try wanted()
        try perform {
            let rows = signals.map(Row.init)
            if json {
                try await printJSON(Table(signals: rows))
            } else {
                try await ByteWriter.standardOutput.write(rows.map(\.line).joined())
                try ByteWriter.standardOutput.close()
            }
            return .success
        }
    }

    private func wanted() throws -> [Signal] {
        guard let signal else { return Signal.all }
        return [try Signal(argument: signal)]
    }

    private struct Table: Encodable { let signals: [Row] }

    private struct Row: Encodable {
        let number: Int32
        let name: String
        let aliases: [String]
        let defaultAction: String
        let meaning: String
        let canBeCaught: Bool

        init(_ signal: Signal) {
            number = signal.number
            name = signal.name
            aliases = signal.aliases
            defaultAction = "\(signal.defaultAction)"
            meaning = signal.meaning
            canBeCaught = signal.canBeCaught
        }

        var line: String {
            let number = String(repeating: " ", count: number < 10 ? 1 : 0) + "\(number)"
            let others = aliases.isEmpty ? "" : " (also \(aliases.joined(separator: ", ")))"
            let action = canBeCaught ? defaultAction : "\(defaultAction), always"
            return "\(number)  \(name.padded(12))  \(action.padded(14))  \(meaning)\(others)\n"
        }
    }
}

extension Signal {
    /// A signal as people write it: `TERM`, `SIGTERM`, `term`, `15`, `RTMIN+3`.
    init(argument: String) throws {
        guard let signal = Signal(argument) else {
            throw ValidationError("there is no signal '\(argument)'; ipc signals lists them")
        }
        self = signal
    }
}

extension String {
    /// The text with spaces behind it, up to a width.
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}

/// For the shell to complete: without `SIG`, as most people type them.
let signalNames = Signal.all.map { String($0.name.dropFirst(3)) }
