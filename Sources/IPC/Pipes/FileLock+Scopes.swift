// Locks for the time of a body: what most programs want.
public import SystemPackage

extension FileLock {
    /// Runs a body while nobody else holds the lock; waits for it before, as long as it takes or as `timeout` says.
    ///
    /// The lock is given back when the body returns, throws or is cancelled. The limit is for getting the lock, not for the
    /// body; for both together, run the call under a ``Deadline``. That the task was cancelled when the lock had just been
    /// granted does not keep the body from being run; its waits throw then.
    ///
    /// - Throws: what the body throws; ``TimeoutError`` with the operation `lock`, `CancellationError` and ``SystemError``, as
    ///   ``acquire(_:on:kind:timeout:)`` does, and the body has not been run then.
    @discardableResult
    public static func exclusive<Result>(
        on path: FilePath, kind: Kind = .wholeFile, timeout: Duration? = nil, _ body: () async throws -> Result
    ) async throws -> Result {
        try await hold(try await acquire(.exclusive, on: path, kind: kind, timeout: timeout), body)
    }

    /// Runs a body while nobody else holds the lock, as ``exclusive(on:kind:timeout:_:)`` does; waits until a deadline.
    @discardableResult
    public static func exclusive<Result>(
        on path: FilePath, kind: Kind = .wholeFile, deadline: Deadline, _ body: () async throws -> Result
    ) async throws -> Result {
        try await hold(try await acquire(.exclusive, on: path, kind: kind, deadline: deadline), body)
    }

    /// Runs a body while nobody holds the lock exclusively; others may share it. As ``exclusive(on:kind:timeout:_:)``.
    ///
    /// - Throws: as `exclusive` does.
    @discardableResult
    public static func shared<Result>(
        on path: FilePath, kind: Kind = .wholeFile, timeout: Duration? = nil, _ body: () async throws -> Result
    ) async throws -> Result {
        try await hold(try await acquire(.shared, on: path, kind: kind, timeout: timeout), body)
    }

    /// Runs a body while nobody holds the lock exclusively, as ``shared(on:kind:timeout:_:)`` does; waits until a deadline.
    @discardableResult
    public static func shared<Result>(
        on path: FilePath, kind: Kind = .wholeFile, deadline: Deadline, _ body: () async throws -> Result
    ) async throws -> Result {
        try await hold(try await acquire(.shared, on: path, kind: kind, deadline: deadline), body)
    }

    /// Runs a body with a lock, and gives that back.
    static func hold<Result>(
        _ lock: consuming FileLock, _ body: () async throws -> Result
    ) async throws -> Result {
        let result: Result
        do { result = try await body() } catch {
            lock.release()
            throw error
        }
        lock.release()
        return result
    }
}
