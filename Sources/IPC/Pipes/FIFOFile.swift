// A FIFO that is held without being open for reading or writing, so that what is checked is what is opened.
import CIPC
import SystemPackage

/// A FIFO by a descriptor that neither reads nor writes (`O_PATH`): nobody can put another file in its place under us.
final class FIFOFile: Sendable {
    let path: FilePath
    let identity: FileIdentity
    private let descriptor: Descriptor
    /// The name that it was made under; `nil` once it has its own.
    private let formerName: FilePath?

    /// A path to the file itself, whatever has become of its name.
    var ownPath: String { "/proc/self/fd/\(descriptor.number)" }

    private init(_ descriptor: consuming Descriptor, _ path: FilePath, _ identity: FileIdentity, formerName: FilePath?)
    {
        self.descriptor = descriptor
        self.path = path
        self.identity = identity
        self.formerName = formerName
    }

    /// The FIFO that is at a path.
    convenience init(at path: FilePath, _ trust: FIFO.Trust) throws(SystemError) {
        let descriptor = try FIFOFile.hold(path, named: path)
        guard let status = FileStatus(of: descriptor.number) else {
            throw SystemError("open", on: path.string, .badFileDescriptor)
        }
        guard status.type == IPC_FILE_FIFO.rawValue else {
            let errno = status.type == IPC_FILE_LINK.rawValue ? Errno.tooManySymbolicLinkLevels : .invalidArgument
            throw SystemError("open", on: "\(path), \(status.description)", errno)
        }
        guard trust.includes(status.owner) else {
            throw SystemError("open", on: "\(path), which belongs to user \(status.owner)", .notPermitted)
        }
        self.init(descriptor, path, status.identity, formerName: nil)
    }

    /// Makes a FIFO in the folder of a path, under a name of its own.
    static func make(besides path: FilePath, _ permissions: FilePermissions) throws(SystemError) -> FIFOFile {
        try FileStatus.checkFolder(of: path, "make")
        let folder = path.removingLastComponent()
        while true {
            let name = folder.appending(".fifo-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
            // Whoever finds it under this name may do nothing with it.
            let result = name.withPlatformString { ipc_make_fifo($0, 0) }
            if result == -Errno.fileExists.rawValue { continue }
            if result < 0 { throw SystemError("make", on: path.string, Errno(rawValue: -result)) }
            do throws(SystemError) {
                let descriptor = try hold(name, named: path)
                guard let status = FileStatus(of: descriptor.number), status.type == IPC_FILE_FIFO.rawValue,
                    status.owner == ipc_effective_user_id()
                else { throw replaced("make", path) }
                let file = FIFOFile(descriptor, path, status.identity, formerName: name)
                try SystemCall.perform("make", on: path.string) {
                    ipc_change_mode(file.ownPath, UInt32(permissions.rawValue))
                }
                return file
            } catch {
                _ = name.withPlatformString { ipc_remove_file($0) }
                throw error
            }
        }
    }

    private static func hold(_ name: FilePath, named path: FilePath) throws(SystemError) -> Descriptor {
        let result = SystemCall.retrying { name.withPlatformString { ipc_open($0, IPC_O_PATH | IPC_O_NOFOLLOW, 0) } }
        if result < 0 { throw SystemError("open", on: path.string, Errno(rawValue: -result)) }
        return try Descriptor(fresh: result, "open", on: path.string)
    }

    static func replaced(_ operation: String, _ path: FilePath) -> SystemError {
        SystemError(operation, on: "\(path), replaced by another file", .staleNFSFileHandle)
    }

    // MARK: Names

    /// What is at the path now.
    var presence: FIFO.Presence {
        guard let status = FileStatus(at: path) else { return .removed }
        return status.identity == identity ? .inPlace : .replaced
    }

    /// Refuses a file that the path does not mean any more.
    func checkPresence() throws(SystemError) {
        switch presence {
        case .inPlace: return
        case .replaced: throw FIFOFile.replaced("open", path)
        case .removed: throw SystemError("open", on: path.string, .noSuchFileOrDirectory)
        }
    }

    func removeName() throws(SystemError) {
        switch presence {
        case .removed: return
        case .replaced: throw FIFOFile.replaced("remove", path)
        case .inPlace:
            let result = path.withPlatformString { ipc_remove_file($0) }
            let errno = Errno(rawValue: -result)
            if result < 0, errno != .noSuchFileOrDirectory { throw SystemError("remove", on: path.string, errno) }
        }
    }

    /// Gives a FIFO that was made its name, where no file is by that name yet.
    func giveName() throws(SystemError) {
        let result = rename(IPC_RENAME_NEW)
        if result == -Errno.fileExists.rawValue {
            let what = FileStatus(at: path).map { ", \($0.description)" } ?? ""
            throw SystemError("make", on: "\(path)\(what)", .fileExists)
        }
        if result < 0 { throw SystemError("make", on: path.string, Errno(rawValue: -result)) }
    }

    /// Renames from the former name; 0, or the error number negated.
    func rename(_ how: ipc_renaming) -> Int32 {
        guard let formerName else { return -Errno.invalidArgument.rawValue }
        return formerName.withPlatformString { from in
            path.withPlatformString { to in ipc_rename(from, to, Int32(how.rawValue)) }
        }
    }

    /// What is under the name that this one was made under.
    var atFormerName: FileStatus? { formerName.flatMap { FileStatus(at: $0) } }

    /// Removes what is under the name that this one was made under.
    func removeFormerName() { _ = formerName?.withPlatformString { ipc_remove_file($0) } }

    /// Removes the FIFO by whichever of its names means it; with it, another one that was given its former name in exchange.
    func remove(orFile other: FIFOFile? = nil) {
        if let status = atFormerName, status.identity == identity || status.identity == other?.identity {
            removeFormerName()
        }
        if presence == .inPlace { try? removeName() }
    }

    /// Waits until the name no longer means this file; what it means then.
    func waitUntilGone(_ deadline: Deadline?) async throws -> FIFO.Presence {
        let own = ownPath
        let number = try SystemCall.perform("watch", on: path.string) { ipc_watch_name(own) }
        let events = SharedDescriptor(
            try Descriptor(fresh: number, "watch", on: path.string), .nonblocking, subject: path.string)
        defer { events.close() }
        var event = [UInt8](repeating: 0, count: 4096)
        while true {
            let presence = presence
            if presence != .inPlace { return presence }
            try await events.wait(.reading, deadline: deadline, "watch")
            // Which change it was does not matter: what has become of the name is looked at anew.
            _ = event.withUnsafeMutableBytes { room in room.baseAddress.map { ipc_read(number, $0, room.count) } }
        }
    }
}
