// The numbers of processes and process groups, which no arithmetic and no failed call can turn into something else.
import CIPC

/// The number of a process: positive, whatever a failed call returned.
///
/// A number alone does not hold on to a process: once it has ended and been waited for, another may get the number. For
/// one's own children ``Child`` has no such gap.
public struct ProcessID: Hashable, Sendable, Comparable, LosslessStringConvertible {
    /// The number as the kernel has it. The C type is `pid_t`.
    public let rawValue: Int32

    /// A process's number; `nil` for zero and negative ones, which to the kernel mean groups or everybody.
    public init?(_ rawValue: Int32) {
        guard rawValue > 0 else { return nil }
        self.rawValue = rawValue
    }

    /// A process's number in decimal digits; `nil` for any other text.
    public init?(_ text: String) {
        guard let number = Int32(text) else { return nil }
        self.init(number)
    }

    init(known rawValue: Int32) { self.rawValue = rawValue }

    /// This process. The C function is `getpid`.
    public static var current: ProcessID { ProcessID(known: ipc_process_id()) }

    /// The process that started this one, or that has taken its place. The C function is `getppid`.
    public static var parent: ProcessID { ProcessID(known: ipc_parent_process_id()) }

    public var description: String { String(rawValue) }

    public static func < (one: ProcessID, other: ProcessID) -> Bool { one.rawValue < other.rawValue }
}

/// The number of a process group: greater than 1, so that no call can hit all processes by mistake.
public struct ProcessGroupID: Hashable, Sendable, LosslessStringConvertible {
    /// The number as the kernel has it, which is that of the process that leads or led the group.
    public let rawValue: Int32

    /// A group's number; `nil` for 1, zero and negative ones.
    public init?(_ rawValue: Int32) {
        guard rawValue > 1 else { return nil }
        self.rawValue = rawValue
    }

    /// A group's number in decimal digits; `nil` for any other text.
    public init?(_ text: String) {
        guard let number = Int32(text) else { return nil }
        self.init(number)
    }

    /// The group of this process; `nil` if a process outside our process namespace leads it. The C function is `getpgrp`.
    public static var current: ProcessGroupID? { ProcessGroupID(ipc_process_group(0)) }

    public var description: String { String(rawValue) }
}
