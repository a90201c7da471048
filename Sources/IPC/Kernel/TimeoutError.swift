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
        let sign = self < .zero ? "-" : ""
        let (seconds, attoseconds) = (components.seconds.magnitude, components.attoseconds.magnitude)
        let nanoseconds = attoseconds / 1_000_000_000
        if seconds > 0 { return sign + Duration.decimal(seconds, nanoseconds / 1_000_000) + " s" }
        if nanoseconds >= 1_000_000 {
            return sign + Duration.decimal(nanoseconds / 1_000_000, nanoseconds / 1_000 % 1_000) + " ms"
        }
        if nanoseconds >= 1_000 { return sign + Duration.decimal(nanoseconds / 1_000, nanoseconds % 1_000) + " us" }
        return nanoseconds == 0 ? "0 s" : "\(sign)\(nanoseconds) ns"
    }

    private static func decimal(_ whole: UInt64, _ thousandths: UInt64) -> String {
        if thousandths == 0 { return "\(whole)" }
        var fraction = String(thousandths)
        fraction = String(repeating: "0", count: 3 - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return "\(whole).\(fraction)"
    }
}
