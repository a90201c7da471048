// Why a program could not be started, told by the call that starts it.
public import SystemPackage

/// A program that could not be started. Thrown by the call that starts it; nothing of it has run.
public struct StartError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The ways in which a start fails.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind, such as `notFound`.
        public let description: String

        /// There is no such program, in no folder of the PATH if it was named without a slash.
        public static let notFound = Kind(description: "notFound")
        /// The file may not be executed.
        public static let notExecutable = Kind(description: "notExecutable")
        /// The program's name is that of a directory.
        public static let isDirectory = Kind(description: "isDirectory")
        /// The file is no program of this machine: empty, a script without `#!`, another architecture.
        public static let unknownFormat = Kind(description: "unknownFormat")
        /// The program that the script's first line, or the executable, names as its interpreter does not exist.
        public static let interpreterNotFound = Kind(description: "interpreterNotFound")
        /// The interpreter exists and may not be executed.
        public static let interpreterNotExecutable = Kind(description: "interpreterNotExecutable")
        /// The file is open for writing.
        public static let busy = Kind(description: "busy")
        /// The file system is mounted without the right to execute.
        public static let mountedNoExec = Kind(description: "mountedNoExec")
        /// A name or the path is longer than the file system takes.
        public static let nameTooLong = Kind(description: "nameTooLong")
        /// The path leads in a circle.
        public static let symbolicLinkLoop = Kind(description: "symbolicLinkLoop")
        /// The arguments and the environment, or one of them, are more than the kernel takes.
        public static let argumentsTooLong = Kind(description: "argumentsTooLong")
        /// An argument, a variable or a path has a NUL inside, or a variable's name is none.
        public static let invalidArgument = Kind(description: "invalidArgument")
        /// The working directory does not exist, is none, or may not be entered.
        public static let directoryNotFound = Kind(description: "directoryNotFound")
        /// There is no such user or group.
        public static let userNotFound = Kind(description: "userNotFound")
        /// A file for a standard stream could not be opened.
        public static let streamNotOpened = Kind(description: "streamNotOpened")
        /// A limit is reached: of processes, of descriptors, of memory.
        public static let resourceLimit = Kind(description: "resourceLimit")
        /// The kernel or its policy forbids it.
        public static let notPermitted = Kind(description: "notPermitted")
        /// Anything else; the error number says more.
        public static let other = Kind(description: "other")
    }

    /// What went wrong.
    public let kind: Kind

    /// What was tried when it did: `execute`, `enter directory`, `clone`, `open`.
    public let operation: String

    /// What it was tried on: the program, its interpreter, the directory, the argument.
    public let subject: String

    /// The kernel's reason, or the one that it would have given.
    public let errno: Errno

    /// More to the person: the folders that were searched, the sizes that were too large; often empty.
    public let detail: String

    /// Describes a failed start.
    public init(_ kind: Kind, _ operation: String, on subject: String, _ errno: Errno, detail: String = "") {
        self.kind = kind
        self.operation = operation
        self.subject = subject
        self.errno = errno
        self.detail = detail
    }

    public var description: String {
        let more = detail.isEmpty ? "" : ": \(detail)"
        return "\(operation) \(subject): \(reason) (\(errno.name))\(more)"
    }

    private var reason: String {
        switch kind {
        case .isDirectory: "is a directory"
        case .notExecutable: "not executable"
        case .unknownFormat: "not a program that this machine can run"
        case .interpreterNotFound: "the interpreter does not exist"
        case .interpreterNotExecutable: "the interpreter is not executable"
        case .userNotFound: "not in the user database"
        case .busy: "open for writing"
        case .mountedNoExec: "on a file system mounted without the right to execute"
        case .argumentsTooLong: "arguments and environment too long"
        default: errno.reason
        }
    }
}
