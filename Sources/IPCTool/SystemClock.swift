// The time of the day, and how it is written.
import FoundationEssentials

enum SystemClock {
    /// Seconds since 1970.
    static var seconds: Int64 { Int64(Date.now.timeIntervalSince1970.rounded(.down)) }

    /// A time as ISO 8601 has it, in UTC.
    static func text(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }
}
