// What the kernel refused: the operation, its subject and the error number, with a message for people.
import CIPC
public import SystemPackage

/// An operation that the kernel refused.
///
/// Its description has the form *operation subject: reason (C name)*, for example
/// `open app.log: permission denied (EACCES)`.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, by the name of the system call or of the library's operation: `open`, `write`, `start`.
    public let operation: String

    /// What it was tried on: a path, an endpoint, a program.
    public let subject: String

    /// The kernel's reason. The corresponding C variable is `errno`.
    public let errno: Errno

    /// How many bytes had gone through before the failure; 0 where the operation moves none.
    public let transferred: Int

    /// Describes a refusal.
    public init(_ operation: String, on subject: String, _ errno: Errno, transferred: Int = 0) {
        self.operation = operation
        self.subject = subject
        self.errno = errno
        self.transferred = transferred
    }

    public var description: String {
        let done = transferred > 0 ? " after \(transferred) bytes" : ""
        return "\(operation) \(subject): \(errno.reason) (\(errno.name))\(done)"
    }
}

extension Errno {
    /// The C name of the error, such as `ENOENT`, or its number if it has none. The C function is `strerrorname_np`.
    public var name: String {
        ipc_error_name(rawValue).map { String(cString: $0) } ?? "error \(rawValue)"
    }

    /// The reason as part of a sentence: "no such file or directory". The C function is `strerrordesc_np`.
    public var reason: String {
        guard let text = ipc_error_text(rawValue).map({ String(cString: $0) }) else { return "unknown error" }
        let second = text.dropFirst().first
        return second?.isUppercase == true ? text : text.prefix(1).lowercased() + text.dropFirst()
    }
}
