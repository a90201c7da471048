// Keys that cannot meet by chance: a random number, kept in a file that those who share it know.
import CIPC
public import SystemPackage

extension SystemV.Key {
    /// The random number that a file keeps; the first who asks makes the file.
    ///
    /// Unlike ``file(_:project:)`` it is the same for no other file, and stays the same when the file is copied or replaced. Of several
    /// who ask at once all get one number. The file holds eight hexadecimal digits and is never half there.
    ///
    /// - Parameters:
    ///   - path: of the file, in a folder that is there.
    ///   - permissions: who may read a new one, and so find the object. Whoever else may use that is the object's to say.
    /// - Throws: ``SystemError``: `EPERM` for a file that is neither ours nor root's, or that others may write to; `EBADMSG` for one that
    ///   holds something else; `ELOOP` for a link; `EOPNOTSUPP` where the file system has no
    ///   files without a name; what else the system says of making it.
    public static func kept(in path: FilePath, permissions: FilePermissions = .ownerReadWrite) throws -> SystemV.Key {
        while true {
            if let key = try KeyFile.read(path) { return key }
            try KeyFile.make(path, permissions)
        }
    }
}

private enum KeyFile {
    /// The key in a file; `nil` if there is none.
    static func read(_ path: FilePath) throws -> SystemV.Key? {
        let file: Descriptor
        do { file = try SmallFile.open(path.string, IPC_O_RDONLY | IPC_O_NOFOLLOW | IPC_O_NONBLOCK) } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw self.error(path, error.errno)
        }
        let number = file.number
        guard let status = FileStatus(of: number), status.type == IPC_FILE_REGULAR.rawValue else {
            throw error(path, .invalidArgument)
        }
        guard status.owner == ipc_effective_user_id() || status.owner == 0, status.mode & 0o022 == 0 else {
            throw error(path, .notPermitted)
        }
        let text = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { room in
            let count = SystemCall.retrying { ipc_read(number, room.baseAddress, room.count) }
            return String(decoding: room[..<max(0, count)], as: UTF8.self)
        }
        try file.close()
        guard text.utf8.count == 9, text.last == "\n", let bits = UInt32(text.dropLast(), radix: 16), bits != 0 else {
            throw error(path, .badMessage)
        }
        return .number(Int32(bitPattern: bits))
    }

    /// Makes the file, unless somebody has by now: it has no name before it is whole.
    static func make(_ path: FilePath, _ permissions: FilePermissions) throws {
        let folder = path.removingLastComponent()
        let number = SystemCall.retrying {
            (folder.isEmpty ? "." : folder).withPlatformString { ipc_make_nameless($0, UInt32(permissions.rawValue)) }
        }
        guard number >= 0 else { throw error(path, Errno(rawValue: -number)) }
        let file = try Descriptor(fresh: number, "make key in", on: path.string)
        let digits = String(UInt32.random(in: 1 ... .max), radix: 16)
        let text = Array((String(repeating: "0", count: 8 - digits.count) + digits + "\n").utf8)
        let count = SystemCall.retrying { ipc_write(number, text, text.count) }
        guard count == text.count else { throw error(path, count < 0 ? Errno(rawValue: Int32(-count)) : .noSpace) }
        let result = path.withPlatformString { ipc_give_name(number, $0) }
        try file.close()
        if result < 0, result != -Errno.fileExists.rawValue { throw error(path, Errno(rawValue: -result)) }
    }

    private static func error(_ path: FilePath, _ errno: Errno) -> SystemError {
        SystemError("key in", on: path.string, errno)
    }
}
