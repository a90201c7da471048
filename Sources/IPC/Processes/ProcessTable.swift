// The processes of the system, and what any of them is related to.
import CIPC
import SystemPackage

/// The processes of the system that we may see.
public enum ProcessTable {
    /// All processes, by number; threads are not among them.
    ///
    /// Those that end while they are looked at are left out. So are other users' processes where the system is
    /// set up to hide them (`hidepid`): nothing but a number would be known of them.
    ///
    /// The picture is not of one moment: a process may have ended, and its number be another's, before the last is read.
    ///
    /// - Throws: ``SystemError`` if `/proc` cannot be read.
    public static func all() throws -> [ProcessRecord] {
        var records: [ProcessRecord] = []
        for number in try SmallFile.numbers(in: "/proc").sorted() {
            do { records.append(try ProcessRecord(of: ProcessID(known: number))) } catch let error as SystemError
                where error.errno == .noSuchProcess || error.errno == .permissionDenied
            {}
        }
        return records
    }

    /// The processes whose parent is the given one, zombies among them, by number.
    ///
    /// - Throws: as ``all()`` does. That there is no such process, or that it has no children, is not an error.
    public static func children(of process: ProcessID) throws -> [ProcessRecord] {
        try all().filter { $0.parent == process }
    }

    /// Kills what is left of a session, whose number is still its leader's.
    ///
    /// Again until a look finds nobody new: a process that is being killed may just have started another.
    static func kill(sessionOf leader: Int32) {
        var killed: Set<Int32> = [leader]
        for _ in 0..<100 {
            var isComplete = true
            for number in (try? SmallFile.numbers(in: "/proc")) ?? [] where !killed.contains(number) {
                // Held by its descriptor before it is asked, so that the number cannot become another's in between.
                guard ipc_session(number) == leader, case let held = ipc_pidfd_open(number), held >= 0 else { continue }
                if ipc_session(number) == leader, ipc_pidfd_send_signal(held, IPC_SIGKILL) == 0 {
                    killed.insert(number)
                    isComplete = false
                }
                _ = ipc_close(held)
            }
            if isComplete { return }
        }
    }
}

extension ProcessID {
    /// The process that started this one, or that has taken its place; `nil` if there is none in our namespace.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` if there is no such process, as ``ProcessRecord/init(of:)`` does.
    public var parent: ProcessID? {
        get throws { try ProcessRecord(of: self).parent }
    }

    /// The process's group; `nil` for the first process's, and for one outside our namespace. The C function is `getpgid`.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` if there is no such process.
    public var group: ProcessGroupID? {
        get throws {
            let number = try SystemCall.perform("group of", on: "process \(self)") { ipc_process_group(rawValue) }
            return ProcessGroupID(number)
        }
    }

    /// The process's session, by the number of the process that leads or led it; `nil` for one outside our namespace. The C
    /// function is `getsid`.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` if there is no such process.
    public var session: ProcessID? {
        get throws {
            let number = try SystemCall.perform("session of", on: "process \(self)") { ipc_session(rawValue) }
            return ProcessID(number)
        }
    }
}
