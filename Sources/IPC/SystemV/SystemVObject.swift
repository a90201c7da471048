// The objects of System V that there are: whose each is, who uses it, and what was left behind.
import CIPC
public import SystemPackage

extension SystemV {
    /// An object as the kernel lists it.
    public struct Object: Hashable, Sendable {
        /// What it is.
        public let kind: Kind
        /// The kernel's number for it, by which it is used and removed.
        public let id: Int32
        /// The key that it is found by; ``Key/private`` for one without, and for a segment that is to go with its last user.
        public let key: Key
        /// Whose it is.
        public let userID: UInt32
        /// The group of those whom its mode gives group rights.
        public let groupID: UInt32
        /// Who made it.
        public let creatorUserID: UInt32
        /// Who may read and change it.
        public let permissions: FilePermissions
        /// How many semaphores, or bytes in the queue, or bytes of the segment.
        public let size: Int
        /// How many bytes a queue takes; 0 for others.
        public let byteLimit: Int
        /// How many messages wait in the queue; 0 for others.
        public let messages: Int
        /// How many processes have a segment attached, each counted as often as it did; 0 for others.
        public let attachments: Int
        /// The process that made a segment, or sent to a queue last; `nil` if that is nobody, or not known.
        public let firstProcess: ProcessID?
        /// The process that attached or detached a segment last, or received from a queue; `nil` if that is nobody, or not known.
        public let lastProcess: ProcessID?
        /// Whether a segment goes as soon as nobody has it attached.
        public let isMarkedForRemoval: Bool
        /// When it was used last, in seconds since 1970; 0 for never.
        public let lastUsed: Int
        /// Whether the last semaphore of a set says that it has had its first values.
        let isMarked: Bool

        init(_ kind: Kind, _ object: ipc_systemv_object) {
            self.kind = kind
            id = object.id
            key = Key(number: object.key)
            (userID, groupID, creatorUserID) = (object.owner, object.group, object.creator)
            permissions = FilePermissions(rawValue: CModeT(object.mode & 0o666))
            isMarked = kind == .semaphores && object.mode & SemaphoreSet.markedMode != 0 && object.size > 1
            (size, byteLimit) = (Int(clamping: object.size) - (isMarked ? 1 : 0), Int(clamping: object.limit))
            (messages, attachments) = (Int(clamping: object.messages), Int(clamping: object.attached))
            firstProcess = object.first_process > 0 ? ProcessID(known: object.first_process) : nil
            lastProcess = object.last_process > 0 ? ProcessID(known: object.last_process) : nil
            isMarkedForRemoval = kind == .segment && object.mode & 0o1000 != 0
            lastUsed = Int(object.used)
        }

        /// Whether it seems forgotten: a segment that nobody has attached and whose maker is gone, `nil` for other kinds, of whose
        /// users the kernel knows nothing.
        public var isLeftover: Bool? {
            guard kind == .segment else { return nil }
            // A maker without a number is in another namespace, and may well be there.
            let makerIsGone = firstProcess.map { ipc_kill($0.rawValue, 0) == -Errno.noSuchProcess.rawValue }
            return attachments == 0 && makerIsGone ?? false
        }

        /// Removes it. Who waits for it is woken with an error; a segment stays until its last user detaches it.
        ///
        /// - Throws: ``SystemVError`` with `notPermitted` if it is another user's, with `removed` if it is gone already.
        public func remove() throws {
            try SystemV.remove(kind, id, SystemV.name(kind, id, key))
        }

        /// Whose it is, as part of a sentence.
        var ownership: String {
            let mode = String(permissions.rawValue, radix: 8)
            return "belongs to user \(userID), mode 0\(mode)"
        }

        var sizeText: String {
            switch kind {
            case .semaphores: "\(size) semaphore\(size == 1 ? "" : "s")"
            default: "\(size) bytes"
            }
        }
    }

    /// All objects of this namespace, of the kinds that are asked for.
    ///
    /// - Throws: ``SystemError`` if the kernel has no System V IPC (`ENOSYS`). Those that go meanwhile are left out.
    public static func objects(of kinds: Set<Kind> = Set(Kind.allCases)) throws -> [Object] {
        var objects: [Object] = []
        for kind in Kind.allCases where kinds.contains(kind) {
            let highest = try SystemCall.perform("list", on: "\(kind)s") { ipc_systemv_highest(kind.number) }
            for index in 0...max(0, highest) {
                var object = ipc_systemv_object()
                if ipc_systemv_at(kind.number, index, &object) == 0 { objects.append(Object(kind, object)) }
            }
        }
        return objects
    }

    /// An object as errors name it.
    static func name(_ kind: Kind, _ id: Int32, _ key: Key) -> String {
        key == .private ? "\(kind) with id \(id)" : "\(kind) \(key)"
    }

    /// Makes an object, or finds it, as `opening` says; whether it was made.
    ///
    /// It is made by the call that fails if there is one, so that it is known which it was; and found without asking for rights, since
    /// who may do one thing alone has no others.
    ///
    /// - Parameters:
    ///   - size: how large it is to be, as errors say it; a segment that is there has to be as large.
    ///   - spare: what is made besides.
    static func get(
        _ kind: Kind, _ key: Key, _ opening: Opening, size: Int, spare: Int = 0, mode: UInt32 = 0
    ) throws -> (id: Int32, isNew: Bool) {
        while true {
            var result = -Errno.noSuchFileOrDirectory.rawValue
            if opening != .open {
                result = ipc_systemv_get(kind.number, key.number, size + spare, 1, mode)
                if result >= 0 { return (result, true) }
            }
            if key != .private, opening == .open || (opening == .createOrOpen && result == -Errno.fileExists.rawValue) {
                result = ipc_systemv_get(kind.number, key.number, kind == .segment ? size : 0, 0, 0)
                if result >= 0 { return (result, false) }
                // Removed in between: once more.
                if opening != .open, result == -Errno.noSuchFileOrDirectory.rawValue { continue }
            }
            throw SystemVError.opening(kind, key, opening, size: size, Errno(rawValue: -result))
        }
    }

    /// An object as the list has it, which anybody may see. The id's lower half is its place there.
    private static func listed(_ kind: Kind, _ id: Int32) -> Object? {
        var object = ipc_systemv_object()
        guard ipc_systemv_at(kind.number, id, &object) == 0, object.id == id else { return nil }
        return Object(kind, object)
    }

    static func status(_ kind: Kind, _ id: Int32, _ subject: String) throws -> Object {
        var object = ipc_systemv_object()
        let status = ipc_systemv_status(kind.number, id, &object)
        // Who may write alone may not ask.
        if status == -Errno.permissionDenied.rawValue, let listed = listed(kind, id) { return listed }
        guard status == 0 else { throw refusal("look at", kind, id, subject, Errno(rawValue: -status)) }
        return Object(kind, object)
    }

    static func remove(_ kind: Kind, _ id: Int32, _ subject: String) throws {
        let status = ipc_systemv_remove(kind.number, id)
        guard status == 0 else { throw refusal("remove", kind, id, subject, Errno(rawValue: -status)) }
    }

    /// The error of a call on an object, with whose it is where that is the reason.
    static func refusal(
        _ operation: String, _ kind: Kind, _ id: Int32, _ subject: String, _ errno: Errno
    ) -> SystemVError {
        guard errno == .permissionDenied || errno == .notPermitted else {
            return SystemVError.of(operation, on: subject, errno)
        }
        let owned = listed(kind, id).map { "it \($0.ownership)" }
        return SystemVError.of(operation, on: subject, errno, owned ?? errno.reason)
    }

    static func set(
        _ kind: Kind, _ id: Int32, _ subject: String, permissions: FilePermissions? = nil, limit: Int? = nil
    )
        throws
    {
        let now = try status(kind, id, subject)
        let mode = UInt32((permissions ?? now.permissions).rawValue) | (now.isMarked ? SemaphoreSet.markedMode : 0)
        if let limit, limit < 1 {
            throw SystemVError(.outOfRange, "change", on: subject, .invalidArgument, "a limit is at least one byte")
        }
        let result = ipc_systemv_set(
            kind.number, id, now.userID, now.groupID, mode, UInt64(clamping: limit ?? now.byteLimit))
        if result == -Errno.notPermitted.rawValue, let most = number("msgmnb"), kind == .queue,
            limit ?? now.byteLimit > most
        {
            throw SystemVError(
                .limitReached, "change", on: subject, .notPermitted,
                "kernel.msgmnb is \(most), and only root may go beyond it")
        }
        guard result == 0 else { throw refusal("change", kind, id, subject, Errno(rawValue: -result)) }
    }

    /// A setting of the kernel's.
    private static func value(_ name: String) -> String {
        let bytes = (try? SmallFile.read("/proc/sys/kernel/\(name)")) ?? []
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// A setting of the kernel's that is a number.
    static func number(_ name: String) -> Int? { Int(value(name)) }

    /// The kernel's limits on a kind, as part of a sentence.
    static func limits(of kind: Kind) -> String {
        switch kind {
        case .semaphores: "kernel.sem is \(value("sem")) (in a set, in all, in one call, sets)"
        case .queue: "kernel.msgmni is \(value("msgmni")) queues"
        case .segment:
            "kernel.shmmni is \(value("shmmni")) segments, shmmax \(value("shmmax")) bytes, shmall \(value("shmall")) pages"
        }
    }
}
