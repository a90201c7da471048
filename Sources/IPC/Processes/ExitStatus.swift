// How a program ended, and what it used.

/// How a program ended.
public enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    /// It ended by itself, with a status from 0 to 255.
    case exited(Int32)
    /// A signal ended it.
    case signalled(Signal, coreDumped: Bool)
    /// It has ended, and somebody else in this process took its status away: a `waitpid` for any child, or an ignored
    /// SIGCHLD on a kernel that does not remember (before 6.15).
    case unknown

    /// Whether the program ended by itself with status 0.
    public var isSuccess: Bool { self == .exited(0) }

    /// The status as a shell gives it: that of the program, or 128 and the number of the signal; 255 if it is not known.
    public var shellStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let signal, _): 128 + signal.number
        case .unknown: 255
        }
    }

    public var description: String {
        switch self {
        case .exited(let status): "exited with status \(status)"
        case .signalled(let signal, let dumped): "ended by \(signal)\(dumped ? " (core dumped)" : "")"
        case .unknown: "ended, with a status that was taken away"
        }
    }
}

/// What a program and those of its children that it waited for have used. The C function is `getrusage`.
public struct ResourceUsage: Hashable, Sendable {
    /// Processor time in the programs' own code.
    public let userTime: Duration

    /// Processor time in the kernel.
    public let systemTime: Duration

    /// The most memory that was resident at a time, in bytes.
    public let peakMemory: Int

    /// Describes a usage.
    public init(userTime: Duration, systemTime: Duration, peakMemory: Int) {
        self.userTime = userTime
        self.systemTime = systemTime
        self.peakMemory = peakMemory
    }

    static let none = ResourceUsage(userTime: .zero, systemTime: .zero, peakMemory: 0)
}
