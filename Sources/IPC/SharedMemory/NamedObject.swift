// The objects that processes share by a name: whose each is, who uses it, and what was left behind.
import CIPC
public import SystemPackage

/// Something that processes share by a name, as the system lists it: shared memory, a variable, a lock, an instance, a semaphore, a queue
/// of POSIX.
public struct NamedObject: Hashable, Sendable {
    /// What goes by a name.
    public enum Kind: UInt32, Hashable, Sendable, CaseIterable, CustomStringConvertible {
        /// ``SharedMemory``, or what another program has there.
        case memory
        /// A ``SharedVariable``.
        case variable
        /// A ``RobustLock``.
        case lock
        /// A ``SingleInstance``.
        case instance
        /// A ``POSIX/Semaphore``.
        case semaphore
        /// A ``POSIX/MessageQueue``.
        case queue

        public var description: String {
            switch self {
            case .memory: "shared memory"
            case .variable: "shared variable"
            case .lock: "lock"
            case .instance: "instance"
            case .semaphore: "semaphore"
            case .queue: "message queue"
            }
        }

        /// What glibc puts before the names of its semaphores, whose files lie beside the others.
        var prefix: String { self == .semaphore ? "sem." : "" }
    }

    /// What it is.
    public let kind: Kind
    /// Its name, with its slash.
    public let name: String
    /// Whose it is.
    public let userID: UInt32
    /// The group of those whom its mode gives group rights.
    public let groupID: UInt32
    /// Who may use it.
    public let permissions: FilePermissions
    /// How many bytes it has; for a queue, how many wait in it.
    public let size: Int
    /// The process that has the lock, changes the variable or is the one instance; `nil` if none does, or it cannot be seen from here.
    public let holder: ProcessID?
    /// Whether a lock's holder died, and nobody has repaired what it left.
    public let isPoisoned: Bool
    /// The processes that have it in their memory, as far as we may see them; `nil` for a queue, of which the system does not say.
    public let users: [ProcessID]?

    private let identity: FileIdentity

    private static let queues = "/dev/mqueue"

    /// All objects with a name, of the kinds that are asked for, in the order of their names.
    ///
    /// - Throws: ``SystemError`` if `/proc` cannot be read. Queues are listed where `/dev/mqueue` is mounted. Those that go meanwhile are
    ///   left out.
    public static func all(of kinds: Set<Kind> = Set(Kind.allCases)) throws -> [NamedObject] {
        var objects: [NamedObject] = []
        if kinds != [.queue] {
            let users = try usersOfFiles()
            objects += names(in: SharedFile.folder).compactMap { NamedObject(file: $0, users) }
        }
        if kinds.contains(.queue) { objects += names(in: queues).compactMap(NamedObject.init(queue:)) }
        return objects.filter { kinds.contains($0.kind) }.sorted { $0.name < $1.name }
    }

    /// Whether ``all(of:)`` can list queues here.
    public static var listsQueues: Bool { FileStatus(at: FilePath(queues)) != nil }

    /// Takes the name away; those who use the object keep it.
    ///
    /// - Throws: ``SharedObjectError`` with `replaced` if the name means another, or none, by now; with `notPermitted`.
    public func remove() throws {
        if kind == .queue {
            let now = FileStatus(at: FilePath(NamedObject.queues + name))?.identity
            guard now == identity else {
                throw SharedObjectError.replaced("remove", on: "\(kind) \(name)")
            }
            return try POSIX.MessageQueue.remove(named: name)
        }
        try SharedFile.remove(try SharedName(name, kind, "remove"), identity)
    }

    private static func names(in folder: String) -> [String] {
        let names = (try? SmallFile.names(in: folder)) ?? []
        return names.compactMap { String(validating: $0, as: UTF8.self) }.filter { $0 != "." && $0 != ".." }
    }

    private init?(file word: String, _ users: [FileIdentity: [ProcessID]]) {
        let path = FilePath("\(SharedFile.folder)/\(word)")
        guard let status = FileStatus(at: path), status.type == IPC_FILE_REGULAR.rawValue else { return nil }
        let isSemaphore = word.hasPrefix(Kind.semaphore.prefix)
        let inside = isSemaphore ? nil : Inside(of: path, status)
        kind = isSemaphore ? .semaphore : inside?.kind ?? .memory
        name = "/" + word.dropFirst(isSemaphore ? Kind.semaphore.prefix.count : 0)
        (userID, groupID, size) = (status.owner, status.group, Int(clamping: status.size))
        permissions = FilePermissions(rawValue: CModeT(status.mode & 0o777))
        (holder, isPoisoned) = (inside?.holder, inside?.isPoisoned ?? false)
        (self.users, identity) = (users[status.identity] ?? [], status.identity)
    }

    private init?(queue word: String) {
        let path = FilePath("\(NamedObject.queues)/\(word)")
        guard let status = FileStatus(at: path) else { return nil }
        (kind, name, userID, groupID) = (.queue, "/" + word, status.owner, status.group)
        permissions = FilePermissions(rawValue: CModeT(status.mode & 0o777))
        // QSIZE:5  NOTIFY:0  SIGNO:0  NOTIFY_PID:0
        let text = (try? SmallFile.read(path.string)).map { String(decoding: $0, as: UTF8.self) }
        size = text?.split(separator: " ").first.flatMap { Int($0.dropFirst("QSIZE:".count)) } ?? 0
        (holder, isPoisoned, users, identity) = (nil, false, nil, status.identity)
    }

    /// The processes that have each file of shared memory mapped, as far as we may see them.
    private static func usersOfFiles() throws(SystemError) -> [FileIdentity: [ProcessID]] {
        var users: [FileIdentity: [ProcessID]] = [:]
        for number in try SmallFile.numbers(in: "/proc") {
            guard let process = ProcessID(number), let maps = try? SmallFile.read("/proc/\(number)/maps") else {
                continue
            }
            let files = Set(String(decoding: maps, as: UTF8.self).split(separator: "\n").compactMap(mappedFile))
            for file in files { users[file, default: []].append(process) }
        }
        return users
    }

    /// `7f..-7f.. rw-s 00000000 00:1a 42  /dev/shm/hits`: the device and the number of a file of shared memory.
    private static func mappedFile(_ line: Substring) -> FileIdentity? {
        let fields = line.split(separator: " ", maxSplits: 5)
        guard fields.count == 6, fields[5].drop(while: { $0 == " " }).hasPrefix(SharedFile.folder + "/") else {
            return nil
        }
        let device = fields[3].split(separator: ":").compactMap { UInt64($0, radix: 16) }
        guard device.count == 2, let inode = UInt64(fields[4]) else { return nil }
        return FileIdentity(major: device[0], minor: device[1], inode: inode)
    }
}

/// What a file of shared memory says of itself, if it is one of this library's and we may read it.
private struct Inside {
    let kind: NamedObject.Kind
    var holder: ProcessID?
    var isPoisoned = false

    init?(of path: FilePath, _ status: FileStatus) {
        let flags = IPC_O_RDONLY | IPC_O_NOFOLLOW | IPC_O_NONBLOCK
        guard let descriptor = try? SmallFile.open(path.string, flags) else { return nil }
        let size = Int(clamping: status.size)
        if size == SingleInstance.room, ipc_record_is_locked(descriptor.number, 0, 0) == 1 {
            kind = .instance
            let region = try? SharedRegion.map(descriptor, size: size, isReadOnly: true, "look at", on: path.string)
            holder = region.flatMap(SingleInstance.process)
            return
        }
        guard size >= SharedObject.page,
            let region = try? SharedRegion.map(
                descriptor, size: SharedObject.page, isReadOnly: true, "look at", on: path.string),
            let kind = SharedObject.Header.kind(of: region)
        else { return nil }
        self.kind = kind
        let line = ipc_lock_line(region.region)
        isPoisoned = kind == .lock && ipc_lock_state(line) != Int32(IPC_LOCK_SOUND.rawValue)
        let thread = ipc_lock_has_strangers(line) == 0 ? ipc_lock_thread(line) : 0
        holder = ThreadStatus(of: thread).flatMap { ProcessID($0.process) }
    }
}
