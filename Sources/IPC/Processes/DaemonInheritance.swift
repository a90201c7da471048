// What a daemon's process finds of its launcher: a variable, and the descriptors that it names.
import CIPC
import SystemPackage

struct DaemonInheritance {
    static let variable = "IPC_DAEMON"

    let launcher: Int32?
    let lock: Int32?
    let pidFile: FilePath?

    /// `LAUNCHER,LOCK,PATH`, each of them empty where there is none.
    var text: [UInt8] {
        let numbers = [launcher, lock].map { $0.map(String.init) ?? "" }.joined(separator: ",") + ","
        return Array(numbers.utf8) + (pidFile?.argumentBytes ?? [])
    }

    /// The inheritance of this process, once: the variable is removed, so that no child takes itself for the daemon.
    ///
    /// It counts only if the process is no setuid program and what it names is what a launcher gives: a pipe and a regular
    /// file. Anything else means nothing.
    static func taken() -> DaemonInheritance? {
        guard let value = ipc_secure_environment(variable) else { return nil }
        let fields = FilePath(platformString: value).argumentBytes
            .split(separator: UInt8(ascii: ","), maxSplits: 2, omittingEmptySubsequences: false)
        ipc_remove_environment(variable)
        guard fields.count == 3 else { return nil }
        let numbers = fields.prefix(2).map { Int32(String(decoding: $0, as: UTF8.self)) }
        let path = fields[2].isEmpty ? nil : withTerminated(fields[2]) { FilePath(platformString: $0) }
        guard numbers.allSatisfy({ $0 ?? 3 >= 3 }) else { return nil }
        if let launcher = numbers[0], type(of: launcher) != IPC_FILE_FIFO { return nil }
        if let lock = numbers[1], type(of: lock) != IPC_FILE_REGULAR || path == nil { return nil }
        if numbers[0] == nil, numbers[1] == nil, !fields[0].isEmpty || !fields[1].isEmpty { return nil }
        return DaemonInheritance(launcher: numbers[0], lock: numbers[1], pidFile: path)
    }

    private static func type(of number: Int32) -> ipc_file_type? {
        var status = ipc_file_information()
        return ipc_descriptor_status(number, &status) == 0 ? ipc_file_type(UInt32(status.type)) : nil
    }
}
