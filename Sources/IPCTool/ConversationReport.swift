// What ipc expect --json prints.
import IPC

struct ConversationReport: Encodable {
    struct Step: Encodable, Sendable {
        var expect: String?
        var before: String?
        var text: String?
        var captures: [String?]?
        var send: String?
        var sendLine: String?
        var sendSecretEnv: String?
        /// What was shown after the last step.
        var rest: String?
    }

    var steps: [Step] = []
    private(set) var status: Int32?
    private(set) var signal: String?
    // In failure.
    private(set) var kind: String?
    private(set) var message: String?
    private(set) var output: String?

    private enum CodingKeys: String, CodingKey { case steps, status, signal, kind, message, output }

    private(set) var shellStatus: Int32 = 0

    mutating func fill(_ end: ExitStatus?) {
        shellStatus = end?.shellStatus ?? 0
        switch end {
        case .exited(let code): status = code
        case .signalled(let by, _): signal = by.name
        case .unknown, nil: break
        }
    }

    mutating func fill(_ failure: any Error) {
        message = "\(failure)"
        switch (failure as? Conversation.Failure)?.error ?? failure {
        case is TimeoutError: kind = "timeout"
        case let error as TerminalError: kind = error.kind.description
        case let error as StartError: kind = error.kind.description
        case is SystemError: kind = "systemError"
        default: kind = "other"
        }
        guard let failure = failure as? Conversation.Failure else { return }
        output = String(decoding: failure.output, as: UTF8.self)
        if let end = failure.status { fill(end) }
    }
}

/// The steps that were taken.
actor Shown {
    private(set) var steps: [ConversationReport.Step] = []

    func add(_ step: ConversationReport.Step) { steps.append(step) }

    func match(_ match: TerminalMatch, of pattern: String, in session: TerminalSession) {
        func text(_ bytes: [UInt8]) -> String { String(decoding: session.hidingSecrets(in: bytes), as: UTF8.self) }
        add(
            ConversationReport.Step(
                expect: pattern, before: text(match.bytesBefore), text: text(match.bytes),
                captures: match.byteCaptures.map { $0.map(text) }))
    }

    func rest(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let former = steps.last?.rest {
            steps[steps.count - 1].rest = former + text
        } else {
            steps.append(ConversationReport.Step(rest: text))
        }
    }
}
