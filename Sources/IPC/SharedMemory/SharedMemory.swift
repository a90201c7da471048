// Shared memory: by a name, or without one and handed over; read and written within its bounds, whatever others do to it.
import CIPC
import Synchronization
public import SystemPackage

/// Memory that processes share, by a name in `/dev/shm` or by a descriptor that one hands to another.
///
/// ```swift
/// let memory = try SharedMemory(named: "/frames", size: 1 << 20)
/// try memory.write(Array("hello".utf8))
/// ```
///
/// The memory is there from the beginning, all zeros: a full `/dev/shm` is an error when it is made, and no process ever sees a part of
/// it. Nothing orders what several processes read and write at the same time; for that there are ``SharedVariable`` and ``RobustLock``.
/// Whoever may write to a named one can cut it short: what is read then is zeros, and the call throws. One without a name is sealed, and
/// cannot be. It may be used from any task, by several at once. It is closed when the last reference goes. The C functions are `shm_open`, `memfd_create`, `fallocate` and `mmap`.
public final class SharedMemory: Sendable {
    /// The name that it was opened by, with its slash; `nil` for one without.
    public var name: String? { file?.text }
    /// How many bytes it has.
    public let size: Int
    /// Whether it can only be read here.
    public let isReadOnly: Bool
    /// Whether this call has made it.
    public let wasCreated: Bool

    private let subject: String
    private let file: SharedName?
    private let identity: FileIdentity
    private let contents: Mutex<Contents?>

    private struct Contents: ~Copyable {
        let descriptor: Descriptor
        let region: SharedRegion
    }

    /// Memory with a name.
    ///
    /// - Parameters:
    ///   - name: a slash and a word of at most 255 bytes; the slash may be missing.
    ///   - size: in bytes, at least 1. One that is there has to have it too.
    ///   - permissions: who may use a new one, whatever the umask is. One that is there must not let in others.
    ///   - owner: whose one that is there has to be, by number; `nil` for ours, or root's.
    ///   - opening: whether it may be there already, or has to be.
    ///   - isReadOnly: whether it is only to be read here; then it has to be there.
    /// - Throws: ``SharedObjectError``: `alreadyExists`, `notFound`, `notPermitted`, `badName`, `wrongSize`, `wrongLayout` if the name is
    ///   no regular file's, `limitReached` if there is no memory for it.
    public convenience init(
        named name: String, size: Int, permissions: FilePermissions = .ownerReadWrite, ownedBy owner: UInt32? = nil,
        opening: Opening = .createOrOpen, isReadOnly: Bool = false
    ) throws {
        let name = try SharedName(name, .memory, opening == .open ? "open" : "create")
        guard size > 0 else {
            throw SharedObjectError(
                .outOfRange, "create", on: name.subject, .invalidArgument, "it has at least one byte")
        }
        let demands = SharedFile.Demands(permissions: permissions, owner: owner, isReadOnly: isReadOnly)
        let file = try SharedFile.open(name, isReadOnly ? .open : opening, demands) { descriptor in
            try SharedFile.allocate(size, of: descriptor, "create", name.subject)
        }
        guard file.size == size else {
            throw SharedObjectError(
                .wrongSize, "open", on: name.subject, .invalidArgument, "it has \(file.size) bytes, not \(size)")
        }
        try self.init(file, name, isReadOnly)
    }

    /// Memory with a name that is there, of whatever size.
    ///
    /// - Throws: as ``init(named:size:permissions:ownedBy:opening:isReadOnly:)`` does.
    public convenience init(
        existing name: String, permissions: FilePermissions = .ownerReadWrite, ownedBy owner: UInt32? = nil,
        isReadOnly: Bool = false
    ) throws {
        let name = try SharedName(name, .memory, "open")
        let demands = SharedFile.Demands(permissions: permissions, owner: owner, isReadOnly: isReadOnly)
        let file = try SharedFile.open(name, .open, demands) { _ in }
        guard file.size > 0 else {
            throw SharedObjectError(.wrongSize, "open", on: name.subject, .invalidArgument, "it is empty")
        }
        try self.init(file, name, isReadOnly)
    }

    private init(_ file: consuming SharedFile, _ name: SharedName, _ isReadOnly: Bool) throws {
        (self.file, subject, size) = (name, name.subject, file.size)
        (self.isReadOnly, wasCreated, identity) = (isReadOnly, file.isNew, file.identity)
        let (size, subject) = (size, subject)
        // What another program has made may have no memory yet, and then there may be none left when it is touched.
        if !wasCreated, !isReadOnly { try SharedFile.allocate(size, of: file.descriptor, "open", subject) }
        let region = try file.mapped(name) {
            try SharedRegion.map($0, size: size, isReadOnly: isReadOnly, $1, on: subject)
        }
        contents = Mutex(Contents(descriptor: file.descriptor, region: region))
    }

    /// Memory without a name, which others get by ``descriptor()``. Nobody can cut it short.
    ///
    /// - Parameters:
    ///   - size: in bytes, at least 1.
    ///   - othersMayWrite: whether those who get it may change it; if not, this object alone can.
    /// - Throws: ``SharedObjectError`` with `limitReached` if there is no memory for it, with `outOfRange`; ``SystemError`` with `EMFILE`.
    public init(size: Int, othersMayWrite: Bool = true) throws {
        subject = "shared memory without a name"
        guard size > 0 else {
            throw SharedObjectError(.outOfRange, "create", on: subject, .invalidArgument, "it has at least one byte")
        }
        let number = SystemCall.retrying { ipc_make_memory_file("ipc") }
        guard number >= 0 else { throw SharedObjectError("create", on: subject, Errno(rawValue: -number)) }
        let descriptor = try Descriptor(fresh: number, "create", on: subject)
        try SharedFile.allocate(size, of: descriptor, "create", subject)
        let region = try SharedRegion.map(descriptor, size: size, "create", on: subject)
        let seals = IPC_SEAL_SIZE.rawValue | IPC_SEAL_SEALS.rawValue
        let all = othersMayWrite ? seals : seals | IPC_SEAL_LATER_WRITING.rawValue
        let result = ipc_add_seals(descriptor.number, Int32(all))
        guard result == 0, let status = FileStatus(of: descriptor.number) else {
            throw SharedObjectError("seal", on: subject, Errno(rawValue: -result))
        }
        (file, self.size, isReadOnly, wasCreated) = (nil, size, false, true)
        identity = status.identity
        contents = Mutex(Contents(descriptor: descriptor, region: region))
    }

    /// Memory without a name that another process has made and handed over.
    ///
    /// - Parameters:
    ///   - descriptor: what ``descriptor()`` has given there. It is ours from now on, and closed if this throws.
    ///   - sizeLimit: the most bytes that it may have: reading all of it takes so much memory, even if the other side has used none.
    ///   - isReadOnly: whether it is only to be read here; it is also where others may not write.
    /// - Throws: ``SharedObjectError`` with `notPermitted` if it could still be cut short, with `tooLarge`, `limitReached`; ``SystemError``.
    public init(
        adopting descriptor: consuming Descriptor, sizeLimit: Int = 1 << 30, isReadOnly: Bool = false
    ) throws {
        subject = "shared memory that was handed over"
        guard ipc_is_ordinary_memory(descriptor.number) == 1 else {
            throw SharedObjectError(.wrongLayout, "open", on: subject, .invalidArgument, "it is no memory")
        }
        let seals = ipc_seals(descriptor.number)
        guard seals >= 0, seals & Int32(IPC_SEAL_SIZE.rawValue) != 0, let status = FileStatus(of: descriptor.number)
        else {
            throw SharedObjectError(
                .notPermitted, "open", on: subject, .invalidArgument, "it is not sealed: its size could change")
        }
        (file, size, wasCreated, identity) = (nil, Int(clamping: status.size), false, status.identity)
        guard size > 0 else {
            throw SharedObjectError(.wrongSize, "open", on: subject, .invalidArgument, "it is empty")
        }
        guard size <= sizeLimit else {
            throw SharedObjectError(
                .tooLarge, "open", on: subject, .fileTooLarge,
                "its \(size) bytes are more than the limit of \(sizeLimit)")
        }
        self.isReadOnly = isReadOnly || seals & Int32(IPC_SEAL_LATER_WRITING.rawValue) != 0
        if !self.isReadOnly { try SharedFile.allocate(size, of: descriptor, "open", subject) }
        let region = try SharedRegion.map(
            descriptor, size: size, isReadOnly: self.isReadOnly, "open", on: subject)
        contents = Mutex(Contents(descriptor: descriptor, region: region))
    }

    // MARK: Bytes

    /// Reads bytes.
    ///
    /// - Throws: ``SharedObjectError`` with `outOfRange` for what is not inside, with `truncated`, with `closed`.
    public func read(at offset: Int = 0, count: Int) throws -> [UInt8] {
        try use("read", offset, count) { [UInt8]($0) }
    }

    /// Writes bytes.
    ///
    /// - Parameters:
    ///   - bytes: what to write.
    ///   - offset: where, in bytes from the beginning.
    ///   - count: if it is more than there are bytes, the rest is filled with zeros, as Perl's `shmwrite` does.
    /// - Throws: as ``read(at:count:)`` does, with `notPermitted` for memory that can only be read.
    public func write(_ bytes: [UInt8], at offset: Int = 0, paddedTo count: Int? = nil) throws {
        try change("write", offset, max(bytes.count, count ?? 0)) { $0.fill(with: bytes) }
    }

    /// Reads a text in UTF-8, up to a NUL or to `count` bytes; what is not UTF-8 is replaced by U+FFFD.
    ///
    /// - Throws: as ``read(at:count:)`` does.
    public func text(at offset: Int = 0, count: Int) throws -> String {
        SharedBytes.text(try read(at: offset, count: count))
    }

    // MARK: Values

    /// Copies a value of a trivial type out of the memory.
    ///
    /// The bytes are what somebody wrote. A type that some bytes are no value of, such as `Bool` or an enumeration, should be loaded only
    /// where all who write are trusted.
    ///
    /// - Throws: as ``read(at:count:)`` does.
    public func load<Value: BitwiseCopyable>(_ type: Value.Type = Value.self, at offset: Int = 0) throws -> Value {
        try use("read", offset, MemoryLayout<Value>.size) { $0.loadUnaligned(as: type) }
    }

    /// Copies a value of a trivial type into the memory.
    ///
    /// - Throws: as ``write(_:at:paddedTo:)`` does.
    public func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int = 0) throws {
        try change("write", offset, MemoryLayout<Value>.size) { space in
            withUnsafeBytes(of: value) { space.copyMemory(from: $0) }
        }
    }

    // MARK: The whole

    /// Lends all bytes to a body, which copies what it decides by: others may change them while it looks.
    ///
    /// - Throws: what the body throws; ``SharedObjectError`` with `closed`, and with `truncated` if what the body has seen was not there.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        try use("read", 0, size, body)
    }

    /// Lends all bytes to a body that may change them.
    ///
    /// - Throws: as ``withBytes(_:)`` does, with `notPermitted` for memory that can only be read.
    public func withMutableBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) throws -> Result) throws -> Result {
        try change("write", 0, size, body)
    }

    /// A descriptor of the memory, to be handed to another process: ``Connection/sendDescriptor(_:timeout:)``, a ``Worker``'s start. It is
    /// the caller's to close.
    ///
    /// - Throws: ``SystemError``, for example `EMFILE`; ``SharedObjectError`` with `closed`.
    public func descriptor() throws -> Descriptor {
        try contents.withLock { contents throws -> Descriptor in
            guard let descriptor = try contents?.descriptor.duplicate() else { throw closedError("hand over") }
            return descriptor
        }
    }

    /// Gives the memory back here, as dropping the last reference does; others keep it, and its name stays.
    public func close() { contents.withLock { $0 = nil } }

    /// Whether the name means this memory still: it may have been removed, and another made.
    public var isNamed: Bool { file.map { SharedFile.has($0, identity) } ?? false }

    /// Takes its name away; those who have it open keep it. One without a name has nothing to remove.
    ///
    /// - Throws: ``SharedObjectError`` with `replaced` if the name means another, or none, by now; with `notPermitted`.
    public func remove() throws {
        if let file { try SharedFile.remove(file, identity) }
    }

    /// Makes memory with a name, and takes the name away however the body ends.
    ///
    /// - Throws: what the body throws; as ``init(named:size:permissions:ownedBy:opening:isReadOnly:)`` does.
    public static func withNew<Result>(
        named name: String, size: Int, permissions: FilePermissions = .ownerReadWrite,
        _ body: (SharedMemory) async throws -> Result
    ) async throws -> Result {
        let memory = try SharedMemory(named: name, size: size, permissions: permissions, opening: .create)
        defer {
            try? memory.remove()
            memory.close()
        }
        return try await body(memory)
    }

    private func change<Result>(
        _ operation: String, _ offset: Int, _ count: Int, _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) throws -> Result {
        guard !isReadOnly else {
            throw SharedObjectError(
                .notPermitted, operation, on: subject, .permissionDenied, "it can only be read here")
        }
        return try use(operation, offset, count) { try body(UnsafeMutableRawBufferPointer(mutating: $0)) }
    }

    private func use<Result>(
        _ operation: String, _ offset: Int, _ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        guard SharedBytes.hold(count, at: offset, inside: size) else {
            throw SharedObjectError(
                .outOfRange, operation, on: subject, .invalidArgument,
                "\(count) bytes at \(offset) are not inside its \(size)")
        }
        // Whoever closes it meanwhile waits for nobody: the region goes with its last user.
        guard let region = contents.withLock({ $0?.region }) else { throw closedError(operation) }
        try region.check(operation, on: subject)
        let result = try body(UnsafeRawBufferPointer(start: region.address + offset, count: count))
        try region.check(operation, on: subject)
        return result
    }

    private func closedError(_ operation: String) -> SharedObjectError {
        SharedObjectError(.closed, operation, on: subject, .badFileDescriptor, "it is closed")
    }
}
