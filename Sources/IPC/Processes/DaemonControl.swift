// Asking after a daemon, ending it, having it read its configuration anew: by its pid file.
import CIPC
public import SystemPackage

extension Daemon {
    /// The daemon that runs under a pid file; `nil` if none does.
    ///
    /// The file's lock says whether it runs; a number that was left behind by one that has ended, and may be another
    /// process's by now, means nothing.
    ///
    /// - Throws: ``DaemonError`` with `unsafePIDFile`, ``SystemError``. That there is no file is not an error.
    public static func running(pidFile: FilePath) throws -> ProcessID? {
        guard let file = try PIDFile.open(pidFile, making: false), file.isHeld else { return nil }
        return file.processID
    }

    /// Sends the daemon a signal: SIGHUP, for most daemons, is to read their configuration anew.
    ///
    /// - Returns: the daemon's number.
    /// - Throws: ``DaemonError`` with `notRunning`, ``SystemError``.
    @discardableResult
    public static func send(_ signal: Signal, pidFile: FilePath) throws -> ProcessID {
        guard let file = try PIDFile.open(pidFile, making: false) else {
            throw DaemonError(.notRunning, on: pidFile.string)
        }
        return try file.held().send(signal, file)
    }

    /// Ends the daemon: SIGTERM, `grace` to comply, SIGKILL; waits until it is gone, and no start can find it running.
    ///
    /// - Returns: the daemon's number.
    /// - Throws: ``DaemonError`` with `notRunning`, ``SystemError``; ``TimeoutError`` if not even SIGKILL has ended it within five
    ///   seconds; `CancellationError`.
    @discardableResult
    public static func stop(pidFile: FilePath, grace: Duration = .seconds(10)) async throws -> ProcessID {
        guard let file = try PIDFile.open(pidFile, making: false) else {
            throw DaemonError(.notRunning, on: pidFile.string)
        }
        // Nobody starts another under the file meanwhile.
        try await file.awaitTurn(Deadline(in: grace))
        let target = try file.held()
        let processID = try target.send(.terminate, file)
        do { try await file.waitUntilReleased(Deadline(in: grace)) } catch is TimeoutError {
            _ = try? target.send(.kill, file)
            try await file.waitUntilReleased(Deadline(in: .seconds(5)))
        }
        file.remove()
        return processID
    }
}

/// A daemon's process, held by a descriptor, so that a number which is given to another meanwhile is not signalled.
private struct HeldProcess: ~Copyable {
    let processID: ProcessID
    let descriptor: Descriptor

    @discardableResult
    borrowing func send(_ signal: Signal, _ file: PIDFile) throws -> ProcessID {
        // Read again after the process was taken hold of: both are of the daemon that has the lock now.
        guard file.isHeld, file.processID == processID else { throw DaemonError(.notRunning, on: file.path.string) }
        let number = descriptor.number
        try SystemCall.perform("send \(signal)", on: "process \(processID)") {
            ipc_pidfd_send_signal(number, signal.number)
        }
        return processID
    }
}

extension PIDFile {
    fileprivate func held() throws -> HeldProcess {
        guard isHeld, let processID else { throw DaemonError(.notRunning, on: path.string) }
        let name = "process \(processID)"
        let number = ipc_pidfd_open(processID.rawValue)
        if Errno(rawValue: -number) == .noSuchProcess { throw DaemonError(.notRunning, on: path.string) }
        guard number >= 0 else { throw SystemError("open", on: name, Errno(rawValue: -number)) }
        return HeldProcess(processID: processID, descriptor: try Descriptor(fresh: number, "open", on: name))
    }
}
