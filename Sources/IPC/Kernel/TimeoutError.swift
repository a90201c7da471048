// A wait that ended because its limit had passed.

/// An operation that was not done when its limit had passed.
///
/// Nothing of it goes on in the background: what was started for it has been ended, and what was read stays readable.
public struct TimeoutError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was waited for: `read`, `wait`, `run`.
    public let operation: String

    /// On what: a stream, a program, an endpoint.
    public let subject: String

    /// The limit that passed, as it was given.
    public let limit: Duration

    /// How many bytes had gone through before; 0 where the operation moves none.
    public let transferred: Int

    /// What a command had written to its standard output by then, as far as it was kept; empty for other waits.
    public let output: [UInt8]

    /// What a command had written to its standard error by then, as far as it was kept; empty for other waits.
    public let error: [UInt8]

    /// Describes a limit that passed.
    public init(
        _ operation: String, on subject: String, limit: Duration, transferred: Int = 0, output: [UInt8] = [],
        error: [UInt8] = []
    ) {
        self.operation = operation
        self.subject = subject
        self.limit = limit
        self.transferred = transferred
        self.output = output
        self.error = error
    }

    public var description: String {
        let done = transferred > 0 ? " after \(transferred) bytes" : ""
        return "\(operation) \(subject): not done within \(limit.inWords)\(done)"
    }
}

extension Duration {
    /// The duration for people: `250 ms`, `3 s`, `1.5 s`.
    var inWords: String {
        let (seconds, attoseconds) = components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        if seconds == 0 { return milliseconds == 0 ? "\(attoseconds / 1_000_000_000_000) us" : "\(milliseconds) ms" }
        if milliseconds == 0 { return "\(seconds) s" }
        var fraction = String(milliseconds)
        fraction = String(repeating: "0", count: 3 - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return "\(seconds).\(fraction) s"
    }
}
