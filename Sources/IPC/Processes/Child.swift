// A program that was started: its streams, its end, its signals. Whoever lets go of it leaves no zombie.
import CIPC
import Synchronization
import SystemPackage

/// A program that was started.
///
/// The child is waited for by its own descriptor: no SIGCHLD handler is installed, no other child of this process is
/// touched, and a number that the kernel has given to another process is never signalled. A handle that is dropped leaves the
/// program running, and the library reaps it when it ends.
///
/// The system calls are `clone` with `CLONE_PIDFD`, `waitid` and `pidfd_send_signal`.
public final class Child: Sendable {
    /// The child's number. It is not given to another process before the child's status was taken.
    public let processID: ProcessID

    /// The program's name, as errors give it.
    public let name: String

    /// What the child reads, if its input is a pipe: writing and closing are the caller's.
    public let standardInput: ByteWriter?

    /// What the child writes, if its output is a pipe. Who does not read it stops the child when the pipe is full.
    public let standardOutput: ByteReader?

    /// What the child complains, if its standard error is a pipe.
    public let standardError: ByteReader?

    let leadsGroup: Bool
    /// It leads a session on a terminal of its own; the processes of that are its tree, whatever groups they make.
    let hasTerminal: Bool
    let teardown: [TeardownStep]?
    let descriptor: SharedDescriptor
    private let end = Mutex(End())

    private struct End {
        var known: ChildEnd?
        /// Whoever takes the status ends what is left of the tree first.
        var endsTree = false
    }

    init(
        _ started: StartedProcess, name: String, leadsGroup: Bool, hasTerminal: Bool = false, teardown: [TeardownStep]?,
        streams: ChildStreams
    ) {
        processID = started.processID
        descriptor = started.descriptor
        self.name = name
        self.leadsGroup = leadsGroup
        self.hasTerminal = hasTerminal
        self.teardown = teardown
        standardInput = streams.input
        standardOutput = streams.output
        standardError = streams.error
    }

    deinit {
        if end.withLock({ $0.known }) == nil { Reaper.adopt(descriptor) }
    }

    // MARK: Its end

    /// Waits until the child has ended, and gives its status. The processes that it has started are left alone.
    ///
    /// Any number of tasks may wait, before and after the end; all get the same status.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`; the child runs on then. A status other than success is not an error.
    public func wait(timeout: Duration? = nil) async throws -> ExitStatus {
        try await ended(Deadline.after(timeout), endingTree: false).status
    }

    /// Waits until the child has ended, as ``wait(timeout:)`` does, until a deadline.
    public func wait(deadline: Deadline) async throws -> ExitStatus {
        try await ended(deadline, endingTree: false).status
    }

    /// The status if the child has ended, `nil` while it runs. Never waits.
    public var status: ExitStatus? { reap(endingTree: false)?.status }

    /// What the child has used, once it has ended; `nil` while it runs.
    public var usage: ResourceUsage? { reap(endingTree: false)?.usage }

    func ended(_ deadline: Deadline?, endingTree: Bool) async throws -> ChildEnd {
        while true {
            if let end = end.withLock({ $0.known }) { return end }
            if Task.isCancelled { throw CancellationError() }
            // Closed means that another task has just taken the status.
            guard descriptor.enter() else { continue }
            defer { descriptor.leave() }
            do { try await descriptor.wait(.reading, deadline: deadline, "wait") } catch {
                // A child that has ended by now has ended, whatever else has come to pass.
                if let end = reap(endingTree: endingTree) { return end }
                guard (error as? SystemError)?.errno == .canceled else { throw error }
            }
            if let end = reap(endingTree: endingTree) { return end }
        }
    }

    /// Waits until the child is over, and leaves its status where it is: as long as that is not taken, its number is its own.
    func waitUntilOver(_ deadline: Deadline?) async throws {
        guard descriptor.enter() else { return }
        defer { descriptor.leave() }
        try await descriptor.wait(.reading, deadline: deadline, "wait")
    }

    /// Takes the status if the child has ended; never waits.
    ///
    /// What is left of the tree is ended before that, if this caller or an earlier one wants it ended: as long as the
    /// leader is a zombie, its number is the group's and nobody else's.
    func reap(endingTree: Bool) -> ChildEnd? {
        end.withLock { end in
            if let known = end.known { return known }
            if endingTree || end.endsTree, leadsGroup, ipc_has_ended(descriptor.number) == 1 {
                _ = ipc_kill(-processID.rawValue, IPC_SIGKILL)
                if hasTerminal { ProcessTable.kill(sessionOf: processID.rawValue) }
            }
            end.known = ChildEnd.take(descriptor.number)
            if end.known != nil { descriptor.close() }
            return end.known
        }
    }

    /// Somebody ends the tree: from now on nobody takes the status without killing what is left of it, so that a task
    /// which merely waits does not let it go.
    func endTreeAtEnd() { end.withLock { $0.endsTree = true } }

    // MARK: Signals

    /// Sends the child a signal; not to the processes that it has started. The system call is `pidfd_send_signal`.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` if the child has ended and its status was taken, with `EPERM` if it has
    ///   become another user's.
    public func send(_ signal: Signal) throws {
        guard descriptor.enter() else { throw SystemError("send \(signal)", on: name, .noSuchProcess) }
        defer { descriptor.leave() }
        try SystemCall.perform("send \(signal)", on: name) { ipc_pidfd_send_signal(descriptor.number, signal.number) }
    }

    /// Sends the child a signal with a value, as ``ProcessID/send(_:value:)`` does, and surely nobody else.
    ///
    /// - Throws: ``SystemError`` with `EAGAIN` if too many signals wait already; else as ``send(_:)`` does.
    public func send(_ signal: Signal, value: Int) throws {
        guard descriptor.enter() else { throw SystemError("send \(signal)", on: name, .noSuchProcess) }
        defer { descriptor.leave() }
        try SystemCall.perform("send \(signal)", on: name) {
            ipc_pidfd_queue_signal(descriptor.number, signal.number, Int64(value))
        }
    }

    /// Sends a signal to the child's tree: to its process group, if it leads one, else to the child alone.
    ///
    /// A process that has made itself a session or a group of its own has left the tree.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` if the child has ended and its status was taken.
    public func sendToTree(_ signal: Signal) throws {
        guard leadsGroup else { return try send(signal) }
        try end.withLock { end in
            guard end.known == nil, ipc_has_ended(descriptor.number) >= 0 else {
                throw SystemError("send \(signal)", on: name, .noSuchProcess)
            }
            let number = processID.rawValue
            try SystemCall.perform("send \(signal)", on: name) { ipc_kill(-number, signal.number) }
        }
    }
}

/// What is known of a child that has ended.
struct ChildEnd: Sendable {
    let status: ExitStatus
    let usage: ResourceUsage

    /// The end of the child behind a descriptor, reaped; `nil` while it runs.
    static func take(_ descriptor: Int32) -> ChildEnd? {
        var end = ipc_end()
        let result = SystemCall.retrying { ipc_reap(descriptor, &end) }
        if result == 1 { return ChildEnd(end) }
        if result == 0 { return nil }
        // Somebody else has reaped it.
        return ipc_end_of_reaped(descriptor, &end) == 1 ? ChildEnd(end) : ChildEnd(status: .unknown, usage: .none)
    }

    private init(_ end: ipc_end) {
        if end.kind == IPC_END_EXITED.rawValue {
            status = .exited(end.status)
        } else {
            let dumped = end.kind == IPC_END_DUMPED.rawValue
            status = .signalled(Signal(known: end.status), coreDumped: dumped)
        }
        usage = ResourceUsage(
            userTime: .microseconds(Int64(clamping: end.user_microseconds)),
            systemTime: .microseconds(Int64(clamping: end.system_microseconds)),
            peakMemory: Int(clamping: end.peak_memory_kibibytes) * 1024)
    }

    private init(status: ExitStatus, usage: ResourceUsage) {
        self.status = status
        self.usage = usage
    }
}
