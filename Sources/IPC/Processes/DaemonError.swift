// Why there is no new daemon.

/// A daemon that was not started, or that ended before it was ready. Thrown in the process that was to start it.
public struct DaemonError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The ways in which a daemon is not started.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// One runs already under the pid file.
        public static let alreadyRunning = Kind(description: "alreadyRunning")
        /// None runs under the pid file.
        public static let notRunning = Kind(description: "notRunning")
        /// The pid file is not one that this user may trust: a link, another's file, no regular file.
        public static let unsafePIDFile = Kind(description: "unsafePIDFile")
        /// It said itself that it cannot start.
        public static let refused = Kind(description: "refused")
        /// It ended before it was ready.
        public static let ended = Kind(description: "ended")
    }

    /// What happened.
    public let kind: Kind

    /// The pid file, or the program.
    public let subject: String

    /// The one that runs already.
    public let processID: ProcessID?

    /// The status that the launching process ends with.
    public let status: Int32

    /// What the daemon said, or what is wrong with the file.
    public let reason: String

    init(_ kind: Kind, on subject: String, processID: ProcessID? = nil, status: Int32 = 71, reason: String = "") {
        self.kind = kind
        self.subject = subject
        self.processID = processID
        self.status = status
        self.reason = reason
    }

    public var description: String {
        let who = processID.map { " as process \($0)" } ?? ""
        switch kind {
        case .alreadyRunning: return "\(subject): already running\(who)"
        case .notRunning: return "\(subject): not running"
        case .unsafePIDFile: return "\(subject): not used as a pid file: \(reason)"
        case .ended: return "\(subject): \(reason) before it was ready"
        default: return reason
        }
    }
}
