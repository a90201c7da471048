// Which file it is, whatever its name: and what lies at a path, be it a link.
import CIPC
import SystemPackage

/// The device and the number of a file there: no two files have both at the same time.
struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
}

extension FileIdentity {
    init(_ file: ipc_file_information) { self.init(device: file.device, inode: file.inode) }

    /// Of a device in two parts, as files in `/proc` show it; put together as `makedev(3)` does.
    init(major: UInt64, minor: UInt64, inode: UInt64) {
        device = (major & 0xFFF) << 8 | (major & ~0xFFF) << 32 | minor & 0xFF | (minor & ~0xFF) << 12
        self.inode = inode
    }
}

/// What the kernel says of a file. The C functions are `lstat` and `fstat`.
struct FileStatus {
    private var file = ipc_file_information()

    var identity: FileIdentity { FileIdentity(file) }
    var type: UInt32 { UInt32(file.type) }
    var owner: UInt32 { file.owner }
    var group: UInt32 { file.group }
    var mode: UInt32 { file.mode }
    var size: UInt64 { file.size }

    /// What is at a path; `nil` if nothing is, or it cannot be looked at.
    init?(at path: FilePath) {
        let number = SystemCall.retrying {
            path.withPlatformString { ipc_open($0, IPC_O_PATH | IPC_O_NOFOLLOW, 0) }
        }
        guard number >= 0 else { return nil }
        defer { _ = ipc_close(number) }
        guard ipc_descriptor_status(number, &file) == 0 else { return nil }
    }

    init?(of descriptor: Int32) {
        guard ipc_descriptor_status(descriptor, &file) == 0 else { return nil }
    }

    /// What sort of file it is, to a person.
    var description: String {
        switch ipc_file_type(type) {
        case IPC_FILE_REGULAR: "a regular file"
        case IPC_FILE_DIRECTORY: "a directory"
        case IPC_FILE_LINK: "a symbolic link"
        case IPC_FILE_FIFO: "a FIFO"
        case IPC_FILE_SOCKET: "a socket"
        case IPC_FILE_CHARACTER, IPC_FILE_BLOCK: "a device"
        default: "no regular file"
        }
    }
}

extension FileStatus {
    /// Refuses a folder in which somebody else could put another file in place of ours at any time.
    static func checkFolder(of path: FilePath, _ operation: String) throws(SystemError) {
        let folder = path.removingLastComponent()
        var file = ipc_file_information()
        let result = (folder.isEmpty ? "." : folder).withPlatformString { ipc_file_status($0, &file) }
        if result < 0 { throw SystemError(operation, on: path.string, Errno(rawValue: -result)) }
        let (isShared, isSticky) = (file.mode & 0o022 != 0, file.mode & 0o1000 != 0)
        if isShared, !isSticky {
            throw SystemError(operation, on: "\(path), in a folder whose files others can rename", .notPermitted)
        }
    }
}
