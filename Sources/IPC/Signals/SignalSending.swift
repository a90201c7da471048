// Sending signals to processes and groups, and asking whether they are there.
import CIPC
import SystemPackage

extension ProcessID {
    /// Sends a signal to the process. The C function is `kill`.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` if there is no such process, with `EPERM` if it belongs to somebody else. That
    ///   the process blocks or ignores the signal, or has ended and not been waited for, is not an error.
    public func send(_ signal: Signal) throws {
        try SystemCall.perform("send \(signal)", on: "process \(self)") { ipc_kill(rawValue, signal.number) }
    }

    /// Whether there is a process with this number, be it ours, another's, or one that has ended and waits to be reaped.
    public var exists: Bool { ipc_kill(rawValue, 0) != -Errno.noSuchProcess.rawValue }
}

extension ProcessGroupID {
    /// Sends a signal to every process of the group. The C function is `killpg`.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` if the group is empty, with `EPERM` if none of its processes may be signalled.
    public func send(_ signal: Signal) throws {
        try SystemCall.perform("send \(signal)", on: "process group \(self)") { ipc_kill(-rawValue, signal.number) }
    }
}
