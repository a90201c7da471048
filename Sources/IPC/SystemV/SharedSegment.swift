// Segments of shared memory: attached, read and written within their bounds, gone with their last user once removed.
import CIPC
import Synchronization
public import SystemPackage

extension SystemV {
    /// A segment of System V shared memory, attached to this process.
    ///
    /// ```swift
    /// let segment = try SystemV.SharedSegment(key: .number(1234), size: 2000)
    /// try segment.write(Array("hello".utf8))
    /// ```
    ///
    /// Every place is checked against its bounds. Nothing keeps others from writing at the same time: what has to fit together
    /// needs a lock, such as a ``SemaphoreSet``.
    ///
    /// It is detached by ``detach()``, or when nobody holds it any more. In the kernel it stays until ``remove()``, and then until the
    /// last process has detached it. The C functions are `shmget`, `shmat`, `shmdt` and `shmctl`.
    public final class SharedSegment: Sendable {
        /// The kernel's number for the segment.
        public let id: Int32
        /// The key that it is found by.
        public let key: Key
        /// How many bytes it has.
        public let size: Int
        /// Whether it may be read alone.
        public let isReadOnly: Bool
        /// Whether it was made here, rather than found.
        public let wasCreated: Bool

        /// The address, until it is detached; held by each access, so that none is under way when that happens.
        private let mapping: Mutex<Mapping?>

        private struct Mapping: @unchecked Sendable {
            // Safe because it is used under the mutex alone.
            let address: UnsafeMutableRawPointer
        }

        /// Attaches the segment with a key.
        ///
        /// - Parameters:
        ///   - key: ``Key/private`` always makes a new one.
        ///   - size: in bytes; one that is there may have more. New ones are filled with zeros.
        ///   - permissions: who may read and write, for a new segment.
        ///   - opening: whether it may be there already, or has to be.
        ///   - isReadOnly: whether it is to be read alone; the system calls it `SHM_RDONLY`.
        /// - Throws: ``SystemVError``: `alreadyExists`, `notFound`, `notPermitted`, `wrongSize` if one that is there has fewer bytes,
        ///   `outOfRange` for a size of 0, `limitReached`.
        public convenience init(
            key: Key, size: Int, permissions: FilePermissions = .ownerReadWrite, opening: Opening = .createOrOpen,
            isReadOnly: Bool = false
        ) throws {
            guard size > 0 else {
                throw SystemVError(
                    .outOfRange, "create", on: "\(Kind.segment) \(key)", .invalidArgument, "it has at least one byte")
            }
            while true {
                let (id, wasCreated) = try SystemV.get(
                    .segment, key, opening, size: size, mode: UInt32(permissions.rawValue))
                do {
                    try self.init(attaching: id, key, isReadOnly, wasCreated)
                    return
                } catch let error as SystemVError
                    where error.kind == .removed && !wasCreated && opening == .createOrOpen
                {
                    continue  // removed in between: once more
                } catch {
                    if wasCreated { _ = ipc_systemv_remove(Kind.segment.number, id) }
                    throw error
                }
            }
        }

        /// Attaches the segment with an id, which somebody has told us.
        ///
        /// - Throws: ``SystemVError`` with `removed` if there is none, with `notPermitted`.
        public convenience init(id: Int32, isReadOnly: Bool = false) throws {
            let object = try SystemV.status(.segment, id, "\(Kind.segment) with id \(id)")
            try self.init(attaching: id, object.key, isReadOnly, false)
        }

        private init(attaching id: Int32, _ key: Key, _ isReadOnly: Bool, _ wasCreated: Bool) throws {
            let subject = SystemV.name(.segment, id, key)
            var error: Int32 = 0
            guard let address = ipc_segment_attach(id, isReadOnly ? 1 : 0, &error) else {
                throw SystemV.refusal("attach", .segment, id, subject, Errno(rawValue: error))
            }
            do { size = try SystemV.status(.segment, id, subject).size } catch {
                _ = ipc_segment_detach(address)
                throw error
            }
            (self.id, self.key, self.isReadOnly, self.wasCreated) = (id, key, isReadOnly, wasCreated)
            mapping = Mutex(Mapping(address: address))
        }

        deinit { detach() }

        private var subject: String { SystemV.name(.segment, id, key) }

        // MARK: Bytes

        /// The bytes at a place.
        ///
        /// - Throws: ``SystemVError`` with `outOfRange` for what is not inside, with `removed` after ``detach()``.
        public func read(at offset: Int = 0, count: Int) throws -> [UInt8] {
            try use("read", offset, count) { [UInt8]($0) }
        }

        /// Writes bytes at a place.
        ///
        /// - Parameters:
        ///   - bytes: what to write.
        ///   - offset: where, in bytes from the beginning.
        ///   - count: so many bytes are written in all, with zeros behind the others, as Perl's `shmwrite` does; `nil` writes the bytes
        ///     alone.
        /// - Throws: ``SystemVError`` with `outOfRange` for what is not inside, with `notPermitted` if it is attached to be read, with
        ///   `removed` after ``detach()``. Nothing was written then.
        public func write(_ bytes: [UInt8], at offset: Int = 0, paddedTo count: Int? = nil) throws {
            try change("write", offset, max(bytes.count, count ?? 0)) { $0.fill(with: bytes) }
        }

        /// The text at a place, up to the first zero byte; what is not UTF-8 is replaced by U+FFFD.
        ///
        /// - Throws: as ``read(at:count:)`` does.
        public func text(at offset: Int = 0, count: Int) throws -> String {
            SharedBytes.text(try read(at: offset, count: count))
        }

        // MARK: Values

        /// The value at a place, whose bytes may be at any address.
        ///
        /// A copy that another process may be writing meanwhile, and whose bytes may be of any kind: for numbers, and structures of
        /// such, not for what has values that cannot be.
        ///
        /// - Throws: as ``read(at:count:)`` does.
        public func load<Value: BitwiseCopyable>(_ type: Value.Type = Value.self, at offset: Int = 0) throws -> Value {
            try use("read", offset, MemoryLayout<Value>.size) { $0.loadUnaligned(as: type) }
        }

        /// Writes a value at a place.
        ///
        /// - Throws: as ``write(_:at:paddedTo:)`` does.
        public func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int = 0) throws {
            try change("write", offset, MemoryLayout<Value>.size) { space in
                withUnsafeBytes(of: value) { space.copyMemory(from: $0) }
            }
        }

        // MARK: The whole

        /// Calls the body with all bytes, which are there as long as it runs. It must not wait, since other accesses do, nor use the
        /// segment itself.
        ///
        /// - Throws: what the body throws; ``SystemVError`` with `removed` after ``detach()``.
        public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
            try use("read", 0, size, body)
        }

        /// Calls the body with all bytes, to be changed, as ``withBytes(_:)`` does.
        ///
        /// - Throws: as ``withBytes(_:)`` does, with `notPermitted` if it is attached to be read.
        public func withMutableBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) throws -> Result) throws -> Result
        {
            try change("write", 0, size, body)
        }

        /// Takes it out of this process's memory. Detaching again does nothing.
        public func detach() {
            mapping.withLock { mapping in
                if let address = mapping?.address { _ = ipc_segment_detach(address) }
                mapping = nil
            }
        }

        /// What the kernel says of the segment.
        ///
        /// - Throws: ``SystemVError`` with `removed`, with `notPermitted`.
        public var status: Object { get throws { try SystemV.status(.segment, id, subject) } }

        /// Changes who may attach it.
        ///
        /// - Throws: ``SystemVError`` with `removed`, with `notPermitted` if it is another user's.
        public func setPermissions(_ permissions: FilePermissions) throws {
            try SystemV.set(.segment, id, subject, permissions: permissions)
        }

        /// Has it go when the last process detaches it, or ends, however that comes about. Nobody finds it by its key any more; who has
        /// it, has it, and who knows its id can still attach it.
        ///
        /// - Throws: ``SystemVError`` with `removed` if it is gone already, with `notPermitted` if it is another user's.
        public func remove() throws { try SystemV.remove(.segment, id, subject) }

        /// Makes a segment that nobody else finds by a key, and removes it however the body ends. It is marked to go before the body
        /// runs, so that nothing is left even if the process is killed; children attach it by its id.
        ///
        /// - Throws: what the body throws; ``SystemVError`` with `limitReached`.
        public static func withNew<Result>(
            size: Int, _ body: (SharedSegment) async throws -> Result
        ) async throws -> Result {
            let segment = try SharedSegment(key: .private, size: size)
            try segment.remove()
            defer { segment.detach() }
            return try await body(segment)
        }

        private func change<Result>(
            _ operation: String, _ offset: Int, _ count: Int, _ body: (UnsafeMutableRawBufferPointer) throws -> Result
        ) throws -> Result {
            guard !isReadOnly else {
                throw SystemVError(
                    .notPermitted, operation, on: subject, .permissionDenied, "it is attached to be read alone")
            }
            return try use(operation, offset, count) { try body(UnsafeMutableRawBufferPointer(mutating: $0)) }
        }

        private func use<Result>(
            _ operation: String, _ offset: Int, _ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
        ) throws -> Result {
            guard SharedBytes.hold(count, at: offset, inside: size) else {
                throw SystemVError(
                    .outOfRange, operation, on: subject, .invalidArgument,
                    "\(count) bytes at \(offset) are not inside its \(size)")
            }
            var outcome: Swift.Result<Result, any Error>?
            mapping.withLock { mapping in
                guard let address = mapping?.address else { return }
                let bytes = UnsafeRawBufferPointer(start: address + offset, count: count)
                outcome = Swift.Result { try body(bytes) }
            }
            guard let outcome else {
                throw SystemVError(.removed, operation, on: subject, .badFileDescriptor, "it is detached")
            }
            return try outcome.get()
        }
    }
}
