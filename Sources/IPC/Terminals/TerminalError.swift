// What goes wrong on a terminal other than that the kernel refuses something or the time is over.

/// A conversation on a terminal that did not go as it was meant to.
public struct TerminalError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The ways in which it does not.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// The program's output came to its end, and what was expected was not in it.
        public static let ended = Kind(description: "ended")
        /// A secret was to be typed while the terminal shows what is typed. Nothing was sent.
        public static let echoes = Kind(description: "echoes")
        /// A line is longer than the 4,095 bytes that a terminal takes line by line; the kernel would drop the rest. Nothing
        /// was sent.
        public static let lineTooLong = Kind(description: "lineTooLong")
        /// A pattern cannot be read.
        public static let invalidPattern = Kind(description: "invalidPattern")
        /// What was to be a terminal is none.
        public static let notATerminal = Kind(description: "notATerminal")
        /// A recording cannot be read, or what was sent is not what is recorded.
        public static let recordingDiffers = Kind(description: "recordingDiffers")
        /// A variable of the environment that was to hold a secret is not there.
        public static let noSecret = Kind(description: "noSecret")
    }

    /// What went wrong.
    public let kind: Kind

    /// What was tried: `expect`, `send`.
    public let operation: String

    /// On what: the program, the terminal, the pattern.
    public let subject: String

    /// More of the reason, for people; empty if there is no more.
    public let detail: String

    /// The end of what was shown and not matched, 8 KiB at most, without the secrets that were sent.
    public let output: [UInt8]

    /// How the program ended, where that is known.
    public let status: ExitStatus?

    init(
        _ kind: Kind, _ operation: String, on subject: String, detail: String = "", output: [UInt8] = [],
        status: ExitStatus? = nil
    ) {
        (self.kind, self.operation, self.subject) = (kind, operation, subject)
        (self.detail, self.output, self.status) = (detail, output, status)
    }

    public var description: String {
        let more = detail.isEmpty ? "" : ": \(detail)"
        let seen = output.isEmpty ? "" : "; the last it showed: \(VisibleText.quoted(output))"
        return "\(operation) \(subject): \(reason)\(more)\(seen)"
    }

    private var reason: String {
        switch kind {
        case .ended: status.map { "the program \($0) before that" } ?? "the output ended before that"
        case .echoes: "the terminal shows what is typed, so the secret was not sent"
        case .lineTooLong: "a terminal that reads lines takes 4095 bytes of one; make it raw or send less"
        case .invalidPattern: "the pattern cannot be read"
        case .notATerminal: "not a terminal"
        case .recordingDiffers: "not as it was recorded"
        case .noSecret: "no such variable in the environment"
        default: "\(kind)"
        }
    }
}
