// Taking and giving: several steps at once or none, within a limit, undone when the process ends.
import CIPC
import SystemPackage

extension SystemV.SemaphoreSet {
    /// One step of an operation on a set; all steps are made at once, or none.
    public struct Operation: Hashable, Sendable {
        let index: Int
        /// To be added; `nil` for what no step can be.
        let amount: Int?

        /// Waits until the semaphore is 0.
        public static func waitForZero(_ index: Int = 0) -> Operation { Operation(index: index, amount: 0) }

        /// Adds to the semaphore, 1 to 32,767.
        public static func increment(_ index: Int = 0, by amount: Int = 1) -> Operation {
            Operation(index: index, amount: 1...SystemV.SemaphoreSet.most ~= amount ? amount : nil)
        }

        /// Subtracts from the semaphore, 1 to 32,767, waiting until that leaves 0 or more.
        public static func decrement(_ index: Int = 0, by amount: Int = 1) -> Operation {
            Operation(index: index, amount: 1...SystemV.SemaphoreSet.most ~= amount ? -amount : nil)
        }
    }

    // MARK: Any operation

    /// Makes all steps at once, as soon as that can be.
    ///
    /// What can be done at once is done in place; a wait has a thread of its own, which goes with it. A wait that ends by its limit or
    /// a cancellation has taken nothing.
    ///
    /// - Parameters:
    ///   - operations: 1 to 500, in the order in which the kernel tries them.
    ///   - undoOnExit: whether the kernel takes them back when this process ends, however it does (`SEM_UNDO`).
    ///   - timeout: how long to wait; as long as it takes for `nil`.
    /// - Throws: ``SystemVError``: `removed`, also while waiting; `outOfRange` for a semaphore that is not there, or a value that it
    ///   cannot have; `notPermitted`; `limitReached` if the kernel has no room to remember what to undo. ``TimeoutError``,
    ///   `CancellationError`, ``SystemError`` with `EAGAIN` if too many wait already.
    public func perform(_ operations: Operation..., undoOnExit: Bool = true, timeout: Duration? = nil) async throws {
        try await perform("use", operations, undoOnExit, Deadline.after(timeout))
    }

    /// Makes all steps at once, on the thread of the caller, which waits as long as need be: for programs that are not asynchronous.
    ///
    /// - Throws: as `perform` does, without cancellation.
    @available(*, noasync, message: "await the asynchronous form")
    public func perform(_ operations: Operation..., undoOnExit: Bool = true, timeout: Duration? = nil) throws {
        try performBlocking("use", operations, undoOnExit, Deadline.after(timeout))
    }

    /// Makes all steps if that can be done at once; whether it did. Never waits.
    ///
    /// - Throws: as `perform` does.
    public func tryPerform(_ operations: Operation..., undoOnExit: Bool = true) throws -> Bool {
        try attempt("use", operations, undoOnExit)
    }

    // MARK: Free at zero

    /// Waits until the semaphore is 0 and adds one, in one step: it is ours until ``give(_:undoOnExit:)``.
    ///
    /// - Throws: as `perform` does.
    public func take(_ index: Int = 0, undoOnExit: Bool = true, timeout: Duration? = nil) async throws {
        try await perform("take", taking(index), undoOnExit, Deadline.after(timeout))
    }

    /// Takes the semaphore on the thread of the caller, which waits as long as need be.
    ///
    /// - Throws: as the asynchronous form does, without cancellation.
    @available(*, noasync, message: "await the asynchronous form")
    public func take(_ index: Int = 0, undoOnExit: Bool = true, timeout: Duration? = nil) throws {
        try performBlocking("take", taking(index), undoOnExit, Deadline.after(timeout))
    }

    /// Subtracts one. Never waits.
    ///
    /// What is to be undone is kept for each process: who gives what another process has taken says `undoOnExit: false`, else the kernel
    /// takes it again when he ends.
    ///
    /// - Throws: ``SystemVError`` as `perform` does, with `outOfRange` if it is 0.
    public func give(_ index: Int = 0, undoOnExit: Bool = true) throws {
        guard try attempt("give", CollectionOfOne(.decrement(index)), undoOnExit) else {
            throw error("give", .outOfRange, "semaphore \(index) is 0, so nobody has taken it")
        }
    }

    /// Runs the body while the semaphore is taken, and gives it back however that ends.
    ///
    /// - Throws: what the body throws; as `take` and `give` do.
    public func withTaken<Result>(
        _ index: Int = 0, timeout: Duration? = nil, _ body: () async throws -> Result
    ) async throws -> Result {
        try await take(index, timeout: timeout)
        return try await Scope.run(body, endingBy: { try give(index) })
    }

    private func taking(_ index: Int) -> [Operation] { [.waitForZero(index), .increment(index)] }

    // MARK: Counting

    /// Subtracts from the semaphore as soon as it is large enough (Dijkstra's P).
    ///
    /// - Throws: as `perform` does.
    public func acquire(
        _ amount: Int = 1, from index: Int = 0, undoOnExit: Bool = true, timeout: Duration? = nil
    ) async throws {
        try await perform(
            "acquire", CollectionOfOne(.decrement(index, by: amount)), undoOnExit, Deadline.after(timeout))
    }

    /// Subtracts from the semaphore on the thread of the caller, which waits as long as need be.
    ///
    /// - Throws: as the asynchronous form does, without cancellation.
    @available(*, noasync, message: "await the asynchronous form")
    public func acquire(
        _ amount: Int = 1, from index: Int = 0, undoOnExit: Bool = true, timeout: Duration? = nil
    ) throws {
        try performBlocking(
            "acquire", CollectionOfOne(.decrement(index, by: amount)), undoOnExit, Deadline.after(timeout))
    }

    /// Adds to the semaphore (Dijkstra's V). Never waits.
    ///
    /// Where one process acquires and another releases, both say `undoOnExit: false`: what is to be undone is kept for each, and is at
    /// most 32,767.
    ///
    /// - Throws: ``SystemVError`` with `outOfRange` beyond 32,767.
    public func release(_ amount: Int = 1, to index: Int = 0, undoOnExit: Bool = true) throws {
        _ = try attempt("release", CollectionOfOne(.increment(index, by: amount)), undoOnExit)
    }

    /// Runs the body while so much is acquired, and releases it however that ends.
    ///
    /// - Throws: what the body throws; as `acquire` and `release` do.
    public func withAcquired<Result>(
        _ amount: Int = 1, from index: Int = 0, timeout: Duration? = nil, _ body: () async throws -> Result
    ) async throws -> Result {
        try await acquire(amount, from: index, timeout: timeout)
        return try await Scope.run(body, endingBy: { try release(amount, to: index) })
    }

    // MARK: Scopes

    /// Makes a set that nobody else finds by a key, and removes it however the body ends.
    ///
    /// - Throws: what the body throws; ``SystemVError`` with `limitReached`.
    public static func withNew<Result>(
        count: Int = 1, initialValue: Int = 0, _ body: (SystemV.SemaphoreSet) async throws -> Result
    ) async throws -> Result {
        let set = try SystemV.SemaphoreSet(key: .private, count: count, initialValue: initialValue)
        defer { try? set.remove() }
        return try await body(set)
    }

    // MARK: The calls

    /// The steps as the kernel takes them, in memory that is there as long as the body runs.
    @inline(__always)
    private func withSteps<Result>(
        _ operations: some Collection<Operation>, _ undoes: Bool,
        _ body: (UnsafeMutableBufferPointer<ipc_semaphore_step>, Int32) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: ipc_semaphore_step.self, capacity: max(1, operations.count)) { steps in
            for (place, operation) in operations.enumerated() {
                let step = ipc_semaphore_step(
                    index: 0..<count ~= operation.index ? Int32(operation.index) : -1,
                    amount: operation.amount.map { Int32($0) } ?? .max, undoes: undoes ? 1 : 0)
                steps.initializeElement(at: place, to: step)
            }
            return body(steps, Int32(clamping: operations.count))
        }
    }

    /// Without waiting: whether it was done.
    @inline(__always)
    private func attempt(_ operation: String, _ operations: some Collection<Operation>, _ undoes: Bool) throws -> Bool {
        let result = withSteps(operations, undoes) { steps, count in
            SystemCall.retrying { ipc_semaphore_operate(id, steps.baseAddress, count, 0) }
        }
        if result >= 0 { return true }
        guard result == -Errno.wouldBlock.rawValue else { throw failure(operation, -result) }
        return false
    }

    @inline(__always)
    private func perform(
        _ operation: String, _ operations: some Collection<Operation>, _ undoes: Bool, _ deadline: Deadline?
    ) async throws {
        try await SharedDescriptor.beginCall(operation, on: subject, deadline: deadline)
        if try attempt(operation, operations, undoes) { return }
        try await wait(operation, Array(operations), undoes, deadline)
    }

    private func wait(
        _ operation: String, _ operations: [Operation], _ undoes: Bool, _ deadline: Deadline?
    ) async throws {
        let set = self
        _ = try await BlockingCall.perform(operation, on: subject, deadline: deadline) {
            set.withSteps(operations, undoes) { Int(ipc_semaphore_operate(set.id, $0.baseAddress, $1, -1)) }
        } refused: {
            failure(operation, $0.rawValue)
        }
    }

    @inline(__always)
    private func performBlocking(
        _ operation: String, _ operations: some Collection<Operation>, _ undoes: Bool, _ deadline: Deadline?
    ) throws {
        while true {
            let left = deadline.map { Int64(clamping: max(.zero, $0.remaining).nanosecondsRoundedUp) } ?? -1
            let result = withSteps(operations, undoes) { ipc_semaphore_operate(id, $0.baseAddress, $1, left) }
            if result >= 0 { return }
            switch Errno(rawValue: -result) {
            case .interrupted: continue
            case .wouldBlock: if let deadline { throw deadline.passed(operation, on: subject) }
            default: throw failure(operation, -result)
            }
        }
    }

    private func failure(_ operation: String, _ number: Int32) -> SystemVError {
        switch Errno(rawValue: number) {
        case .noSpace: error(operation, .noSpace, "the kernel has no room to remember what to undo")
        case .fileTooLarge: error(operation, .fileTooLarge, "the set has \(count) semaphore\(count == 1 ? "" : "s")")
        case .outOfRange:
            error(
                operation, .outOfRange,
                "an amount is 1 or more, and neither a semaphore nor what is to be undone is beyond \(SystemV.SemaphoreSet.most)"
            )
        case .argListTooLong:
            SystemVError(.limitReached, operation, on: subject, .argListTooLong, SystemV.limits(of: .semaphores))
        case let errno: error(operation, errno)
        }
    }
}
