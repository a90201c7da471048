// A variable that processes share: read without a lock, changed in one step, and never seen half.
import CIPC
public import SystemPackage

/// A variable that processes share by its name.
///
/// ```swift
/// let hits = try SharedVariable(named: "/hits", initialValue: 0)
/// try await hits.withLock { $0 += 1 }
/// print(try hits.value)
/// ```
///
/// A value of a trivial type, one without references, lies in the memory as it is; any other that is `Codable` is coded, within a limit.
/// Reading takes no lock, and waits for nobody. A change is made under a lock that a dying holder gives back, on a copy that then
/// becomes the value in one step: whenever a process is killed, others read the old value or the new one. A program that means
/// another type by the name is refused.
///
/// Whoever may write to the memory can write anything there. Bytes that are no value of ours are found by a sum and are an error; against
/// somebody who means harm that is no protection. The value stays in `/dev/shm` until ``remove()``. It is the manual's "you cannot share a
/// variable", and Perl's `IPC::Shareable`.
public final class SharedVariable<Value: Sendable>: Sendable {
    @usableFromInline let object: SharedObject
    /// How values are coded; `nil` for those of a trivial type.
    @usableFromInline let coding: SharedCoding<Value>?

    /// A variable of a trivial type.
    ///
    /// - Parameters:
    ///   - name: a slash and a word of at most 255 bytes; the slash may be missing.
    ///   - initialValue: its first value, if it is made. Of one that is there it says the type: structures by their fields, all else by its
    ///     name, an enumeration that is `CaseIterable` by its cases too. Into other enumerations nobody can look: all who share one have
    ///     to be built with the same.
    ///   - permissions: who may use a new one, which needs the right to read and to write, whatever the umask is. One that is there must
    ///     not let in others.
    ///   - owner: whose one that is there has to be, by number; `nil` for ours, or root's.
    ///   - opening: whether it may be there already, or has to be.
    /// - Throws: ``SharedObjectError``: `alreadyExists`, `notFound`, `notPermitted`, `badName`, `limitReached`; `wrongLayout`, `wrongSize`
    ///   and `damaged` if what is there is no variable of this type, and `wrongLayout` too for a type with a pointer in it.
    public init(
        named name: String, initialValue: Value, permissions: FilePermissions = .ownerReadWrite,
        ownedBy owner: UInt32? = nil, opening: Opening = .createOrOpen
    ) throws where Value: BitwiseCopyable {
        let layout = try SharedLayout.number(of: initialValue, "\(NamedObject.Kind.variable) \(name)")
        let size = (MemoryLayout<Value>.size + 7) / 8 * 8
        object = try SharedObject(
            named: name, .init(kind: .variable, size: size, layout: layout, isCoded: false), opening,
            .init(permissions: permissions, owner: owner)
        ) { _, halves in
            var bytes = withUnsafeBytes(of: initialValue) { [UInt8]($0) }
            bytes += [UInt8](repeating: 0, count: size - bytes.count)
            ipc_shared_begin(halves, bytes, size)
        }
        coding = nil
    }

    /// A variable whose values are coded, and may differ in size.
    ///
    /// - Parameters:
    ///   - name: as for one of a trivial type.
    ///   - initialValue: its first value, if it is made.
    ///   - sizeLimit: the most bytes that a value may take, coded; all who use the variable say the same. Memory is taken as values need
    ///     it, twice, and kept.
    ///   - permissions: as for one of a trivial type.
    ///   - owner: as for one of a trivial type.
    ///   - opening: as for one of a trivial type.
    /// - Throws: as for one of a trivial type, with `tooLarge` for a first value above the limit; what coding it throws.
    public init(
        named name: String, initialValue: Value, sizeLimit: Int, permissions: FilePermissions = .ownerReadWrite,
        ownedBy owner: UInt32? = nil, opening: Opening = .createOrOpen
    ) throws where Value: Codable {
        let subject = "\(NamedObject.Kind.variable) \(name)"
        guard 1...(1 << 30) ~= sizeLimit else {
            throw SharedObjectError(
                .outOfRange, "create", on: subject, .invalidArgument,
                "a limit is 1 to \(1 << 30) bytes, not \(sizeLimit)")
        }
        let coding = SharedCoding(Value.self, limit: sizeLimit)
        let first = try coding.encode(initialValue, "create", subject)
        let layout = SharedLayout.number(ofCoded: Value.self)
        object = try SharedObject(
            named: name, .init(kind: .variable, size: (sizeLimit + 7) / 8 * 8, layout: layout, isCoded: true), opening,
            .init(permissions: permissions, owner: owner)
        ) { file, halves in
            try SharedFile.allocate(first.count, at: SharedObject.page, of: file, "create", subject)
            ipc_shared_begin(halves, first, first.count)
        }
        self.coding = coding
    }

    /// The name, with its slash.
    public var name: String { object.name.text }

    /// Whether this call has made it.
    public var wasCreated: Bool { object.wasCreated }

    // MARK: Reading

    /// A value, and which one of all that the variable has had it is.
    public struct Snapshot: Sendable {
        /// The value.
        public let value: Value
        /// Its number: another for each change.
        public let version: UInt64

        @usableFromInline
        init(value: Value, version: UInt64) { (self.value, self.version) = (value, version) }
    }

    /// The value. Takes no lock, and waits for nobody: only if the value was another one each of a thousand times that it was looked at is
    /// it taken under the lock, for which a second is waited then.
    ///
    /// - Throws: ``SharedObjectError`` with `damaged`, with `truncated`; what decoding throws is `damaged` too. ``TimeoutError`` after that
    ///   second.
    @inlinable
    public var value: Value { get throws { try snapshot.value } }

    /// The value and its number, for `waitForChange(since:)`.
    ///
    /// - Throws: as ``value`` does.
    @inlinable
    public var snapshot: Snapshot {
        get throws {
            if let coding { return try coding.read(object) }
            return try withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { space in
                let version = try object.read(into: bytes(of: space), "read")
                return Snapshot(value: space[0], version: version)
            }
        }
    }

    // MARK: Changing

    /// Changes the value: here if nobody else does so, else on a thread that waits for its turn.
    ///
    /// The body works on a copy, which becomes the value when it returns; if it throws, nothing has changed. What counts as a change are
    /// other bytes, those between fields among them. A body that has begun is not interrupted, by a cancellation neither. On the thread
    /// that has waited it has 1 MiB of stack, and no task-local values.
    ///
    /// - Parameters:
    ///   - timeout: how long to wait for one's turn; as long as it takes for `nil`.
    ///   - body: changes the value; what it gives is given.
    /// - Throws: what the body throws. ``SharedObjectError`` with `damaged`, with `truncated`, with `deadlock` if this thread is changing
    ///   the value already, with `tooLarge` for a coded value above the limit, with `limitReached` if there is no memory for it.
    ///   ``TimeoutError`` that names who has its turn; `CancellationError`; ``SystemError`` with `EAGAIN` if too many wait already.
    ///   Nothing has changed then.
    @inlinable
    public func withLock<Result: Sendable>(
        timeout: Duration? = nil, _ body: @escaping @Sendable (inout Value) throws -> Result
    ) async throws -> Result {
        try await object.beginChange()
        if object.isWord, let word = object.takeWordAtOnce() { return try changeWord(word, body) }
        return try await changeLater(timeout, body)
    }

    @usableFromInline
    func changeLater<Result: Sendable>(
        _ timeout: Duration?, _ body: @escaping @Sendable (inout Value) throws -> Result
    ) async throws -> Result {
        try await object.withLock("change", Deadline.after(timeout)) { _ in try self.change(body) }
    }

    /// Changes the value, and waits for one's turn on the thread of the caller: for programs that are not asynchronous.
    ///
    /// - Throws: as the asynchronous form does, without cancellation.
    @available(*, noasync, message: "await the asynchronous form")
    @inlinable
    public func withLock<Result>(
        timeout: Duration? = nil, _ body: (inout Value) throws -> Result
    ) throws -> Result {
        if object.isWord {
            return try changeWord(timeout == nil ? try object.takeWord() : try object.takeWord(timeout), body)
        }
        try object.takeForChange(timeout)
        defer { object.leave() }
        return try change(body)
    }

    /// With the lock held, which it leaves: a value that is a word, from register to register.
    @inlinable
    func changeWord<Result>(_ taken: UInt64, _ body: (inout Value) throws -> Result) throws -> Result {
        var word = taken
        let result: Result
        do {
            var value = withUnsafeBytes(of: &word) { $0.load(as: Value.self) }
            result = try body(&value)
            // What is behind a smaller value stays.
            withUnsafeMutableBytes(of: &word) { $0.storeBytes(of: value, as: Value.self) }
        } catch {
            object.leave()
            throw error
        }
        try object.leaveWord(word)
        return result
    }

    /// Changes the value if nobody else is doing so; `nil` if somebody is. Never waits.
    ///
    /// - Throws: as `withLock` does.
    public func tryWithLock<Result>(_ body: (inout Value) throws -> Result) throws -> Result? {
        guard try object.takeAtOnce("change") != nil else { return nil }
        defer { object.leave() }
        return try change(body)
    }

    /// Makes a value the variable's, whatever it was; so one that is damaged is mended.
    ///
    /// - Throws: as `withLock` does, but for `damaged`.
    public func replace(with value: Value, timeout: Duration? = nil) async throws {
        try await object.withLock("replace", Deadline.after(timeout)) { _ in try self.store(value) }
    }

    /// Makes a value the variable's, and waits for one's turn on the thread of the caller: for programs that are not asynchronous.
    ///
    /// - Throws: as the asynchronous form does, without cancellation.
    @available(*, noasync, message: "await the asynchronous form")
    public func replace(with value: Value, timeout: Duration? = nil) throws {
        _ = try object.take("replace", Deadline.after(timeout))
        defer { object.leave() }
        try store(value)
    }

    /// With the lock held.
    @inlinable
    func change<Result>(_ body: (inout Value) throws -> Result) throws -> Result {
        if let coding {
            var value = try coding.read(object).value
            let result = try body(&value)
            try coding.commit(value, to: object, "change")
            return result
        }
        return try withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { space in
            let bytes = bytes(of: space)
            _ = try object.read(into: bytes, "change")
            let result = try body(&space[0])
            try object.commit(UnsafeRawBufferPointer(bytes), "change")
            return result
        }
    }

    /// Those of the value alone, whatever lies behind it.
    @inlinable
    func bytes(of space: UnsafeMutableBufferPointer<Value>) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: space.baseAddress, count: MemoryLayout<Value>.size)
    }

    /// With the lock held.
    private func store(_ value: Value) throws {
        if let coding { return try coding.commit(value, to: object, "replace") }
        try withUnsafeBytes(of: value) { try object.commit($0, "replace") }
    }

    // MARK: Names

    /// The process that is changing the value; `nil` if none is, or it cannot be seen from here.
    public var holder: ProcessID? { object.holder }

    /// Whether the name means this variable still: it may have been removed, and another made.
    public var isNamed: Bool { object.isNamed }

    /// Takes its name away; those who have it open keep it.
    ///
    /// - Throws: ``SharedObjectError`` with `replaced` if the name means another, or none, by now; with `notPermitted`.
    public func remove() throws { try object.remove() }
}
