// The worker's side: the request comes, the type does its job, the answer goes.
import CIPC
import SystemPackage

struct WorkerEntry: Sendable {
    private let socket: MessageSocket

    init(_ socket: MessageSocket) { self.socket = socket }

    /// Does the job of the named worker, and gives the status for the process to end with.
    func run(_ name: String, isTrusted: Bool) -> Int32 {
        endWithParent()
        let status = try? EventLoop.run {
            guard isTrusted else {
                try await answer(.refusal, WorkerComplaint(text: "the socket is another user's"))
                return WorkerEntry.refused
            }
            guard let type = WorkerName.type(named: name) else {
                try await answer(.refusal, WorkerComplaint(text: "\(name) is no worker of this program"))
                return WorkerEntry.refused
            }
            return try await serve(type)
        }
        // Without an answer the parent learns it from this.
        return status ?? WorkerEntry.refused
    }

    /// EX_OSERR: the request cannot be one, or the answer did not go.
    static let refused: Int32 = 71

    private func serve<Work: Worker>(_ work: Work.Type) async throws -> Int32 {
        guard let message = try await socket.receive(limit: .max, descriptors: Int(IPC_MOST_DESCRIPTORS)),
            message.kind == WorkerMessage.request.rawValue
        else { return WorkerEntry.refused }
        let request: Work.Request
        do {
            let decoder = BinaryDecoder(userInfo: DescriptorTable(message.descriptors).userInfo)
            request = try decoder.decode(Work.Request.self, from: message.bytes)
        } catch {
            try await answer(.refusal, WorkerComplaint(text: "\(error)"))
            return WorkerEntry.refused
        }
        do {
            try await answer(.reply, try await work.run(request))
            return 0
        } catch let error as Work.Failure {
            try await answer(.failure, error)
        } catch {
            try await answer(.complaint, WorkerComplaint(text: "\(error)"))
        }
        return 1
    }

    private func answer(_ kind: WorkerMessage, _ value: some Encodable) async throws {
        let table = DescriptorTable()
        let bytes = try BinaryEncoder(userInfo: table.userInfo).encode(value)
        try await socket.send(SocketMessage(kind: kind.rawValue, bytes: bytes, descriptors: table.all))
    }

    /// A worker whose parent is gone, however it went, ends with all that it has started: a thread waits for that, since the
    /// job itself may be busy with anything.
    private func endWithParent() {
        let number = Unmanaged.passRetained(socket)
        let status = ipc_thread_start(
            "ipc-worker",
            { pointer in
                guard let pointer else { return }
                let socket = Unmanaged<MessageSocket>.fromOpaque(pointer).takeUnretainedValue()
                ipc_wait_for_hangup(socket.descriptor.number)
                let own = ipc_process_id()
                if ipc_process_group(0) == own { _ = ipc_kill(-own, IPC_SIGKILL) }
                _ = ipc_kill(own, IPC_SIGKILL)
            }, number.toOpaque())
        if status != 0 { number.release() }
    }
}
