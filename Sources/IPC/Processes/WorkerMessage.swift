// What a worker and its parent say to each other: one request, one answer.
import SystemPackage

/// The kinds of messages on a worker's socket.
enum WorkerMessage: UInt8 {
    case request = 1
    case reply
    /// The error that the worker's type has named, encoded.
    case failure
    /// Any other error, as a ``WorkerComplaint``.
    case complaint
    /// The request was not taken, with the reason as a ``WorkerComplaint``.
    case refusal

    /// The reply in a message from a worker.
    ///
    /// - Throws: the worker's error; ``WorkerError`` with `invalidReply` for what is none.
    static func reply<Work: Worker>(in message: SocketMessage, of work: Work.Type) throws -> Work.Reply {
        let decoder = BinaryDecoder(userInfo: DescriptorTable(message.descriptors).userInfo)
        let failure: any Error
        do {
            switch WorkerMessage(rawValue: message.kind) {
            case .reply: return try decoder.decode(Work.Reply.self, from: message.bytes)
            case .failure: failure = try decoder.decode(Work.Failure.self, from: message.bytes)
            case .complaint:
                let complaint = try decoder.decode(WorkerComplaint.self, from: message.bytes)
                failure = WorkerError(.failed, worker: "\(work)", message: complaint.text)
            case .refusal:
                let complaint = try decoder.decode(WorkerComplaint.self, from: message.bytes)
                failure = WorkerError(.refused, worker: "\(work)", message: complaint.text)
            case .request, nil: failure = WorkerError(.invalidReply, worker: "\(work)")
            }
        } catch { throw WorkerError(.invalidReply, worker: "\(work)", message: "\(error)") }
        throw failure
    }
}

/// An error in words.
struct WorkerComplaint: Codable {
    let text: String
}
