// What the kernel refused of System V IPC, with what people need to know: whose it is, which limit, which size.
import CIPC
public import SystemPackage

/// An operation on an object of System V that was refused.
///
/// Its description has the form *operation object: reason (C name)*, for example
/// `open semaphore set 1234: it belongs to user 1000, mode 0600 (EACCES)`.
public struct SystemVError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The ways in which an operation can fail.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// There is an object already, and a new one was asked for.
        public static let alreadyExists = Kind(description: "alreadyExists")
        /// There is no object with that key.
        public static let notFound = Kind(description: "notFound")
        /// The object is another user's, who has not given us the right.
        public static let notPermitted = Kind(description: "notPermitted")
        /// The object has another size than the one that was asked for.
        public static let wrongSize = Kind(description: "wrongSize")
        /// A limit of the kernel is reached; the text names it.
        public static let limitReached = Kind(description: "limitReached")
        /// Somebody has removed the object, perhaps while it was waited for.
        public static let removed = Kind(description: "removed")
        /// A message is larger than the queue allows, or than the room for it; nothing is lost.
        public static let tooLarge = Kind(description: "tooLarge")
        /// A place outside the object, or a value that it cannot have.
        public static let outOfRange = Kind(description: "outOfRange")
        /// Anything else; ``SystemVError/errno`` says it.
        public static let other = Kind(description: "other")
    }

    /// What became of the operation.
    public let kind: Kind
    /// What was tried: `open`, `take`, `send`.
    public let operation: String
    /// The object, by kind and key.
    public let subject: String
    /// The reason: the kernel's, or what it would have said of what was refused before it was asked.
    public let errno: Errno
    /// What else is known, as part of a sentence.
    public let detail: String

    public var description: String { "\(operation) \(subject): \(detail) (\(errno.name))" }

    init(_ kind: Kind, _ operation: String, on subject: String, _ errno: Errno, _ detail: String? = nil) {
        self.kind = kind
        self.operation = operation
        self.subject = subject
        self.errno = errno
        self.detail = detail ?? errno.reason
    }
}

extension SystemVError {
    /// The error of a call on an object that is there, by the number that the kernel gave.
    static func of(_ operation: String, on subject: String, _ errno: Errno, _ detail: String? = nil) -> SystemVError {
        let kind: Kind =
            switch errno {
            case .identifierRemoved: .removed
            case .invalidArgument where detail == nil: .removed
            case .permissionDenied, .notPermitted: .notPermitted
            case .noSpace, .noMemory: .limitReached
            case .argListTooLong, .messageTooLong: .tooLarge
            case .fileTooLarge, .outOfRange: .outOfRange
            default: .other
            }
        let reason = kind == .removed ? "it was removed" : detail
        return SystemVError(kind, operation, on: subject, errno, reason)
    }

    /// The error of opening one.
    static func opening(
        _ kind: SystemV.Kind, _ key: SystemV.Key, _ opening: Opening, size: Int, _ errno: Errno
    ) -> SystemVError {
        let (subject, verb) = ("\(kind) \(key)", opening == .open ? "open" : "create")
        func error(_ kind: Kind, _ verb: String, _ detail: String) -> SystemVError {
            SystemVError(kind, verb, on: subject, errno, detail)
        }
        let there = key == .private ? nil : try? SystemV.objects(of: [kind]).first { $0.key == key }
        switch errno {
        case .fileExists: return error(.alreadyExists, verb, "there is one already")
        case .noSuchFileOrDirectory: return error(.notFound, verb, "there is none")
        case .permissionDenied, .notPermitted:
            return error(.notPermitted, "open", there.map { "it \($0.ownership)" } ?? errno.reason)
        case .noSpace: return error(.limitReached, "create", SystemV.limits(of: kind))
        case .noMemory: return error(.limitReached, "create", "there is no memory for a size of \(size)")
        case .invalidArgument:
            if let there, opening != .create {
                return error(.wrongSize, "open", "it has \(there.sizeText), not \(size)")
            }
            return error(.outOfRange, verb, "a size of \(size) is none that it can have; \(SystemV.limits(of: kind))")
        default: return error(.other, verb, errno.reason)
        }
    }
}
