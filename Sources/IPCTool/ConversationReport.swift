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

/// The steps that were taken, and what was shown meanwhile, as it came: secrets are taken out of all of it together.
actor Shown {
    private var steps: [ConversationReport.Step] = []
    /// Before each match, the match itself, and at the end what is left.
    private var pieces: [[UInt8]] = []
    private var rest: [UInt8] = []
    /// Knows the secrets.
    private var session: TerminalSession?

    /// So much of what is shown after the last step is kept.
    private static let mostRest = 16 << 20

    func add(_ step: ConversationReport.Step) { steps.append(step) }

    func match(_ match: TerminalMatch, of pattern: String, in session: TerminalSession) {
        pieces += [match.bytesBefore, match.bytes]
        let captures = match.byteCaptures.map { $0.map { Shown.text(session.hidingSecrets(in: $0)) } }
        steps.append(ConversationReport.Step(expect: pattern, captures: captures))
    }

    func rest(_ bytes: [UInt8]) {
        rest += bytes
        if rest.count > Shown.mostRest { rest.removeFirst(rest.count - Shown.mostRest) }
    }

    func begin(_ session: TerminalSession) { self.session = session }

    /// The steps with what was shown.
    var all: [ConversationReport.Step] {
        guard let session else { return steps }
        var clean = session.hidingSecrets(in: pieces + [rest])[...]
        var filled = steps
        for index in filled.indices where filled[index].expect != nil {
            filled[index].before = clean.popFirst().map(Shown.text)
            filled[index].text = clean.popFirst().map(Shown.text)
        }
        if let rest = clean.popFirst(), !rest.isEmpty { filled.append(ConversationReport.Step(rest: Shown.text(rest))) }
        return filled
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
