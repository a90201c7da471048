// Sending signals to processes and groups.
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

    /// Sends a signal with a value to the process. The C function is `sigqueue`.
    ///
    /// Real-time signals arrive as often as they are sent, each with its value, in order; a standard one that has not arrived
    /// yet swallows a second, value and all.
    ///
    /// - Throws: ``SystemError`` with `EAGAIN` if as many signals wait as the receiver's user may have waiting
    ///   (`RLIMIT_SIGPENDING`): this one was not sent. Else as ``send(_:)`` does.
    public func send(_ signal: Signal, value: Int) throws {
        try SystemCall.perform("send \(signal)", on: "process \(self)") {
            ipc_queue_signal(rawValue, signal.number, Int64(value))
        }
    }

    /// Whether there is a process with this number, be it ours, another's, or one that has ended and waits to be reaped;
    /// ``state`` tells them apart.
    public var exists: Bool { ipc_kill(rawValue, 0) != -Errno.noSuchProcess.rawValue }
}

extension ProcessGroupID {
    /// Sends a signal to every process of the group. The C function is `killpg`.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` if the group is empty, with `EPERM` if none of its processes may be signalled.
    public func send(_ signal: Signal) throws {
        try SystemCall.perform("send \(signal)", on: "process group \(self)") { ipc_kill(-rawValue, signal.number) }
    }

    /// Sends a signal to every process of this process's group but this process.
    ///
    /// The signal is ignored here meanwhile: one that somebody else sends in that moment is lost to this process.
    ///
    /// - Throws: ``SystemError`` with `EINVAL` for `SIGKILL` and `SIGSTOP`, which nobody can ignore; with `ESRCH` if the group's
    ///   leader is outside our process namespace.
    public static func sendToOthers(_ signal: Signal) throws {
        guard let group = ProcessGroupID.current else {
            throw SystemError("send \(signal)", on: "own process group", .noSuchProcess)
        }
        let claim = try SignalRegistry.shared.add(.ignore, for: [signal])
        defer { SignalRegistry.shared.remove(claim) }
        try group.send(signal)
    }
}

extension Signal {
    /// Ends this process by the signal, as if nobody had caught it: whoever waits for the process learns that the signal
    /// ended it, and a shell says 128 and its number.
    ///
    /// For tools that have caught a signal, cleaned up, and owe their caller the truth. What `print` has put into a buffer is
    /// written before, unless another thread is writing just then; functions for `atexit` are not called. Where the signal ends
    /// nobody, the exit status is 128 and its number.
    public func endProcess() -> Never {
        ipc_flush_standard_streams()
        ipc_die_by_signal(number)
    }
}
