// What the tool can do, on one screen, and what was wrong with how it was called, in one line.
import ArgumentParser
import IPC

extension IPCTool {
    /// Runs the subcommand that was asked for.
    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            if words.isEmpty { throw CleanExit.helpRequest() }
            // Before the options behind a command that does not exist are found to be none of the tool's own.
            let path = words.prefix { !$0.hasPrefix("-") }.drop { $0 == "help" }
            if let fault = unknown(path) { throw fault }
            var command = try parseAsRoot(words)
            try command.run()
        } catch {
            // A program's own status may be that of wrong usage.
            if let fault = error as? UsageFault { fail(with: fault) }
            switch error is ExitCode ? nil : exitCode(for: error) {
            case ExitCode.success: show(fullMessage(for: error))
            case ExitCode.validationFailure: fail(with: fault(error))
            default: exit(withError: error)
            }
        }
    }

    /// Prints a screen of help, or what else was asked for; the root's has a form of its own.
    private static func show(_ text: String) -> Never {
        let isOverview = text.hasPrefix("OVERVIEW: \(configuration.abstract)\n")
        let shown = isOverview ? overview : text
        do {
            try IPCTool().perform {
                try await ByteWriter.standardOutput.write(shown.hasSuffix("\n") ? shown : shown + "\n")
                try ByteWriter.standardOutput.close()
                return .success
            }
            exit()
        } catch { exit(withError: error) }
    }

    private static func fail(with fault: UsageFault) -> Never {
        try? EventLoop.run { await complain(fault) }
        exit(withError: ExitCode.validationFailure)
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

    private static func fault(_ error: any Error) -> UsageFault {
        let text = fullMessage(for: error)
        let command = text.matches(of: #/See '(ipc[a-z -]*?) --help'/#).last.map { String($0.1) } ?? "ipc"
        var reason = message(for: error).split(separator: "\n").joined(separator: " ")
        // What the option or argument is, from its own help; what was typed comes before that.
        if let help = text.matches(of: #/\nHelp: +\S+.*?  +(.+)/#).last?.1 { reason += ": \(help)" }
        for (value, form) in forms where reason.contains("<\(value)>'") && reason.hasPrefix("The value") {
            reason += " " + form
        }
        if command == "ipc kill", reason.contains(#/^(The value '[A-Z]|Unknown option '-[0-9A-Z])/#) {
            reason += (reason.hasSuffix(".") ? "" : ".") + " A signal is said with -s, as in: ipc kill -s HUP 4711."
        }
        return UsageFault(reason: reason, command: command)
    }

    /// What values look like, by the name that help texts give them.
    private static let forms = [
        "seconds": "A number, such as 5 or 0.2.", "octal": "Octal digits, such as 640.",
        "bytes": "A number of bytes, such as 65536.", "pid": "A number, such as 4711.", "user": "A name or a number.",
        "name=n[:hard]":
            "One of \(ResourceLimit.all.map(\.name).joined(separator: ", ")), with a number or unlimited: nofile=64.",
    ]

    /// That there is no such command, if there is none, and which it may have been.
    private static func unknown(_ words: some Collection<String>) -> UsageFault? {
        var commands: [any ParsableCommand.Type] = configuration.groupedSubcommands.flatMap { $0.subcommands }
        var path = "ipc"
        for word in words {
            if commands.isEmpty { return nil }
            guard let next = commands.first(where: { $0._commandName == word }) else {
                let distances = commands.map { (name: $0._commandName, distance: $0._commandName.distance(to: word)) }
                // Of a short word not everything may be wrong.
                let near = distances.filter { $0.distance < 3 && $0.distance * 2 < word.count }
                    .min { $0.distance < $1.distance }
                let suggestion = near.map { "; did you mean '\(path) \($0.name)'?" } ?? ""
                return UsageFault(reason: "there is no '\(path) \(word)'" + suggestion, command: path)
            }
            commands = next.configuration.subcommands
            path += " \(word)"
        }
        return nil
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
    /// How many letters have to be changed, put in, left out or swapped with their neighbours.
    fileprivate func distance(to other: String) -> Int {
        let (ours, theirs) = (Array(self), Array(other))
        var rows = [Array(0...theirs.count)]
        for i in ours.indices {
            var row = [i + 1]
            for j in theirs.indices {
                var best = Swift.min(rows[i][j] + (ours[i] == theirs[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, ours[i] == theirs[j - 1], ours[i - 1] == theirs[j] {
                    best = Swift.min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[ours.count][theirs.count]
    }
}
