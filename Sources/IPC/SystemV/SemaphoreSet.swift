// Sets of semaphores: made without the race for their first values, found by key, looked at, removed.
import CIPC
public import SystemPackage

extension SystemV {
    /// A set of System V semaphores.
    ///
    /// ```swift
    /// let set = try SystemV.SemaphoreSet(key: .number(1234))
    /// try await set.withTaken {
    ///     print("nobody else is here")
    /// }
    /// ```
    ///
    /// The manual's way is a semaphore that is 0 while it is free: ``take(_:undoOnExit:timeout:)`` waits for zero and adds one,
    /// ``give(_:undoOnExit:)`` subtracts one. One that counts what there is, is used by ``acquire(_:from:undoOnExit:timeout:)`` and
    /// ``release(_:to:undoOnExit:)``. What a process has not given back is given back by the kernel when it ends, unless told
    /// otherwise (`SEM_UNDO`).
    ///
    /// The set stays in the kernel until ``remove()``; this value may be copied and dropped. The C functions are `semget`, `semop`,
    /// `semtimedop` and `semctl`.
    public struct SemaphoreSet: Hashable, Sendable {
        /// The kernel's number for the set.
        public let id: Int32
        /// The key that it is found by.
        public let key: Key
        /// How many semaphores it has, numbered from 0.
        public let count: Int
        /// Whether it was made here, rather than found.
        public let wasCreated: Bool

        /// A set of semaphores, each with a value to begin with.
        ///
        /// Whoever finds the set finds those values, or what others have made of them since: there is no moment in which they are
        /// not set. To that end a set with other values than 0 has one more semaphore, the last, which says so; a set that another
        /// program has made is taken as it is.
        ///
        /// - Parameters:
        ///   - key: ``Key/private`` always makes a new one.
        ///   - initialValues: 0 to 32,767 each; as many as the set has semaphores.
        ///   - permissions: who may read the values, and change them; for a new set.
        ///   - opening: whether it may be there already, or has to be.
        /// - Throws: ``SystemVError``: `alreadyExists`, `notFound`, `notPermitted`, `wrongSize` if the set that is there has another number
        ///   of semaphores, `outOfRange` for none at all and for values that cannot be, `limitReached`.
        public init(
            key: Key, initialValues: [Int], permissions: FilePermissions = .ownerReadWrite,
            opening: Opening = .createOrOpen
        ) throws {
            let subject = "\(Kind.semaphores) \(key)"
            guard !initialValues.isEmpty else {
                throw SystemVError(
                    .outOfRange, "create", on: subject, .invalidArgument, "a set has at least one semaphore")
            }
            guard initialValues.allSatisfy({ 0...SemaphoreSet.most ~= $0 }) else {
                throw SystemVError(
                    .outOfRange, "create", on: subject, .outOfRange, "a value is 0 to \(SemaphoreSet.most)")
            }
            let (count, isMarked) = (initialValues.count, initialValues.contains { $0 != 0 })
            let size = count + (isMarked ? 1 : 0)
            while true {
                let (id, isNew) = try SemaphoreSet.get(key, count, size, permissions, opening)
                let found = Result { try SystemV.status(.semaphores, id, subject) }
                // Removed in between: once more.
                guard let object = try? found.get() else {
                    if case .failure(let error as SystemVError) = found, error.kind == .removed { continue }
                    throw SystemV.refusal("open", .semaphores, id, subject, .permissionDenied)
                }
                guard
                    object.size == count || (object.size == count + 1 && (isMarked || SemaphoreSet.isMarked(id, count)))
                else {
                    throw SystemVError(
                        .wrongSize, "open", on: subject, .invalidArgument, "it has \(object.sizeText), not \(count)")
                }
                if isMarked, object.size > count, try !SemaphoreSet.begin(id, initialValues, subject) { continue }
                (self.id, self.key, self.count, wasCreated) = (id, key, count, isNew)
                return
            }
        }

        /// A set of so many semaphores with the same value to begin with, as ``init(key:initialValues:permissions:opening:)`` makes it.
        public init(
            key: Key, count: Int = 1, initialValue: Int = 0, permissions: FilePermissions = .ownerReadWrite,
            opening: Opening = .createOrOpen
        ) throws {
            try self.init(
                key: key, initialValues: [Int](repeating: initialValue, count: max(0, count)),
                permissions: permissions, opening: opening)
        }

        /// The set with a key, of whatever size it is.
        ///
        /// - Throws: ``SystemVError`` with `notFound` or `notPermitted`.
        public init(existing key: Key) throws {
            let id = ipc_systemv_get(Kind.semaphores.number, key.number, 0, 0, 0)
            guard id >= 0 else {
                throw SystemVError.opening(.semaphores, key, .open, size: 0, Errno(rawValue: -id))
            }
            let size = try SystemV.status(.semaphores, id, "\(Kind.semaphores) \(key)").size
            let count = size > 1 && SemaphoreSet.isMarked(id, size - 1) ? size - 1 : size
            (self.id, self.key, self.count, wasCreated) = (id, key, count, false)
        }

        /// The largest value, `SEMVMX`.
        static let most = 32_767

        /// What the last semaphore of a set with initial values holds.
        private static let mark = 6_551

        private static func isMarked(_ id: Int32, _ index: Int) -> Bool {
            ipc_semaphore_value(id, Int32(index)) == Int32(mark)
        }

        private static func get(
            _ key: Key, _ count: Int, _ size: Int, _ permissions: FilePermissions, _ opening: Opening
        ) throws -> (Int32, isNew: Bool) {
            let mode = UInt32(permissions.rawValue)
            while true {
                var result = -Errno.noSuchFileOrDirectory.rawValue
                if opening != .open || key == .private {
                    result = ipc_systemv_get(Kind.semaphores.number, key.number, size, 2, mode)
                    if result >= 0 { return (result, true) }
                }
                if opening == .open || (opening == .createOrOpen && result == -Errno.fileExists.rawValue) {
                    result = ipc_systemv_get(Kind.semaphores.number, key.number, 0, 0, 0)
                    if result >= 0 { return (result, false) }
                    if opening != .open, result == -Errno.noSuchFileOrDirectory.rawValue { continue }
                }
                throw SystemVError.opening(.semaphores, key, opening, size: count, Errno(rawValue: -result))
            }
        }

        /// Gives the set its first values, unless it has had them; `false` if it is gone.
        ///
        /// All in one step of the kernel, that is not made if the mark is there: of many who try, one does.
        private static func begin(_ id: Int32, _ values: [Int], _ subject: String) throws -> Bool {
            let last = Int32(values.count)
            if isMarked(id, values.count) { return true }
            var steps = [
                ipc_semaphore_step(index: last, amount: 0, undoes: 0),
                ipc_semaphore_step(index: last, amount: Int32(mark), undoes: 0),
            ]
            for (index, value) in values.enumerated() where value > 0 {
                steps.append(ipc_semaphore_step(index: Int32(index), amount: Int32(value), undoes: 0))
            }
            let status = SystemCall.retrying { ipc_semaphore_operate(id, steps, Int32(steps.count), 0) }
            switch Errno(rawValue: -status) {
            case _ where status >= 0, .wouldBlock: return true
            case .identifierRemoved, .invalidArgument: return false
            case let errno: throw SystemVError.of("create", on: subject, errno)
            }
        }

        var subject: String { key == .private ? "\(Kind.semaphores) with id \(id)" : "\(Kind.semaphores) \(key)" }

        // MARK: Looking and changing

        /// A semaphore's value now.
        ///
        /// - Throws: ``SystemVError`` with `outOfRange` if there is no such semaphore, with `removed`, with `notPermitted`.
        public func value(_ index: Int = 0) throws -> Int {
            try ask(index) { ipc_semaphore_value(id, $0) }
        }

        /// Sets a semaphore's value, and forgets what was to be undone of it for every process. Who can go on is woken.
        ///
        /// - Throws: as ``value(_:)`` does.
        public func set(_ index: Int = 0, to value: Int) throws {
            guard 0...SemaphoreSet.most ~= value else { throw error("set", .outOfRange, "a value is 0 to 32767") }
            _ = try ask(index) { ipc_semaphore_set(id, $0, Int32(value)) }
        }

        /// The process that changed a semaphore last; `nil` if that is nobody, or not in our namespace. The C constant is `GETPID`.
        public func lastProcess(_ index: Int = 0) throws -> ProcessID? {
            ProcessID(Int32(try ask(index) { ipc_semaphore_process(id, $0) }))
        }

        /// How many wait for a semaphore to grow. The C constant is `GETNCNT`.
        public func waitingForIncrease(_ index: Int = 0) throws -> Int {
            try ask(index) { ipc_semaphore_waiting(id, $0, 0) }
        }

        /// How many wait for a semaphore to be 0. The C constant is `GETZCNT`.
        public func waitingForZero(_ index: Int = 0) throws -> Int {
            try ask(index) { ipc_semaphore_waiting(id, $0, 1) }
        }

        /// What the kernel says of the set. Its size has the semaphore that says that initial values are set.
        ///
        /// - Throws: ``SystemVError`` with `removed`, with `notPermitted`.
        public var status: Object { get throws { try SystemV.status(.semaphores, id, subject) } }

        /// Changes who may use it.
        ///
        /// - Throws: ``SystemVError`` with `removed`, with `notPermitted` if it is another user's.
        public func setPermissions(_ permissions: FilePermissions) throws {
            try SystemV.set(.semaphores, id, subject, permissions: permissions)
        }

        /// Removes the set. Who waits for it is woken with an error.
        ///
        /// - Throws: ``SystemVError`` with `removed` if it is gone already, with `notPermitted` if it is another user's.
        public func remove() throws { try SystemV.remove(.semaphores, id, subject) }

        private func ask(_ index: Int, _ call: (Int32) -> Int32) throws -> Int {
            guard 0..<count ~= index else { throw error("use", .fileTooLarge, "there is no semaphore \(index)") }
            let result = call(Int32(index))
            guard result >= 0 else { throw error("use", Errno(rawValue: -result)) }
            return Int(result)
        }

        func error(_ operation: String, _ errno: Errno, _ detail: String? = nil) -> SystemVError {
            if detail == nil { return SystemV.refusal(operation, .semaphores, id, subject, errno) }
            return SystemVError.of(operation, on: subject, errno, detail)
        }
    }
}
