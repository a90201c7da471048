// From the text that /proc gives to a process's record: by fields that nothing in a name can shift.
import CIPC
import SystemPackage

extension ProcessRecord {
    /// Looks at a process.
    ///
    /// All is read through one descriptor of the process's folder, so that no part can be another process's which got
    /// the number meanwhile.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` if there is no such process, also if it goes away meanwhile, and for the number
    ///   of a thread that is no process; with `EACCES` if the system hides other users' processes (`hidepid`).
    public init(of process: ProcessID) throws {
        do {
            let folder = try SmallFile.open("/proc/\(process)", IPC_O_PATH | IPC_O_DIRECTORY)
            let number = folder.number
            let stat = try SmallFile.read("stat", in: number)
            let status = try SmallFile.read("status", in: number)
            let arguments = try SmallFile.read("cmdline", in: number)
            let executable = SmallFile.target(of: "exe", in: number)
            guard let record = ProcessRecord(stat: stat, status: status, commandLine: arguments, executable: executable)
            else { throw SystemError("look at", on: "process \(process)", .noSuchProcess) }
            self = record
        } catch let error as SystemError {
            throw ProcessRecord.failure(error.errno, process)
        }
    }

    private static func failure(_ errno: Errno, _ process: ProcessID) -> SystemError {
        let reason: Errno =
            switch errno {
            // In a folder that hides it a process is as if it were not, but for signals.
            case .noSuchFileOrDirectory: process.exists ? .permissionDenied : .noSuchProcess
            case .notPermitted: .permissionDenied
            default: errno
            }
        return SystemError("look at", on: "process \(process)", reason)
    }

    /// `nil` if the process has gone away, which leaves files without text, and for a thread.
    init?(stat: [UInt8], status: [UInt8], commandLine: [UInt8], executable: [UInt8]?) {
        // `PID (NAME) STATE PARENT ...`: the name is whatever the process says, and nothing behind it has a parenthesis.
        guard let open = stat.firstIndex(of: UInt8(ascii: "(")), let close = stat.lastIndex(of: UInt8(ascii: ")")),
            open < close, let letter = stat.dropFirst(close + 2).first,
            let id = Int32(String(decoding: stat[..<open].dropLast(), as: UTF8.self)).flatMap({ ProcessID($0) })
        else { return nil }
        // The fields from the state on, which is the third in proc(5).
        let fields = stat[(close + 2)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        func number(_ field: Int) -> Int64 {
            field - 3 < fields.count ? Int64(String(decoding: fields[field - 3], as: UTF8.self)) ?? 0 : 0
        }
        let lines = StatusLines(status)
        guard fields.count >= 22, lines.numbers("Tgid").first == UInt32(id.rawValue) else { return nil }
        let (users, groups) = (lines.numbers("Uid"), lines.numbers("Gid"))
        guard users.count >= 2, groups.count >= 2 else { return nil }
        self.id = id
        state = State(letter: letter)
        nameBytes = Array(stat[(open + 1)..<close])
        parent = ProcessID(Int32(clamping: number(4)))
        group = ProcessGroupID(Int32(clamping: number(5)))
        session = ProcessID(Int32(clamping: number(6)))
        terminal = DeviceNumber(encoded: UInt32(truncatingIfNeeded: number(7)))
        userTime = .clockTicks(number(14))
        systemTime = .clockTicks(number(15))
        threadCount = Int(number(20))
        startTime = .clockTicks(number(22))
        residentBytes = Int(number(24)) * Int(ipc_page_size())
        (userID, effectiveUserID) = (users[0], users[1])
        (groupID, effectiveGroupID) = (groups[0], groups[1])
        argumentBytes = ProcessRecord.arguments(in: commandLine)
        self.executable = executable.map { FilePath(bytes: $0) }
    }

    /// Each argument ends with a NUL; a process that has overwritten them may have left the last one out.
    static func arguments(in commandLine: [UInt8]) -> [[UInt8]] {
        guard !commandLine.isEmpty else { return [] }
        let whole = commandLine.last == 0 ? commandLine.dropLast() : commandLine[...]
        return whole.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    }
}

extension ProcessRecord.DeviceNumber {
    /// As the kernel writes it into one number; `nil` for 0, which is none.
    init?(encoded: UInt32) {
        guard encoded != 0 else { return nil }
        major = Int(encoded >> 8 & 0xFFF)
        minor = Int(encoded & 0xFF | encoded >> 12 & 0xFFF00)
    }
}

/// The lines of `/proc/PID/status`, in which the kernel writes a line end within the name as `\n`.
private struct StatusLines {
    private let lines: [ArraySlice<UInt8>]

    init(_ bytes: [UInt8]) { lines = bytes.split(separator: UInt8(ascii: "\n")) }

    /// The numbers in the line with a name.
    func numbers(_ name: String) -> [UInt32] {
        let prefix = Array("\(name):\t".utf8)
        guard let line = lines.first(where: { $0.starts(with: prefix) }) else { return [] }
        return line.dropFirst(prefix.count).split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
            .compactMap { UInt32(String(decoding: $0, as: UTF8.self)) }
    }
}

extension Duration {
    fileprivate static func clockTicks(_ count: Int64) -> Duration {
        let each = max(1, ipc_clock_ticks_per_second())
        return .seconds(count / each) + .nanoseconds(count % each * 1_000_000_000 / each)
    }
}

extension FilePath {
    fileprivate init(bytes: [UInt8]) {
        self = withTerminated(bytes) { FilePath(platformString: $0) }
    }
}
