// A worker that was started: its process, and the reply that it owes.
import CIPC
import Synchronization
import SystemPackage

/// A worker that was started, and owes a reply.
///
/// Its process is ``child``, with the standard streams that were asked for. A handle that is dropped before the reply ends
/// the worker and its tree.
public final class RunningWorker<Work: Worker>: Sendable {
    /// The worker's process.
    public let child: Child

    private let socket: MessageSocket
    private let state = Mutex(State.owing)

    private enum State {
        case owing
        case receiving
        case done(Result<Work.Reply, any Error>)
    }

    init(starting request: Work.Request, servingPipes: Bool, _ configured: (Command) -> Command) async throws {
        let name = try WorkerName.checked(Work.self)
        let table = DescriptorTable()
        let bytes = try BinaryEncoder(userInfo: table.userInfo).encode(request)
        let (socket, end) = try MessageSocket.pair(subject: "worker \(Work.self)")
        let command = configured(try Command.thisProgram(as: "worker \(Work.self)").environment(.minimal))
        if command.hasPipes, !servingPipes {
            throw StartError(
                .invalidArgument, "start", on: "worker \(Work.self) with a pipe that nobody serves", .invalidArgument)
        }
        child = try await command.asWorker(name, end).start()
        child.endTreeAtEnd()
        self.socket = socket
        var sending = MessageSocket.Sending(
            SocketMessage(kind: WorkerMessage.request.rawValue, bytes: bytes, descriptors: table.all))
        do {
            if try socket.sendAtOnce(&sending) { return }
        } catch {
            // A worker that has ended already says more by its status.
            if (error as? SystemError)?.errno == .brokenPipe { return }
            await child.end(grace: .zero)
            throw error
        }
        Task.detached(executorPreference: EventLoop.current) { [sending] in
            var sending = sending
            try? await socket.finish(&sending)
        }
    }

    deinit {
        if case .done = state.withLock({ $0 }) { return }
        child.endSoon(grace: .seconds(2))
    }

    /// Waits for the reply, and for the end of the worker's process.
    ///
    /// Later calls give the same again. The worker's pipes are the caller's to read meanwhile, before or after.
    ///
    /// - Parameters:
    ///   - timeout: how long it may take from now on. A limit that passes ends the worker and its tree, as a cancellation does.
    ///   - grace: how long the tree may take to comply with SIGTERM before SIGKILL, then and after the reply.
    /// - Throws: ``Worker/Failure`` as the worker threw it; ``WorkerError``; ``TimeoutError``; `CancellationError`;
    ///   ``SystemError`` with `EBUSY` while another task waits. After each but the last nothing of the worker's tree is left.
    public func reply(timeout: Duration? = nil, grace: Duration = .seconds(2)) async throws -> Work.Reply {
        try await reply(Deadline.after(timeout), grace)
    }

    /// Waits for the reply, as ``reply(timeout:grace:)`` does, until a deadline.
    public func reply(deadline: Deadline, grace: Duration = .seconds(2)) async throws -> Work.Reply {
        try await reply(deadline, grace)
    }

    func reply(_ deadline: Deadline?, _ grace: Duration) async throws -> Work.Reply {
        let known = try state.withLock { state -> Result<Work.Reply, any Error>? in
            switch state {
            case .done(let result): return result
            case .receiving: throw SystemError("wait for reply", on: socket.descriptor.subject, .resourceBusy)
            case .owing:
                state = .receiving
                return nil
            }
        }
        if let known { return try known.get() }
        let result: Result<Work.Reply, any Error>
        do { result = .success(try await receive(deadline, grace)) } catch { result = .failure(error) }
        state.withLock { $0 = .done(result) }
        return try result.get()
    }

    /// Receives the reply; nothing of the worker's tree is left then, whatever came.
    private func receive(_ deadline: Deadline?, _ grace: Duration) async throws -> Work.Reply {
        let subject = socket.descriptor.subject
        let message: SocketMessage?
        // Should somebody else hold the worker's end open, its own end counts.
        let watch = Task.detached(executorPreference: EventLoop.current) { [child, socket] in
            if (try? await child.ended(nil, endingTree: true)) != nil { socket.descriptor.endWhenEmpty() }
        }
        defer { watch.cancel() }
        do {
            message = try await socket.receive(
                limit: Work.replyLimit, descriptors: Int(IPC_MOST_DESCRIPTORS), deadline: deadline)
        } catch {
            await child.end(grace: grace)
            switch error {
            case let error as TimeoutError: throw TimeoutError("run", on: subject, limit: error.limit)
            case let error as SystemError where error.errno == .badMessage || error.errno == .messageTooLong:
                throw WorkerError(.invalidReply, worker: "\(Work.self)", message: error.errno.reason)
            default: throw error
            }
        }
        let status = await ended(within: grace)
        guard let message else { throw WorkerError(.ended, worker: "\(Work.self)", status: status) }
        return try WorkerMessage.reply(in: message, of: Work.self)
    }

    /// The end of a worker that has nothing more to say: by itself within the grace, or by us. What it has left of its tree
    /// ends with it.
    private func ended(within grace: Duration) async -> ExitStatus {
        if let end = try? await child.ended(Deadline(in: grace), endingTree: true) { return end.status }
        return await child.end(grace: .zero)
    }
}
