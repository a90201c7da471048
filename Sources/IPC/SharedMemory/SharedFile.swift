// The files behind names of shared objects: whole before they have their name, and nobody else's.
import CIPC
import SystemPackage

/// A file in the folder of shared memory, open.
struct SharedFile: ~Copyable {
    static let folder = "/dev/shm"

    let descriptor: Descriptor
    let identity: FileIdentity
    let size: Int
    let isNew: Bool

    /// What a file that is there has to be like.
    struct Demands {
        /// Who may use a new one; one that is there may let in no others.
        var permissions: FilePermissions = .ownerReadWrite
        /// Whose it has to be; `nil`: ours or root's.
        var owner: UInt32?
        var isReadOnly = false
    }

    /// Opens the file of a name, or makes it, as `opening` says.
    ///
    /// A new one has no name until `fill` has returned: nobody sees it before, and nothing of it is left if this process ends.
    static func open(
        _ name: SharedName, _ opening: Opening, _ demands: Demands, fill: (borrowing Descriptor) throws -> Void
    ) throws -> SharedFile {
        while true {
            if opening != .create {
                if let file = try existing(name, demands) { return file }
                if opening == .open { throw SharedObjectError("open", on: name.subject, .noSuchFileOrDirectory) }
            }
            let file = try make(name, demands)
            try fill(file)
            let number = file.number
            let result = SystemCall.retrying { name.path.withPlatformString { ipc_give_name(number, $0) } }
            if result == 0 { return try SharedFile(file, name, "create", isNew: true) }
            // Another process was quicker.
            if opening == .createOrOpen, result == -Errno.fileExists.rawValue { continue }
            throw SharedObjectError("create", on: name.subject, Errno(rawValue: -result))
        }
    }

    private init(_ descriptor: consuming Descriptor, _ name: SharedName, _ operation: String, isNew: Bool) throws {
        guard let status = FileStatus(of: descriptor.number) else {
            throw SharedObjectError(operation, on: name.subject, .badFileDescriptor)
        }
        (identity, size) = (status.identity, Int(clamping: status.size))
        self.descriptor = descriptor
        self.isNew = isNew
    }

    /// A file without a name.
    private static func make(_ name: SharedName, _ demands: Demands) throws -> Descriptor {
        let number = SystemCall.retrying { ipc_make_nameless(folder, UInt32(demands.permissions.rawValue)) }
        guard number >= 0 else {
            let errno = Errno(rawValue: -number)
            guard errno == .noSuchFileOrDirectory else {
                throw SharedObjectError("create", on: name.subject, errno)
            }
            throw SharedObjectError(.other, "create", on: name.subject, errno, "this system has no \(folder)")
        }
        return try Descriptor(fresh: number, "create", on: name.subject)
    }

    /// The file that has the name, if it is as it has to be; `nil` if there is none.
    private static func existing(_ name: SharedName, _ demands: Demands) throws -> SharedFile? {
        let flags = IPC_O_NOFOLLOW | IPC_O_NONBLOCK | IPC_O_NOCTTY | (demands.isReadOnly ? IPC_O_RDONLY : IPC_O_RDWR)
        let number = SystemCall.retrying { name.path.withPlatformString { ipc_open($0, flags, 0) } }
        if number < 0 {
            let errno = Errno(rawValue: -number)
            if errno == .noSuchFileOrDirectory { return nil }
            let status = FileStatus(at: name.path)
            if let status, status.type != IPC_FILE_REGULAR.rawValue {
                throw SharedObjectError(
                    .wrongLayout, "open", on: name.subject, errno, "\(name.path) is \(status.description)")
            }
            guard [.permissionDenied, .notPermitted].contains(errno) else {
                throw SharedObjectError("open", on: name.subject, errno)
            }
            throw SharedObjectError(.notPermitted, "open", on: name.subject, errno, status?.ownership)
        }
        let descriptor = try Descriptor(fresh: number, "open", on: name.subject)
        guard let status = FileStatus(of: number) else { return nil }
        try demands.check(status, name)
        return try SharedFile(descriptor, name, "open", isNew: false)
    }

    /// Maps the file; a name that was just made goes again if that fails.
    borrowing func mapped(
        _ name: SharedName, _ map: (borrowing Descriptor, _ operation: String) throws -> SharedRegion
    ) throws -> SharedRegion {
        do { return try map(descriptor, isNew ? "create" : "open") } catch {
            if isNew { try? SharedFile.remove(name, identity) }
            throw error
        }
    }

    /// Whether a name means a file, and not another, or none.
    static func has(_ name: SharedName, _ identity: FileIdentity) -> Bool {
        FileStatus(at: name.path)?.identity == identity
    }

    /// Takes a name away from its file, if it still means the one that we have.
    static func remove(_ name: SharedName, _ identity: FileIdentity) throws(SharedObjectError) {
        guard has(name, identity) else { throw .replaced("remove", on: name.subject) }
        let result = name.path.withPlatformString { ipc_remove_file($0) }
        if result < 0 { throw SharedObjectError("remove", on: name.subject, Errno(rawValue: -result)) }
    }

    /// Has memory set aside for so many bytes of a file, so that none is missing when they are written.
    ///
    /// More than there is would be given until the kernel ends a process for it; so that is asked first.
    static func allocate(
        _ count: Int, at offset: Int = 0, of descriptor: borrowing Descriptor, _ operation: String, _ subject: String
    ) throws(SharedObjectError) {
        func refuse(_ errno: Errno) -> SharedObjectError {
            SharedObjectError(.limitReached, operation, on: subject, errno, "there is no memory for \(count) bytes")
        }
        if count > 1 << 20, let available = AvailableMemory.bytes, count > available { throw refuse(.noMemory) }
        let number = descriptor.number
        let result = SystemCall.retrying { ipc_allocate(number, Int64(offset), Int64(count)) }
        if result == 0 { return }
        let errno = Errno(rawValue: -result)
        guard [.noSpace, .noMemory, .fileTooLarge].contains(errno) else {
            throw SharedObjectError(operation, on: subject, errno)
        }
        throw refuse(errno)
    }
}

extension SharedFile.Demands {
    func check(_ status: FileStatus, _ name: SharedName, isFile: Bool = true) throws(SharedObjectError) {
        func refuse(_ kind: SharedObjectError.Kind, _ detail: String) -> SharedObjectError {
            SharedObjectError(kind, "open", on: name.subject, .permissionDenied, detail)
        }
        guard !isFile || status.type == IPC_FILE_REGULAR.rawValue else {
            throw refuse(.wrongLayout, "\(name.path) is \(status.description)")
        }
        let isTrusted =
            owner.map { $0 == status.owner } ?? (status.owner == ipc_effective_user_id() || status.owner == 0)
        guard isTrusted else { throw refuse(.notPermitted, status.ownership) }
        let excess = status.mode & 0o077 & ~UInt32(permissions.rawValue)
        guard excess == 0 else {
            let (its, ours) = (String(status.mode & 0o777, radix: 8), String(permissions.rawValue, radix: 8))
            throw refuse(.notPermitted, "its mode 0\(its) lets in others than 0\(ours) does")
        }
    }
}

extension FileStatus {
    /// Whose it is, as part of a sentence.
    var ownership: String { "it belongs to user \(owner), mode 0\(String(mode & 0o777, radix: 8))" }
}
