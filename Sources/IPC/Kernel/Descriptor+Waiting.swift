// Waiting for a bare descriptor: the hook for foreign libraries that read and write themselves.

extension Descriptor {
    /// Waits until there is something to read, or the end. Nothing is taken.
    ///
    /// For libraries in C that make a descriptor non-blocking and ask to be called when it is ready. What is always ready,
    /// such as a regular file, returns at once.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`, ``SystemError``.
    public borrowing func waitUntilReadable(timeout: Duration? = nil) async throws {
        try await wait(.reading, Deadline.after(timeout))
    }

    /// Waits until there is something to read, as ``waitUntilReadable(timeout:)`` does, until a deadline.
    public borrowing func waitUntilReadable(deadline: Deadline) async throws {
        try await wait(.reading, deadline)
    }

    /// Waits until the kernel would take bytes, or the other side has left. Nothing is written.
    ///
    /// - Throws: as ``waitUntilReadable(timeout:)`` does.
    public borrowing func waitUntilWritable(timeout: Duration? = nil) async throws {
        try await wait(.writing, Deadline.after(timeout))
    }

    /// Waits until the kernel would take bytes, as ``waitUntilWritable(timeout:)`` does, until a deadline.
    public borrowing func waitUntilWritable(deadline: Deadline) async throws {
        try await wait(.writing, deadline)
    }

    private borrowing func wait(_ direction: Direction, _ deadline: Deadline?) async throws {
        // A duplicate, because to a loop a number has one owner, whose end ends all waits on it: several tasks may wait here.
        let watched = SharedDescriptor(try duplicate(), .immediate, subject: "descriptor \(number)")
        defer { watched.close() }
        try await watched.wait(direction, deadline: deadline, "wait")
    }
}
