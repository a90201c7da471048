// A process that has left its terminal, its session and its parent behind, and says when it is ready.
import CIPC
import Synchronization
public import SystemPackage

/// A process that runs by itself: in a session without a terminal, under a pid file if it has one, with its launcher told
/// when it is ready or why it is not.
///
/// ```swift
/// let daemon = try Daemon.detach(pidFile: "app.pid", log: "app.log")   // the first statement of main
/// ... open, bind, load ...
/// try daemon.ready()
/// ```
///
/// No process is forked: a threaded program cannot be. The program is started anew with the same arguments, as a child that
/// has left everything behind, and there ``detach(pidFile:log:directory:modeMask:timeout:)`` returns. What stands
/// before it in `main` runs twice.
///
/// The daemon is in a session that it does not lead, so that no terminal can become its own; in the root directory; with
/// `/dev/null` as its input; with its output and standard error in the log or in `/dev/null`; with standard signals and no
/// other descriptor. It is no longer a child of whoever started it: it survives the terminal's end.
public final class Daemon: Sendable {
    /// The pid file as an absolute path, if there is one.
    public let pidFile: FilePath?

    /// Open, and locked, as long as the daemon lives.
    private let file: PIDFile?

    /// Where the launcher waits; gone once it was told.
    private let launcher: Mutex<Descriptor?>

    /// Becomes a daemon: returns in the new process, and ends this one.
    ///
    /// This process ends with status 0 when the daemon says ``ready()``. If the daemon is not started, says ``fail(_:status:)``,
    /// or ends before it is ready, one line on standard error says so, and the status is the daemon's, or 71. It is
    /// the one place where this library ends a process and writes to a standard stream; ``begin(pidFile:log:directory:modeMask:timeout:)``
    /// leaves both to the caller.
    ///
    /// - Parameters:
    ///   - pidFile: a file for the daemon's number, made for its owner alone. Its lock is held as long as the daemon lives, so
    ///     that there is one daemon to a file. A symbolic link, another user's file and a file with a second name are refused.
    ///   - log: a file that standard output and standard error are appended to, made for its owner alone.
    ///   - directory: the daemon's working directory.
    ///   - modeMask: what is taken from the permissions of files that the daemon makes.
    ///   - timeout: how long the daemon may take to be ready; then it is ended, and has failed.
    /// - Throws: in the daemon alone, ``SystemError`` if what it was given is not there.
    @available(*, noasync, message: "to be called first in main, before anything waits")
    public static func detach(
        pidFile: FilePath? = nil, log: FilePath? = nil, directory: FilePath = "/",
        modeMask: FilePermissions = FilePermissions(rawValue: 0o077), timeout: Duration? = .seconds(60)
    ) throws -> Daemon {
        if let daemon = try fromLauncher() { return daemon }
        do {
            _ = try DaemonLaunch.perform(
                pidFile: pidFile, log: log, directory: directory, modeMask: modeMask, timeout: timeout)
            ipc_exit(0)
        } catch {
            let line = Array("\(error)\n".utf8)
            _ = ipc_write(2, line, line.count)
            ipc_exit((error as? DaemonError)?.status ?? 71)
        }
        throw SystemError("detach", on: "daemon", .canceled)  // not reached
    }

    /// Which of the two processes this is, after ``begin(pidFile:log:directory:modeMask:timeout:)``.
    public enum Role: Sendable {
        /// The daemon itself.
        case daemon(Daemon)
        /// The process that has started the daemon, which is ready and has this number.
        case launcher(ProcessID)
    }

    /// Becomes a daemon as ``detach(pidFile:log:directory:modeMask:timeout:)`` does, and returns in both processes.
    ///
    /// - Throws: in the launching process ``DaemonError``, ``SystemError``, ``StartError`` and ``TimeoutError`` if there is no
    ///   daemon.
    @available(*, noasync, message: "to be called first in main, before anything waits")
    public static func begin(
        pidFile: FilePath? = nil, log: FilePath? = nil, directory: FilePath = "/",
        modeMask: FilePermissions = FilePermissions(rawValue: 0o077), timeout: Duration? = .seconds(60)
    ) throws -> Role {
        if let daemon = try fromLauncher() { return .daemon(daemon) }
        return .launcher(
            try DaemonLaunch.perform(
                pidFile: pidFile, log: log, directory: directory, modeMask: modeMask, timeout: timeout))
    }

    private init(_ launcher: consuming Descriptor?, _ file: PIDFile?) {
        self.launcher = Mutex(launcher)
        self.file = file
        pidFile = file?.path
    }

    /// The daemon that this process was started as; `nil` in any other process.
    private static func fromLauncher() throws -> Daemon? {
        guard let inheritance = DaemonInheritance.taken() else { return nil }
        var launcher: Descriptor?
        var lock: Descriptor?
        if let number = inheritance.launcher { launcher = try Descriptor(adopting: number) }
        if let number = inheritance.lock { lock = try Descriptor(adopting: number) }
        guard let path = inheritance.pidFile, let lock = lock.take() else { return Daemon(launcher, nil) }
        let file = PIDFile(path, lock)
        try file.write(.current)
        return Daemon(launcher, file)
    }

    // MARK: The word to whoever waits

    /// Tells the launcher, and the supervisor that `NOTIFY_SOCKET` names, that the daemon is ready. The C function is
    /// `sd_notify`.
    ///
    /// - Throws: nothing that concerns the daemon's work: a launcher or a supervisor that has gone is not an error.
    public func ready() throws {
        tell([UInt8(ascii: "R")])
        notify("READY=1")
    }

    /// Tells the launcher that the daemon cannot start. The caller ends the process then.
    ///
    /// - Parameters:
    ///   - error: what the launcher is to say.
    ///   - status: what it is to end with, 1 to 255.
    public func fail(_ error: any Error, status: Int32 = 1) {
        tell(
            [UInt8(ascii: "F"), UInt8(truncatingIfNeeded: max(1, min(255, status)))]
                + Array("\(error)".utf8.prefix(4000)))
    }

    /// Sends a line of state, such as `STATUS=loading`, to the supervisor that `NOTIFY_SOCKET` names; does nothing if there
    /// is none, or it does not listen. The C function is `sd_notify`.
    public func notify(_ state: String) {
        guard let address = ipc_secure_environment("NOTIFY_SOCKET") else { return }
        let bytes = Array(state.utf8)
        _ = ipc_notify(address, bytes, bytes.count)
    }

    private func tell(_ bytes: [UInt8]) {
        file?.endTurn()  // the launcher's, if it has gone
        guard let launcher = launcher.withLock({ $0.take() }) else { return }
        let number = launcher.number
        _ = SystemCall.retrying { ipc_write_without_sigpipe(number, bytes, UInt(bytes.count), 0) }
    }

    // MARK: Its file and its end

    /// Writes another process's number into the pid file: of a program that this daemon runs and stands for.
    ///
    /// - Throws: ``SystemError``. That there is no pid file is not an error.
    public func setProcess(_ processID: ProcessID) throws {
        try file?.write(processID)
    }

    /// Removes the pid file. To be called when the daemon ends; without it the file stays, without a lock, and is taken over by
    /// the next one.
    public func removePIDFile() { file?.remove() }

    /// Replaces this process by a new image of its program, with the same number, arguments and pid file: how a daemon reads its
    /// configuration anew, or goes over to a newer version, on SIGHUP. The C function is `execve`.
    ///
    /// All tasks and threads end without a word, descriptors are closed but 0 to 2, and what `print` has not written yet is
    /// lost. In the new image ``detach(pidFile:log:directory:modeMask:timeout:)`` returns at once; no signal is held, and a
    /// further SIGHUP does nothing until the image receives it itself. Whoever checks the new configuration first goes on
    /// with the old one if it is wrong.
    ///
    /// - Throws: ``SystemError`` if the image cannot be executed; the daemon goes on then. It does not return otherwise.
    public func reexecute() throws {
        let lock = file?.descriptor.number
        let error = DaemonLaunch.replaceProcess(DaemonInheritance(launcher: nil, lock: lock, pidFile: pidFile))
        throw SystemError("execute", on: "this program anew", error)
    }
}
