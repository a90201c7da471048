// A point in time by which something is to be done, shared by as many waits as need be.
import CIPC

/// A point in time by which something is to be done, on the monotonic clock: setting the system's clock does not move it.
///
/// A `timeout:` starts anew with each call; a deadline is one limit for several. Pass it to each call that has a
/// `deadline:`, or run a body under it:
///
/// ```swift
/// let deadline = Deadline(in: .seconds(10))
/// try await deadline.run {
///     try await connection.write(request)
///     return try await connection.readLine()
/// }
/// ```
public struct Deadline: Hashable, Sendable, Comparable {
    /// Nanoseconds of the monotonic clock.
    let instant: UInt64

    /// The duration that the deadline was made from; named in the error when it passes.
    public let limit: Duration

    /// The deadline that passes when `limit` has gone by from now. A negative or zero limit has passed already.
    ///
    /// The clock is `CLOCK_MONOTONIC`; fractions of a nanosecond are rounded up.
    public init(in limit: Duration) {
        self.limit = limit
        let (sum, overflow) = ipc_monotonic_now().addingReportingOverflow(limit.nanosecondsRoundedUp)
        instant = overflow ? .max : sum
    }

    /// The time that is left; zero once the deadline has passed.
    public var remaining: Duration {
        let now = ipc_monotonic_now()
        return now >= instant ? .zero : .nanoseconds(Int64(clamping: instant - now))
    }

    /// Whether the deadline has passed.
    public var hasPassed: Bool { ipc_monotonic_now() >= instant }

    /// Sets this deadline for every wait of the library inside `body`, the waits of child tasks included.
    ///
    /// Of several deadlines, one inside the other or an inner `timeout:`, the earliest counts. Code that does not wait is
    /// not interrupted.
    ///
    /// - Throws: what `body` throws; its waits throw ``TimeoutError`` once the deadline has passed.
    public func run<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await Deadline.$ambient.withValue(Deadline.earliest(self, Deadline.ambient)) { try await body() }
    }

    public static func < (one: Deadline, other: Deadline) -> Bool { one.instant < other.instant }

    /// The deadline that ``run(_:)`` has set for the current task.
    @TaskLocal static var ambient: Deadline?

    /// The one that passes first; `nil` is none at all.
    @inline(__always)
    static func earliest(_ one: Deadline?, _ other: Deadline?) -> Deadline? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    /// The deadline for a `timeout:`; none for `nil`.
    @inline(__always)
    static func after(_ timeout: Duration?) -> Deadline? {
        timeout.map { Deadline(in: $0) }
    }

    /// The instant as waits in C take it: -1 is none at all.
    static func until(_ deadline: Deadline?) -> Int64 { deadline.map { max(1, Int64(clamping: $0.instant)) } ?? -1 }

    /// The error of a wait that this deadline ended.
    func passed(_ operation: String, on subject: String, transferred: Int = 0) -> TimeoutError {
        TimeoutError(operation, on: subject, limit: limit, transferred: transferred)
    }
}

extension Duration {
    /// Whole nanoseconds, rounded up; zero for negative durations, the largest number for what does not fit.
    var nanosecondsRoundedUp: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, isTooLong) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow) = whole.addingReportingOverflow((UInt64(attoseconds) + 999_999_999) / 1_000_000_000)
        return isTooLong || overflow ? .max : sum
    }
}
