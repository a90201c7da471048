// What came of a command, and the error if it was not what was asked for.

/// What came of a command that has ended.
public struct CommandResult: Sendable {
    /// The process's number, which may by now be another's.
    public let processID: ProcessID

    /// How the program ended.
    public let status: ExitStatus

    /// What it wrote to its standard output, where that was captured.
    public let output: CapturedOutput

    /// What it wrote to its standard error, where that was captured.
    public let error: CapturedOutput

    /// What it used, with the children that it waited for.
    public let usage: ResourceUsage

    /// How long it took, from before its start to its end.
    public let duration: Duration

    /// How many bytes of its given input it had not taken when it ended.
    public let inputLeft: Int
}

/// A command that did not do what was asked of it: it failed, or wrote more than it was allowed to.
public struct CommandError: Error, Sendable, CustomStringConvertible {
    /// The ways in which a command does not do what was asked of it.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// It ended with another status than 0, or by a signal.
        public static let failed = Kind(description: "failed")
        /// It wrote more than the limit, and was ended.
        public static let outputLimitExceeded = Kind(description: "outputLimitExceeded")
        /// It left before it had read what was written to it.
        public static let inputNotTaken = Kind(description: "inputNotTaken")
    }

    /// What happened.
    public let kind: Kind

    /// The command as one would type it.
    public let command: String

    /// All that is known of the run: the status, and as much of the output as was kept.
    public let result: CommandResult

    /// How the program ended.
    public var status: ExitStatus { result.status }

    /// Describes a command that did not do what was asked of it.
    public init(_ kind: Kind, command: String, result: CommandResult) {
        self.kind = kind
        self.command = command
        self.result = result
    }

    public var description: String {
        let what =
            switch kind {
            case .outputLimitExceeded: "wrote more than its limit after \(result.output.head.count) bytes"
            case .inputNotTaken: "left before it had read its input; it \(status)"
            default: "\(status)"
            }
        let said = result.error.text.split(separator: "\n").last.map { ": \($0)" } ?? ""
        return "\(command): \(what)\(said)"
    }
}
