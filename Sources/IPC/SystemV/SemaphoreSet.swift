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
    /// The manual's way is a semaphore that is 0 while it is free: `take` waits for zero and adds one,
    /// ``give(_:undoOnExit:)`` subtracts one. One that counts what there is, is used by `acquire` and
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
        /// not set. To that end a set with other values than 0 has one more semaphore, the last, which says that they are, and a mode
        /// that says so; a set that another program has made is taken as it is.
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
            let (subject, count) = ("\(Kind.semaphores) \(key)", initialValues.count)
            func refuse(_ errno: Errno, _ detail: String) -> SystemVError {
                SystemVError(.outOfRange, "create", on: subject, errno, detail)
            }
            guard count > 0 else { throw refuse(.invalidArgument, "a set has at least one semaphore") }
            guard initialValues.allSatisfy({ 0...SemaphoreSet.most ~= $0 }) else {
                throw refuse(.outOfRange, "a value is 0 to \(SemaphoreSet.most)")
            }
            let isMarked = initialValues.contains { $0 != 0 }
            // They are given in one step of the kernel, to which two belong that are the mark's.
            guard initialValues.count(where: { $0 != 0 }) <= SemaphoreSet.mostSteps - 2 else {
                throw refuse(
                    .argListTooLong, "at most \(SemaphoreSet.mostSteps - 2) values other than 0 are given at once")
            }
            let mode = UInt32(permissions.rawValue) & 0o666 | (isMarked ? SemaphoreSet.markedMode : 0)
            while true {
                let (id, isNew) = try SystemV.get(
                    .semaphores, key, opening, size: count, spare: isMarked ? 1 : 0, mode: mode)
                do {
                    let object = try SystemV.status(.semaphores, id, subject)
                    guard object.size == count else {
                        throw SystemVError(
                            .wrongSize, "open", on: subject, .invalidArgument, "it has \(object.sizeText), not \(count)"
                        )
                    }
                    if object.isMarked { try SemaphoreSet.begin(id, initialValues, subject) }
                } catch let error as SystemVError where error.kind == .removed && !isNew && opening != .open {
                    continue  // removed in between: once more
                } catch {
                    if isNew { _ = ipc_systemv_remove(Kind.semaphores.number, id) }
                    throw error
                }
                (self.id, self.key, self.count, wasCreated) = (id, key, count, isNew)
                return
            }
        }

        /// A set of so many semaphores with the same value to begin with, as ``init(key:initialValues:permissions:opening:)`` makes it.
        public init(
            key: Key, count: Int = 1, initialValue: Int = 0, permissions: FilePermissions = .ownerReadWrite,
            opening: Opening = .createOrOpen
        ) throws {
            guard count <= Int(UInt16.max) else {
                throw SystemVError(
                    .outOfRange, "create", on: "\(Kind.semaphores) \(key)", .invalidArgument,
                    "a set cannot have \(count) semaphores; \(SystemV.limits(of: .semaphores))")
            }
            try self.init(
                key: key, initialValues: [Int](repeating: initialValue, count: max(0, count)),
                permissions: permissions, opening: opening)
        }

        /// The set with a key, of whatever size it is.
        ///
        /// - Throws: ``SystemVError`` with `notFound` or `notPermitted`.
        public init(existing key: Key) throws {
            let (id, _) = try SystemV.get(.semaphores, key, .open, size: 0)
            let subject = "\(Kind.semaphores) \(key)"
            let object = try SystemV.status(.semaphores, id, subject)
            if object.isMarked { try SemaphoreSet.begin(id, [Int](repeating: 0, count: object.size), subject) }
            (self.id, self.key, count, wasCreated) = (id, key, object.size, false)
        }

        /// The largest value, `SEMVMX`.
        static let most = 32_767

        /// How many steps go at once, `SEMOPM` as it is unless somebody has set less.
        static let mostSteps = 500

        /// The bit of the mode that says that the last semaphore is a mark: one that the kernel keeps and never asks for.
        static let markedMode: UInt32 = 0o001

        /// Gives the set its first values, unless it has had them.
        ///
        /// All in one step of the kernel, that is not made if the mark is there: of many who try, one does. Who does not know the
        /// values waits for whoever does, which takes no longer than two calls, unless he was killed between them.
        private static func begin(_ id: Int32, _ values: [Int], _ subject: String) throws {
            let last = Int32(values.count)
            var steps = [
                ipc_semaphore_step(index: last, amount: 0, undoes: 0),
                ipc_semaphore_step(index: last, amount: 1, undoes: 0),
            ]
            for (index, value) in values.enumerated() where value > 0 {
                steps.append(ipc_semaphore_step(index: Int32(index), amount: Int32(value), undoes: 0))
            }
            for _ in 0..<100 {
                let mark = ipc_semaphore_value(id, last)
                // Who may not look may not give values either, and finds those that are there.
                if mark > 0 || mark == -Errno.permissionDenied.rawValue { return }
                guard mark == 0 else { throw SystemVError.of("open", on: subject, Errno(rawValue: -mark)) }
                guard steps.count > 2 else {
                    ipc_pause_thread(1_000_000)
                    continue
                }
                let status = SystemCall.retrying { ipc_semaphore_operate(id, steps, Int32(steps.count), 0) }
                switch Errno(rawValue: -status) {
                case _ where status >= 0, .wouldBlock: return
                case .argListTooLong:
                    throw SystemVError(
                        .limitReached, "create", on: subject, .argListTooLong, SystemV.limits(of: .semaphores))
                case let errno: throw SystemVError.of("create", on: subject, errno)
                }
            }
            throw SystemVError(
                .other, "open", on: subject, .resourceTemporarilyUnavailable, "its maker has not given it its values")
        }

        var subject: String { SystemV.name(.semaphores, id, key) }

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
            guard 0...SemaphoreSet.most ~= value else {
                throw error("set", .outOfRange, "a value is 0 to \(SemaphoreSet.most)")
            }
            _ = try ask(index) { ipc_semaphore_set(id, $0, Int32(value)) }
        }

        /// The process that changed a semaphore last; `nil` if that is nobody, or not in our namespace. The C constant is `GETPID`.
        ///
        /// - Throws: ``SystemVError`` with `removed`, with `outOfRange`, with `notPermitted`.
        public func lastProcess(_ index: Int = 0) throws -> ProcessID? {
            ProcessID(Int32(try ask(index) { ipc_semaphore_process(id, $0) }))
        }

        /// How many wait for a semaphore to grow. The C constant is `GETNCNT`.
        ///
        /// - Throws: as ``lastProcess(_:)`` does.
        public func waitingForIncrease(_ index: Int = 0) throws -> Int {
            try ask(index) { ipc_semaphore_waiting(id, $0, 0) }
        }

        /// How many wait for a semaphore to be 0. The C constant is `GETZCNT`.
        ///
        /// - Throws: as ``lastProcess(_:)`` does.
        public func waitingForZero(_ index: Int = 0) throws -> Int {
            try ask(index) { ipc_semaphore_waiting(id, $0, 1) }
        }

        /// What the kernel says of the set.
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
