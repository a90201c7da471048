// The reading end of every stream: bytes, lines, everything, with one vocabulary for pipes, FIFOs, sockets, terminals.
import CIPC
import Synchronization
import SystemPackage

/// The reading end of a stream of bytes: of a pipe, a socket, a terminal, a file, a child's output.
///
/// What is there is read at once; what is not is waited for without holding a thread. Every call ends at its `timeout:` or
/// `deadline:`, with ``TimeoutError``, and when its task is cancelled, with `CancellationError`; a call that ends so has
/// taken no bytes.
///
/// One task reads at a time: a call while another is under way throws ``SystemError`` with `EBUSY`. The stream is closed by
/// ``close()``, or when nobody holds it any more.
public final class ByteReader: @unchecked Sendable {
    // Safe to share by this rule: `buffer` and the members after it are touched only between `begin` and `end`, which let
    // one caller in at a time.
    let descriptor: SharedDescriptor
    private let user = Atomic(User.nobody)
    @exclusivity(unchecked) var buffer = ByteBuffer()
    @exclusivity(unchecked) var supply = Supply()
    /// How far the buffer was searched for the end of a line, so that no byte is looked at twice.
    @exclusivity(unchecked) var searched = 0
    private let lineCounter = Atomic(0)
    /// The most bytes that ``absorb()`` keeps. Set before the reader is shared, and never again.
    @exclusivity(unchecked) var absorptionLimit = 64 << 20
    /// Whether what comes beyond that limit pushes out the oldest bytes instead of being an error. Set as the limit is.
    @exclusivity(unchecked) var dropsExcess = false
    private let droppedCounter = Atomic(0)
    /// The last byte that somebody took.
    @exclusivity(unchecked) var lastTaken: UInt8 = 10
    /// Sees all bytes as they come from the kernel. Set as the limit is.
    @exclusivity(unchecked) var tap: (@Sendable (UnsafeRawBufferPointer) -> Void)?

    init(_ descriptor: SharedDescriptor) { self.descriptor = descriptor }

    /// Reads from a descriptor, which belongs to the reader from now on.
    ///
    /// - Throws: ``SystemError`` if the file cannot be used in this way.
    public convenience init(_ descriptor: consuming Descriptor) throws {
        let subject = "descriptor \(descriptor.number)"
        self.init(try SharedDescriptor.adopting(descriptor, writing: false, subject: subject))
    }

    /// What the stream is, as errors name it.
    public var name: String { descriptor.subject }

    /// How many lines have been read by the calls that read lines.
    public var linesRead: Int { lineCount }

    /// Changed by one caller at a time, as all else here; read by anybody at any time.
    var lineCount: Int {
        @inline(__always) get { lineCounter.load(ordering: .relaxed) }
        @inline(__always) set { lineCounter.store(newValue, ordering: .relaxed) }
    }

    /// How many bytes were pushed out. Changed by one caller at a time, read by anybody at any time.
    var dropped: Int {
        get { droppedCounter.load(ordering: .relaxed) }
        set { droppedCounter.store(newValue, ordering: .relaxed) }
    }

    // MARK: Bytes

    /// Reads what is there, at most `count` bytes; waits if there is nothing yet. An empty array is the end.
    ///
    /// A call gives at most 256 KiB, however large `count` is: memory is taken for what comes, not for what was asked.
    ///
    /// The system calls are `read`, `recv` and `preadv2`.
    ///
    /// - Throws: ``SystemError``, ``TimeoutError``, `CancellationError`. The end is not an error.
    public func read(upTo count: Int, timeout: Duration? = nil) async throws -> [UInt8] {
        try await readBytes(count, Deadline.after(timeout))
    }

    /// Reads what is there, at most `count` bytes, as ``read(upTo:timeout:)`` does, until a deadline.
    public func read(upTo count: Int, deadline: Deadline) async throws -> [UInt8] {
        try await readBytes(count, deadline)
    }

    /// Reads what is there into an array, from its beginning and at most as many bytes as it has; 0 is the end.
    ///
    /// The form for loops that shall not allocate: the array is used again and again.
    ///
    /// - Throws: as ``read(upTo:timeout:)`` does.
    public func read(into bytes: inout [UInt8], timeout: Duration? = nil) async throws -> Int {
        try await readBytes(into: &bytes) { Deadline.after(timeout) }
    }

    /// Reads what is there into an array, as ``read(into:timeout:)`` does, until a deadline.
    public func read(into bytes: inout [UInt8], deadline: Deadline) async throws -> Int {
        try await readBytes(into: &bytes) { deadline }
    }

    /// Reads until the end.
    ///
    /// - Parameters:
    ///   - limit: the most bytes to take, beyond which the call throws.
    ///   - timeout: how long to wait; as long as it takes for `nil`.
    /// - Throws: ``ReadError`` with `limitExceeded`, and as ``read(upTo:timeout:)`` does. After each of these the bytes
    ///   can still be read.
    public func readAll(limit: Int, timeout: Duration? = nil) async throws -> [UInt8] {
        try await readEverything(limit, Deadline.after(timeout))
    }

    /// Reads until the end, as ``readAll(limit:timeout:)`` does, until a deadline.
    public func readAll(limit: Int, deadline: Deadline) async throws -> [UInt8] {
        try await readEverything(limit, deadline)
    }

    /// Puts bytes back: the next call reads them first.
    ///
    /// - Throws: ``SystemError`` with `EBUSY` while another call reads.
    public func unread(_ bytes: [UInt8]) throws {
        try begin("unread")
        defer { end() }
        bytes.withUnsafeBytes { buffer.prepend($0) }
        searched = 0
    }

    /// Waits until there is something to read, or the end; nothing is taken. The hook for foreign libraries.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`, ``SystemError``.
    public func waitUntilReadable(timeout: Duration? = nil) async throws {
        try await waitForBytes(Deadline.after(timeout))
    }

    /// Waits until there is something to read, as ``waitUntilReadable(timeout:)`` does, until a deadline.
    public func waitUntilReadable(deadline: Deadline) async throws {
        try await waitForBytes(deadline)
    }

    /// Closes the stream. Whoever waits on it is woken with `ECANCELED`; bytes that were not read are dropped.
    ///
    /// Closing again does nothing. The C function is `close`.
    public func close() { descriptor.close() }

    // MARK: One reader at a time

    /// Lets the caller in, or says that another is in.
    @inline(__always)
    func begin(_ operation: String, as caller: User = .reader) throws(SystemError) {
        guard letIn(caller) else { throw SystemError(operation, on: descriptor.subject, .resourceBusy) }
        guard descriptor.enter() else {
            user.store(.nobody, ordering: .releasing)
            throw descriptor.closedError(operation)
        }
    }

    /// Lets the caller in to what has been read already.
    @inline(__always)
    func beginWithoutCall() throws(SystemError) {
        guard letIn(.reader) else { throw SystemError("read", on: descriptor.subject, .resourceBusy) }
        guard descriptor.isClosed else { return }
        endWithoutCall()
        throw descriptor.closedError("read")
    }

    @inline(__always)
    func endWithoutCall() { user.store(.nobody, ordering: .releasing) }

    @inline(__always)
    func end() {
        descriptor.leave()
        user.store(.nobody, ordering: .releasing)
    }

    /// Who is inside.
    enum User: UInt8, AtomicRepresentable {
        case nobody
        case reader
        /// ``absorb()``, for one call that does not wait.
        case absorber
    }

    /// Lets one caller in. A reader who finds the absorber inside waits for it, which takes no longer than its call.
    @inline(__always)
    private func letIn(_ caller: User) -> Bool {
        while true {
            let (isIn, other) = user.compareExchange(expected: .nobody, desired: caller, ordering: .acquiring)
            if isIn { return true }
            guard other == .absorber, caller == .reader else { return false }
            ipc_yield_processor()
        }
    }
}
