// Which file a program's name means.
import CIPC
public import SystemPackage

/// Finds programs by name, as the commands of this library do. Names and folders are bytes, as they are to the kernel.
enum ExecutableLookup {
    private static let defaultPath = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

    /// The file that a name without a slash means: the first executable one in the folders of `path`, or of the usual
    /// ones for `nil`.
    ///
    /// Empty and relative folders are passed over: what runs does not depend on the directory that one happens to be in.
    /// - Throws: ``StartError`` with `notFound`, or with `notExecutable` if only such files have the name.
    static func find(_ name: [UInt8], in path: [UInt8]?) throws(StartError) -> [UInt8] {
        let path = path ?? Array(defaultPath.utf8)
        let (shownName, shownPath) = (text(name), text(path))
        var failure = StartError(
            .notFound, "execute", on: shownName, .noSuchFileOrDirectory, detail: "searched \(shownPath)")
        for folder in path.split(separator: UInt8(ascii: ":")) where folder.first == UInt8(ascii: "/") {
            let candidate = folder + [UInt8(ascii: "/")] + name
            var file = ipc_file_information()
            let result = withTerminated(candidate) { ipc_file_status($0, &file) }
            if result == -Errno.fileNameTooLong.rawValue {
                failure = StartError(.nameTooLong, "execute", on: shownName, .fileNameTooLong)
                continue
            }
            guard result == 0, file.type == Int32(IPC_FILE_REGULAR.rawValue) else { continue }
            if withTerminated(candidate, { ipc_may_execute($0) }) == 0 { return Array(candidate) }
            if failure.kind == .notFound {
                failure = StartError(.notExecutable, "execute", on: text(candidate), .permissionDenied)
            }
        }
        throw failure
    }

    private static func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}

extension Command {
    /// The file that would be run for a program's name: the name itself if it has a slash, else the first executable file
    /// of that name in the folders of this process's PATH; `nil` if there is none.
    ///
    /// Empty and relative folders of the PATH are passed over. The shell command is `command -v`.
    public static func which(_ name: String) -> FilePath? {
        if name.utf8.contains(0) { return nil }
        if name.contains("/") {
            var file = ipc_file_information()
            guard ipc_file_status(name, &file) == 0, file.type != Int32(IPC_FILE_DIRECTORY.rawValue) else { return nil }
            return ipc_may_execute(name) == 0 ? FilePath(name) : nil
        }
        let found = try? ExecutableLookup.find(Array(name.utf8), in: Environment.inherited.value(of: "PATH"))
        return found.map { bytes in withTerminated(bytes) { FilePath(platformString: $0) } }
    }
}
