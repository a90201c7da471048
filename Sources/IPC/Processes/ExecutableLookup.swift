// Which file a program's name means.
import CIPC
public import SystemPackage

/// Finds programs by name, as the commands of this library do.
enum ExecutableLookup {
    static let defaultPath = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

    /// The file that a name without a slash means: the first executable one in the folders of `path`.
    ///
    /// Empty and relative folders are passed over: what runs does not depend on the directory that one happens to be in.
    /// - Throws: ``StartError`` with `notFound`, or with `notExecutable` if only such files have the name.
    static func find(_ name: String, in path: String) throws(StartError) -> String {
        var failure = StartError(.notFound, "execute", on: name, .noSuchFileOrDirectory, detail: "searched \(path)")
        for folder in path.split(separator: ":") where folder.first == "/" {
            let candidate = "\(folder)/\(name)"
            var file = ipc_file_information()
            let result = ipc_file_status(candidate, &file)
            if result == -Errno.fileNameTooLong.rawValue {
                failure = StartError(.nameTooLong, "execute", on: name, .fileNameTooLong)
                continue
            }
            guard result == 0, file.type == Int32(IPC_FILE_REGULAR.rawValue) else { continue }
            if ipc_may_execute(candidate) == 0 { return candidate }
            if failure.kind == .notFound {
                failure = StartError(.notExecutable, "execute", on: candidate, .permissionDenied)
            }
        }
        throw failure
    }
}

extension Command {
    /// The file that would be run for a program's name: the name itself if it has a slash, else the first executable file
    /// of that name in the folders of this process's PATH; `nil` if there is none.
    ///
    /// Empty and relative folders of the PATH are passed over. The shell command is `command -v`.
    public static func which(_ name: String) -> FilePath? {
        if name.contains("/") { return ipc_may_execute(name) == 0 ? FilePath(name) : nil }
        let path = Environment.inherited.value(of: "PATH").map { String(decoding: $0, as: UTF8.self) }
        return (try? ExecutableLookup.find(name, in: path ?? ExecutableLookup.defaultPath)).map { FilePath($0) }
    }
}
