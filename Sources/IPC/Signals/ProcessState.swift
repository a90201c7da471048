// Whether a process is there: five answers where `kill 0` has two.
import CIPC
import SystemPackage

/// What can be said of a process by its number.
public enum ProcessState: String, Hashable, Sendable {
    /// It is there and goes on, or could.
    case running
    /// It is stopped, by a signal or a debugger.
    case stopped
    /// It has ended, and whoever started it has not yet asked how.
    case zombie
    /// There is no such process.
    case gone
    /// It belongs to another user, and may not be signalled by us.
    case notOurs
}

extension ProcessID {
    /// What the process is doing now. The C function is `kill` with the signal 0, the rest is in `/proc`.
    ///
    /// The number may be another process's by now; ``ProcessHandle`` and ``Child`` hold on to one.
    public var state: ProcessState {
        let result = ipc_kill(rawValue, 0)
        if result == -Errno.noSuchProcess.rawValue { return .gone }
        if result == -Errno.notPermitted.rawValue { return .notOurs }
        // Where there is no /proc to ask, the kernel's word that it is there must do.
        guard let stat = try? SmallFile.read("/proc/\(rawValue)/stat") else {
            return ipc_kill(rawValue, 0) == 0 ? .running : .gone
        }
        return ProcessID.state(in: String(decoding: stat, as: UTF8.self))
    }

    /// The state in the text of `/proc/PID/stat`: the fields after the program's name, which may have spaces and parentheses in it.
    static func state(in stat: String) -> ProcessState {
        guard let end = stat.lastIndex(of: ")") else { return .running }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        switch fields.first {
        // The first thread has ended, and others go on: such a process has not.
        case "Z" where fields.count > 17 && (Int(fields[17]) ?? 1) > 1: return .running
        case "Z", "X", "x": return .zombie
        case "T", "t": return .stopped
        default: return .running
        }
    }
}

/// A process that is not a child, held on to: its number cannot come to mean another.
///
/// The kernel's descriptor for a process stays that process's when its number has gone to another. Closed when its owner
/// ends. The system call is `pidfd_open`.
public struct ProcessHandle: ~Copyable, Sendable {
    /// The process's number.
    public let processID: ProcessID

    private let descriptor: Descriptor

    /// Takes hold of a process.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` if there is none with that number, with `EMFILE` if no descriptor is free.
    public init(_ processID: ProcessID) throws {
        let subject = "process \(processID)"
        let number = try SystemCall.perform("open", on: subject) { ipc_pidfd_open(processID.rawValue) }
        descriptor = try Descriptor(fresh: number, "open", on: subject)
        self.processID = processID
    }

    /// Sends the process a signal. The system call is `pidfd_send_signal`.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` if it has ended and was reaped, with `EPERM` if it belongs to somebody else.
    public borrowing func send(_ signal: Signal) throws {
        let (number, process) = (descriptor.number, processID)
        try SystemCall.perform("send \(signal)", on: "process \(process)") {
            ipc_pidfd_send_signal(number, signal.number)
        }
    }

    /// Sends the process a signal with a value, as ``ProcessID/send(_:value:)`` does.
    public borrowing func send(_ signal: Signal, value: Int) throws {
        let (number, process) = (descriptor.number, processID)
        try SystemCall.perform("send \(signal)", on: "process \(process)") {
            ipc_pidfd_queue_signal(number, signal.number, Int64(value))
        }
    }

    /// What the process is doing now.
    public var state: ProcessState {
        let result = ipc_pidfd_send_signal(descriptor.number, 0)
        if result == -Errno.noSuchProcess.rawValue { return .gone }
        // It still has its number: no other can have it.
        return processID.state
    }

    /// Waits until the process has ended. How it ended only its parent learns.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`.
    public borrowing func waitUntilEnded(timeout: Duration? = nil) async throws {
        try await descriptor.waitUntilReadable(timeout: timeout)
    }

    /// Waits until the process has ended, as ``waitUntilEnded(timeout:)`` does, until a deadline.
    public borrowing func waitUntilEnded(deadline: Deadline) async throws {
        try await descriptor.waitUntilReadable(deadline: deadline)
    }
}
