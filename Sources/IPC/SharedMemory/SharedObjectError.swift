// What was refused of an object that processes share by its name, with what people need to know: whose, how large, which limit.
public import SystemPackage

/// An operation on shared memory, a shared variable, a lock, a named semaphore or a POSIX queue that was refused.
///
/// Its description has the form *operation object: reason (C name)*, for example
/// `open shared variable /hits: it belongs to user 1000, mode 0600 (EACCES)`.
public struct SharedObjectError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The ways in which an operation can fail.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// There is an object of that name already, and a new one was asked for.
        public static let alreadyExists = Kind(description: "alreadyExists")
        /// There is no object of that name.
        public static let notFound = Kind(description: "notFound")
        /// The object is another user's, or open to more users than it should be, or is not given to us.
        public static let notPermitted = Kind(description: "notPermitted")
        /// No object can have that name.
        public static let badName = Kind(description: "badName")
        /// The object has another size than the one that was asked for.
        public static let wrongSize = Kind(description: "wrongSize")
        /// What is there is something else: of another type, of another program, of a newer version.
        public static let wrongLayout = Kind(description: "wrongLayout")
        /// What is there has been written over by somebody who does not know what it is.
        public static let damaged = Kind(description: "damaged")
        /// The memory is gone while we used it: somebody has cut it short, or it never had any and none is left. It can be used no more.
        public static let truncated = Kind(description: "truncated")
        /// A limit is reached: memory, or the kernel's on queues; the text names it.
        public static let limitReached = Kind(description: "limitReached")
        /// A message or a value is larger than there is room for; nothing is lost.
        public static let tooLarge = Kind(description: "tooLarge")
        /// A place outside the object, or a value that it cannot have.
        public static let outOfRange = Kind(description: "outOfRange")
        /// The holder of the lock died with it, and nothing was given to repair what it left.
        public static let holderDied = Kind(description: "holderDied")
        /// The holder of the lock died with it, and whoever came after has not repaired what it left.
        public static let poisoned = Kind(description: "poisoned")
        /// The thread that wants the lock has it.
        public static let deadlock = Kind(description: "deadlock")
        /// Another process is the one instance.
        public static let alreadyRunning = Kind(description: "alreadyRunning")
        /// The name means another object by now, or none.
        public static let replaced = Kind(description: "replaced")
        /// This program has closed the object.
        public static let closed = Kind(description: "closed")
        /// Anything else; ``SharedObjectError/errno`` says it.
        public static let other = Kind(description: "other")
    }

    /// What became of the operation.
    public let kind: Kind
    /// What was tried: `open`, `read`, `lock`, `send`.
    public let operation: String
    /// The object, by kind and name.
    public let subject: String
    /// The reason: the kernel's, or what it would have said of what was refused before it was asked.
    public let errno: Errno
    /// What else is known, as part of a sentence.
    public let detail: String
    /// The process that it is about: a lock's dead holder, the one instance; `nil` if it is about none, or it is not known.
    public let process: ProcessID?

    public var description: String { "\(operation) \(subject): \(detail) (\(errno.name))" }

    init(
        _ kind: Kind, _ operation: String, on subject: String, _ errno: Errno, _ detail: String? = nil,
        process: ProcessID? = nil
    ) {
        self.kind = kind
        self.operation = operation
        self.subject = subject
        self.errno = errno
        self.detail = detail ?? errno.reason
        self.process = process
    }

    /// The error of doing something to an object by a name that does not mean it any more.
    static func replaced(_ operation: String, on subject: String) -> SharedObjectError {
        SharedObjectError(
            .replaced, operation, on: subject, .noSuchFileOrDirectory, "the name means another, or none, by now")
    }

    /// The error of a call of the kernel.
    init(_ operation: String, on subject: String, _ errno: Errno) {
        let kind: Kind =
            switch errno {
            case .noSuchFileOrDirectory: .notFound
            case .fileExists: .alreadyExists
            case .permissionDenied, .notPermitted: .notPermitted
            case .noSpace, .noMemory, .tooManyOpenFiles, .tooManyOpenFilesInSystem: .limitReached
            case .messageTooLong: .tooLarge
            case .overflow: .outOfRange
            default: .other
            }
        let detail: String? =
            switch kind {
            case .notFound: "there is none"
            case .alreadyExists: "there is one already"
            default: nil
            }
        self.init(kind, operation, on: subject, errno, detail)
    }
}
