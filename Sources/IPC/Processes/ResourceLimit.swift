// What the kernel limits for a process.
// tidy: table
import CIPC

/// Something that the kernel limits for a process. The C function is `setrlimit`.
public struct ResourceLimit: Hashable, Sendable, CustomStringConvertible {
    let kind: ipc_limit

    /// The limit's short name, as `ulimit` and `prlimit` know it: `nofile`, `nproc`, `cpu`.
    public let name: String

    private init(_ kind: ipc_limit, _ name: String) {
        self.kind = kind
        self.name = name
    }

    /// Descriptors: one more than the highest number. `RLIMIT_NOFILE`.
    public static let openFiles = ResourceLimit(IPC_LIMIT_FILES, "nofile")
    /// Processes and threads of the user. `RLIMIT_NPROC`.
    public static let processes = ResourceLimit(IPC_LIMIT_PROCESSES, "nproc")
    /// Processor time in seconds, after which SIGXCPU comes, and SIGKILL at the hard limit. `RLIMIT_CPU`.
    public static let processorTime = ResourceLimit(IPC_LIMIT_CPU, "cpu")
    /// The size of a file that is written, in bytes; beyond it SIGXFSZ comes. `RLIMIT_FSIZE`.
    public static let fileSize = ResourceLimit(IPC_LIMIT_FILE_SIZE, "fsize")
    /// The address space, in bytes. `RLIMIT_AS`.
    public static let addressSpace = ResourceLimit(IPC_LIMIT_ADDRESS_SPACE, "as")
    /// A core file, in bytes; 0 for none. `RLIMIT_CORE`.
    public static let coreFile = ResourceLimit(IPC_LIMIT_CORE, "core")
    /// The data segment, in bytes. `RLIMIT_DATA`.
    public static let dataSegment = ResourceLimit(IPC_LIMIT_DATA, "data")
    /// The stack of the main thread, in bytes. `RLIMIT_STACK`.
    public static let stack = ResourceLimit(IPC_LIMIT_STACK, "stack")
    /// Memory that is kept from being paged out, in bytes. `RLIMIT_MEMLOCK`.
    public static let lockedMemory = ResourceLimit(IPC_LIMIT_LOCKED_MEMORY, "memlock")
    /// Resident memory, in bytes, which Linux no longer limits. `RLIMIT_RSS`.
    public static let residentMemory = ResourceLimit(IPC_LIMIT_RESIDENT, "rss")
    /// Locks on files, which Linux no longer limits. `RLIMIT_LOCKS`.
    public static let locks = ResourceLimit(IPC_LIMIT_LOCKS, "locks")
    /// Signals that wait to be delivered. `RLIMIT_SIGPENDING`.
    public static let pendingSignals = ResourceLimit(IPC_LIMIT_SIGNALS, "sigpending")
    /// Bytes in POSIX message queues. `RLIMIT_MSGQUEUE`.
    public static let messageQueues = ResourceLimit(IPC_LIMIT_MESSAGE_QUEUES, "msgqueue")
    /// How far the priority may be raised: 20 less the nice value. `RLIMIT_NICE`.
    public static let nice = ResourceLimit(IPC_LIMIT_NICE, "nice")
    /// The highest real-time priority. `RLIMIT_RTPRIO`.
    public static let realTimePriority = ResourceLimit(IPC_LIMIT_REAL_TIME_PRIORITY, "rtprio")
    /// Processor time without a pause under real-time scheduling, in microseconds. `RLIMIT_RTTIME`.
    public static let realTime = ResourceLimit(IPC_LIMIT_REAL_TIME, "rttime")

    /// All limits that Linux has.
    public static let all: [ResourceLimit] = [
        openFiles, processes, processorTime, fileSize, addressSpace, coreFile, dataSegment, stack, lockedMemory,
        residentMemory, locks, pendingSignals, messageQueues, nice, realTimePriority, realTime,
    ]

    /// The limit of a name, such as `nofile`; `nil` if there is none.
    public init?(name: String) {
        guard let limit = ResourceLimit.all.first(where: { $0.name == name.lowercased() }) else { return nil }
        self = limit
    }

    public var description: String { name }

    public static func == (one: ResourceLimit, other: ResourceLimit) -> Bool { one.name == other.name }

    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// What this process has: the limit in force, and the highest it may set; `UInt64.max` is none.
    var current: (soft: UInt64, hard: UInt64) {
        var (soft, hard) = (UInt64.max, UInt64.max)
        _ = ipc_get_limit(Int32(kind.rawValue), &soft, &hard)
        return (soft, hard)
    }
}
