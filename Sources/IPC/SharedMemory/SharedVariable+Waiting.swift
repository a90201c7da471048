// Waiting until somebody has changed a variable, and variables of one scope.
import CIPC
public import SystemPackage

extension SharedVariable {
    /// Waits until the value is another than the one of a snapshot, and gives it; changes in between may have been missed.
    ///
    /// - Parameters:
    ///   - version: of the value that is known; if it is not the current one, there is nothing to wait for.
    ///   - timeout: how long to wait; as long as it takes for `nil`.
    /// - Throws: as ``value`` does; ``TimeoutError``, `CancellationError`, ``SystemError`` with `EAGAIN` if too many wait already.
    public func waitForChange(since version: UInt64, timeout: Duration? = nil) async throws -> Snapshot {
        let deadline = Deadline.after(timeout)
        try await SharedDescriptor.beginCall("wait for", on: object.subject, deadline: deadline)
        let object = object
        if object.wait(version, 0) != 0 {
            _ = try await BlockingCall.perform("wait for", on: object.subject, deadline: deadline) {
                Int(object.wait(version, -1))
            } refused: {
                object.failure("wait for", $0)
            }
        }
        return try snapshot
    }

    /// Waits for a change on the thread of the caller: for programs that are not asynchronous.
    ///
    /// - Throws: as the asynchronous form does, without cancellation.
    @available(*, noasync, message: "await the asynchronous form")
    public func waitForChange(since version: UInt64, timeout: Duration? = nil) throws -> Snapshot {
        let deadline = Deadline.after(timeout)
        while true {
            let result = object.wait(version, Deadline.until(deadline))
            if result == 0 { return try snapshot }
            if result == -Errno.timedOut.rawValue, let deadline {
                throw deadline.passed("wait for", on: object.subject)
            }
        }
    }

    /// Waits until the value is as it should be, and gives it.
    ///
    /// - Throws: what the condition throws; as `waitForChange` does.
    public func wait(
        timeout: Duration? = nil, until isReached: (Value) throws -> Bool
    ) async throws -> Value {
        let deadline = Deadline.after(timeout)
        var current = try snapshot
        while try !isReached(current.value) {
            do {
                current = try await waitForChange(since: current.version, timeout: deadline?.remaining)
            } catch let error as TimeoutError where deadline?.hasPassed ?? false {
                throw deadline?.passed(error.operation, on: error.subject) ?? error
            }
        }
        return current.value
    }

    /// Makes a variable with a name, and takes the name away however the body ends.
    ///
    /// - Throws: what the body throws; as ``init(named:initialValue:permissions:ownedBy:opening:)`` does.
    public static func withNew<Result>(
        named name: String, initialValue: Value, permissions: FilePermissions = .ownerReadWrite,
        _ body: (SharedVariable) async throws -> Result
    ) async throws -> Result where Value: BitwiseCopyable {
        let variable = try SharedVariable(
            named: name, initialValue: initialValue, permissions: permissions, opening: .create)
        defer { try? variable.remove() }
        return try await body(variable)
    }

    /// Makes a variable of coded values with a name, and takes the name away however the body ends.
    ///
    /// - Throws: what the body throws; as ``init(named:initialValue:sizeLimit:permissions:ownedBy:opening:)`` does.
    public static func withNew<Result>(
        named name: String, initialValue: Value, sizeLimit: Int, permissions: FilePermissions = .ownerReadWrite,
        _ body: (SharedVariable) async throws -> Result
    ) async throws -> Result where Value: Codable {
        let variable = try SharedVariable(
            named: name, initialValue: initialValue, sizeLimit: sizeLimit, permissions: permissions, opening: .create)
        defer { try? variable.remove() }
        return try await body(variable)
    }
}
