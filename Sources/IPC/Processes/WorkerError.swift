// Why there is no reply from a worker.

/// A worker that gave no reply.
public struct WorkerError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// Its `run` threw an error, whose text is the message.
        public static let failed = Kind(description: "failed")
        /// Its process ended without a reply: by an exit, a crash, a signal.
        public static let ended = Kind(description: "ended")
        /// This program has not called ``Workers/runIfRequested()``, so that another copy of it would run on as the program.
        /// Nothing was started.
        public static let notEntered = Kind(description: "notEntered")
        /// The type cannot be found by its name, as private ones and those inside functions cannot. Nothing was started.
        public static let unknown = Kind(description: "unknown")
        /// The worker would not take the request.
        public static let refused = Kind(description: "refused")
        /// The worker sent what is no reply.
        public static let invalidReply = Kind(description: "invalidReply")
    }

    /// What happened.
    public let kind: Kind

    /// The worker's type.
    public let worker: String

    /// What there is to say: for `failed`, the worker's error in words. May be empty.
    public let message: String

    /// How the worker's process ended, where that is what happened.
    public let status: ExitStatus?

    /// Describes a worker that gave no reply.
    public init(_ kind: Kind, worker: String, message: String = "", status: ExitStatus? = nil) {
        self.kind = kind
        self.worker = worker
        self.message = message
        self.status = status
    }

    public var description: String {
        let what =
            switch kind {
            case .failed: "failed"
            case .ended: status.map { "\($0) without a reply" } ?? "gave no reply"
            case .notEntered: "not started: the program does not begin with Workers.runIfRequested()"
            case .unknown: "not started: the type cannot be found by its name"
            case .refused: "refused the request"
            default: "sent what is no reply"
            }
        return "worker \(worker): \(what)\(message.isEmpty ? "" : ": \(message)")"
    }
}
