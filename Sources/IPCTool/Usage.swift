// What the tool can do, on one screen, and what was wrong with how it was called, in one line.
import ArgumentParser
import IPC

extension IPCTool {
    /// Runs the subcommand that was asked for.
    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        if [[], ["help"], ["-h"], ["--help"]].contains(words) { exit(withError: CleanExit.message(overview)) }
        do {
            var command = try parseAsRoot(words)
            try command.run()
        } catch {
            // A program's own status may be that of wrong usage.
            if error is ExitCode || exitCode(for: error) != .validationFailure { exit(withError: error) }
            let line = fault(error, in: words)
            do { try EventLoop.run { await complain(line) } } catch { exit(withError: error) }
            exit(withError: ExitCode.validationFailure)
        }
    }

    // MARK: One screen

    /// All commands by chapter, with a line each.
    static var overview: String {
        var text = configuration.abstract + "\n"
        for group in configuration.groupedSubcommands {
            for (index, command) in group.subcommands.enumerated() {
                let title = index == 0 ? "\n" + group.name.padded(to: 14) : "".padded(to: 14)
                text += title + command._commandName.padded(to: 11) + command.configuration.abstract + "\n"
            }
        }
        return text + "\n" + configuration.discussion
    }

    // MARK: One line

    private static func fault(_ error: any Error, in words: [String]) -> UsageFault {
        let command = fullMessage(for: error).matches(of: #/See '(ipc[a-z -]*?) --help'/#).last.map { String($0.1) }
        var reason = message(for: error).split(separator: "\n").joined(separator: " ")
        // What the option or argument is, from its own help.
        if let help = fullMessage(for: error).firstMatch(of: #/\nHelp: +\S+.*?  +(.+)/#)?.1 { reason += ": \(help)" }
        let better = misspelled(reason, after: command ?? "ipc")
        return UsageFault(reason: better ?? reason, command: command ?? "ipc")
    }

    /// What is to be said of a command that does not exist.
    private static func misspelled(_ reason: String, after command: String) -> String? {
        guard let word = reason.wholeMatch(of: #/Unexpected argument '(.*)'/#)?.1 else { return nil }
        var commands: [any ParsableCommand.Type] = configuration.groupedSubcommands.flatMap { $0.subcommands }
        for name in command.split(separator: " ").dropFirst() {
            commands = commands.first { $0._commandName == name }?.configuration.subcommands ?? []
        }
        guard !commands.isEmpty else { return nil }
        let near = commands.map { $0._commandName }.filter { $0.distance(to: word) < 3 }
            .min { $0.distance(to: word) < $1.distance(to: word) }
        return "there is no '\(command) \(word)'" + (near.map { "; did you mean '\(command) \($0)'?" } ?? "")
    }
}

/// A call that the tool does not understand.
private struct UsageFault: Error, CustomStringConvertible {
    let reason: String
    let command: String

    var description: String {
        let text = reason.prefix(1).lowercased() + reason.dropFirst()
        let isSentence = text.hasSuffix("?") || text.hasSuffix(".") && !text.hasSuffix("...")
        let end = isSentence ? " See" : "; see"
        return "\(text)\(end) \(command) --help"
    }
}

extension String {
    /// How many letters have to be changed, put in or left out (Levenshtein).
    fileprivate func distance(to other: Substring) -> Int {
        var row = Array(0...other.count)
        for (index, letter) in enumerated() {
            var (corner, left) = (row[0], index + 1)
            row[0] = left
            for (place, wanted) in other.enumerated() {
                left = Swift.min(corner + (letter == wanted ? 0 : 1), Swift.min(row[place + 1], left) + 1)
                (corner, row[place + 1]) = (row[place + 1], left)
            }
        }
        return row[other.count]
    }
}
