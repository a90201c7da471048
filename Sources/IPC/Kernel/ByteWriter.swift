// The writing end of every stream: all of it, or an error that says how much went through.
import CIPC
import Synchronization
import SystemPackage

/// The writing end of a stream of bytes: of a pipe, a socket, a terminal, a file, a child's input.
///
/// Nothing is buffered here: when a write returns, the kernel has every byte. What the kernel cannot take at once is waited
/// for without holding a thread. Writes of several tasks queue, and each goes through whole. Writing to a reader that has
/// left throws ``SystemError`` with `EPIPE`; it never raises SIGPIPE, and the program's way with that signal is not
/// changed.
///
/// A write that its `timeout:`, a cancellation or the kernel cut short has put a part of its bytes into the stream; the
/// error says how many, ``bytesWritten`` too, and the writer takes no more, since whatever followed would be garbage to the
/// reader. The stream is closed by ``close()``, or when nobody holds it any more.
public final class ByteWriter: Sendable {
    let descriptor: SharedDescriptor
    private let turn = Turnstile()
    private let written = Atomic(0)
    private let hasFailed = Atomic(false)
    private let failure = Mutex<SystemError?>(nil)

    /// Whether closing ends this direction alone: the other one of a socket is somebody else's to close.
    private let isHalf: Bool
    private let isHalfClosed = Atomic(false)
    /// The bytes of writes that wait for others' to be done.
    private let queued = Atomic(0)
    /// So many may be; a write that would be one too many fails. Safe because it is set before the writer is shared, and never again.
    nonisolated(unsafe) var queueLimit = Int.max

    init(_ descriptor: SharedDescriptor, isHalf: Bool = false) {
        self.descriptor = descriptor
        self.isHalf = isHalf
    }

    /// Writes to a descriptor, which belongs to the writer from now on.
    ///
    /// - Throws: ``SystemError`` if the file cannot be used in this way.
    public convenience init(_ descriptor: consuming Descriptor) throws {
        let subject = "descriptor \(descriptor.number)"
        self.init(try SharedDescriptor.adopting(descriptor, writing: true, subject: subject))
    }

    /// What the stream is, as errors name it.
    public var name: String { descriptor.subject }

    /// How many bytes the kernel has taken from this writer.
    public var bytesWritten: Int { written.load(ordering: .relaxed) }

    /// Writes all bytes of a span.
    ///
    /// The system calls are `write`, `send` and `pwritev2`.
    ///
    /// - Throws: ``SystemError``, with `EPIPE` if the reader has left and `ECANCELED` if the stream is closed here;
    ///   ``TimeoutError``; `CancellationError`.
    public func write(_ bytes: RawSpan, timeout: Duration? = nil) async throws {
        try await writeWhole(bytes, timeout)
    }

    /// Writes all bytes of a span, as ``write(_:timeout:)-(RawSpan,_)`` does, until a deadline.
    public func write(_ bytes: RawSpan, deadline: Deadline) async throws {
        if let begun = try begin(bytes) { try await finish(bytes, begun, deadline) }
    }

    /// Writes all bytes of an array.
    ///
    /// - Throws: as ``write(_:timeout:)-(RawSpan,_)`` does.
    public func write(_ bytes: [UInt8], timeout: Duration? = nil) async throws {
        try await writeWhole(bytes.span.bytes, timeout)
    }

    /// Writes all bytes of an array until a deadline.
    public func write(_ bytes: [UInt8], deadline: Deadline) async throws { try await write(bytes, until: deadline) }

    /// Writes all bytes of an array until a deadline, if there is one.
    func write(_ bytes: [UInt8], until deadline: Deadline?) async throws {
        if let begun = try begin(bytes.span.bytes) { try await finish(bytes.span.bytes, begun, deadline) }
    }

    /// Writes a text in UTF-8, as it is: no line end is added.
    ///
    /// - Throws: as ``write(_:timeout:)-(RawSpan,_)`` does.
    public func write(_ text: String, timeout: Duration? = nil) async throws {
        try await writeWhole(text.utf8.span.bytes, timeout)
    }

    /// Writes a text in UTF-8 until a deadline.
    public func write(_ text: String, deadline: Deadline) async throws {
        if let begun = try begin(text.utf8.span.bytes) { try await finish(text.utf8.span.bytes, begun, deadline) }
    }

    /// Waits until the kernel would take bytes, or the reader has left; nothing is written.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`, ``SystemError``.
    public func waitUntilWritable(timeout: Duration? = nil) async throws {
        try await waitForRoom(Deadline.after(timeout))
    }

    /// Waits until the kernel would take bytes, as ``waitUntilWritable(timeout:)`` does, until a deadline.
    public func waitUntilWritable(deadline: Deadline) async throws {
        try await waitForRoom(deadline)
    }

    /// Has the kernel bring what was written to the storage. The C function is `fsync`.
    ///
    /// - Throws: ``SystemError``, for example `EIO` and `ENOSPC`. That a pipe or a socket has no storage is not an error.
    public func sync() throws {
        guard descriptor.enter() else { throw descriptor.closedError("sync") }
        defer { descriptor.leave() }
        let result = SystemCall.retrying { ipc_synchronize(descriptor.number) }
        let error = Errno(rawValue: -result)
        guard result == 0 || error == .invalidArgument || error == .readOnlyFileSystem || error == .notSupported else {
            throw SystemError("sync", on: descriptor.subject, error)
        }
    }

    /// Closes the stream: the reader sees its end. Writes under way are woken with `ECANCELED`.
    ///
    /// Closing again does nothing. Of the program's own standard streams only this object is closed, not the descriptor.
    /// The C function is `close`.
    ///
    /// - Throws: ``SystemError`` if the kernel could not store what was written, here or in an earlier write (`ENOSPC`,
    ///   `EIO`): an error that was overlooked there is not overlooked here. That the reader has left is not an error of
    ///   closing.
    public func close() throws {
        if descriptor.isClosed || isHalfClosed.exchange(isHalf, ordering: .relaxed) { return }
        let former = failure.withLock { $0 }  // before this close cuts a write short, which then says so itself
        let result = isHalf ? closeHalf(isFirst: former == nil) : descriptor.close()
        if let error = former, error.errno != .brokenPipe, error.errno != .connectionReset {
            throw error
        }
        guard result >= 0 else { throw SystemError("close", on: descriptor.subject, Errno(rawValue: -result)) }
    }

    /// Ends this direction of a socket: the other side reads its end, and may go on writing.
    private func closeHalf(isFirst: Bool) -> Int32 {
        guard isFirst, descriptor.enter() else { return 0 }
        defer { descriptor.leave() }
        _ = keep(SystemError("write", on: descriptor.subject, .canceled))
        let result = ipc_shutdown_writing(descriptor.number)
        // The other side has gone already.
        return result == -Errno.socketNotConnected.rawValue ? 0 : result
    }

    /// Nobody reads any more: writes under way and later ones fail with `EPIPE`, whoever may hold the other end open.
    func breakOff() {
        _ = keep(SystemError("write", on: descriptor.subject, .brokenPipe))
        descriptor.close()
    }

    // MARK: Writing

    @inline(__always)
    private func writeWhole(_ bytes: RawSpan, _ timeout: Duration?) async throws {
        if let begun = try begin(bytes) { try await finish(bytes, begun, Deadline.after(timeout)) }
    }

    /// How far a write came without waiting.
    private enum Begun {
        /// Others write, or it is others' turn to run.
        case notYet
        /// So many bytes are written, and the turn is ours.
        case partly(Int)
    }

    /// Writes as far as that goes without waiting; `nil` if that was all the way.
    @inline(__always)
    private func begin(_ bytes: RawSpan) throws -> Begun? {
        if ipc_task_is_cancelled() != 0 { throw CancellationError() }
        guard !EventLoop.hasUsedItsTurn(), turn.enterAtOnce() else { return .notYet }
        do throws(SystemError) {
            try enter()
            let done = try attempt(bytes, from: 0) ?? 0
            guard done == bytes.byteCount else { return .partly(done) }
        } catch {
            leave()
            throw error
        }
        leave()
        return nil
    }

    private func finish(_ bytes: RawSpan, _ begun: Begun, _ deadline: Deadline?) async throws {
        var done = 0
        var isFull = false
        switch begun {
        case .partly(let count): (done, isFull) = (count, true)
        case .notYet:
            try await SharedDescriptor.beginCall("write", on: descriptor.subject)
            let waiting = queued.add(bytes.byteCount, ordering: .relaxed).newValue
            defer { queued.subtract(bytes.byteCount, ordering: .relaxed) }
            if waiting > queueLimit, waiting > bytes.byteCount {
                throw SystemError("write", on: descriptor.subject, .noBufferSpace)
            }
            try await takeTurn(deadline)
            do { try enter() } catch {
                leave()
                throw error
            }
        }
        defer { leave() }
        while done < bytes.byteCount {
            // What was not taken whole found the stream full, so that trying again at once would be for nothing.
            if isFull {
                do { try await descriptor.wait(.writing, deadline: deadline, "write") } catch {
                    throw cutShort(error, after: done)
                }
            }
            done += try attempt(bytes, from: done) ?? 0
            isFull = true
        }
    }

    private func takeTurn(_ deadline: Deadline?) async throws {
        switch try await turn.enter(deadline: deadline) {
        case .ready: return
        case .timedOut:
            let limit = Deadline.earliest(deadline, Deadline.ambient)
            throw limit?.passed("write", on: descriptor.subject) ?? descriptor.closedError("write")
        default: throw CancellationError()
        }
    }

    /// Enters the descriptor; to be followed by ``leave()`` whatever comes of it.
    @inline(__always)
    private func enter() throws(SystemError) {
        guard descriptor.enter() else {
            descriptor.stay()
            throw formerFailure ?? descriptor.closedError("write")
        }
        if hasFailed.load(ordering: .relaxed), let error = formerFailure { throw error }
    }

    /// The error of an earlier write, as a later one throws it: of that one's bytes none has gone through.
    private var formerFailure: SystemError? {
        failure.withLock { $0 }.map { SystemError($0.operation, on: $0.subject, $0.errno) }
    }

    @inline(__always)
    private func leave() {
        descriptor.leave()
        turn.leave()
    }

    /// One call, without waiting: how many bytes it took, `nil` if there is no room.
    @inline(__always)
    private func attempt(_ bytes: RawSpan, from done: Int) throws(SystemError) -> Int? {
        let result = bytes.withUnsafeBytes { all -> Int in
            guard let base = all.baseAddress, all.count > done else { return 0 }
            return descriptor.transfer.write(descriptor.number, base + done, all.count - done)
        }
        if result >= 0 {
            written.add(result, ordering: .relaxed)
            return result
        }
        let error = Errno(rawValue: Int32(-result))
        guard error == .wouldBlock else {
            throw keep(SystemError("write", on: descriptor.subject, error, transferred: done))
        }
        return nil
    }

    /// Remembers an error after which nothing may be written.
    private func keep(_ error: SystemError) -> SystemError {
        failure.withLock { $0 = error }
        hasFailed.store(true, ordering: .relaxed)
        return error
    }

    private func cutShort(_ error: any Error, after done: Int) -> any Error {
        if descriptor.isClosed, let failure = failure.withLock({ $0 }) { return failure }
        guard done > 0 else { return error }
        _ = keep(SystemError("write", on: descriptor.subject, .canceled, transferred: done))
        switch error {
        case let error as TimeoutError:
            return TimeoutError(error.operation, on: error.subject, limit: error.limit, transferred: done)
        case let error as SystemError:
            return SystemError(error.operation, on: error.subject, error.errno, transferred: done)
        default: return error
        }
    }

    private func waitForRoom(_ deadline: Deadline?) async throws {
        guard descriptor.enter() else { throw descriptor.closedError("wait") }
        defer { descriptor.leave() }
        try await descriptor.wait(.writing, deadline: deadline, "wait")
    }
}
