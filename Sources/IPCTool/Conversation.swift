// The work of ipc expect and ipc interact: the steps, the end, the report.
import ArgumentParser
import IPC

struct Conversation: Sendable {
    let options: ExpectCommand
    let steps: [ExpectStep]
    let secrets: [String: Secret]

    func hold(with program: Command) async throws -> ExitCode {
        var report = ConversationReport()
        let code: ExitCode
        do {
            let recording = options.record.map { TerminalRecording.asciicast(FilePath($0), input: true) }
            let size = try options.size?.size ?? (options.interact ? Terminal.ofStandardInput().size : .standard)
            let child = try await endingProperly {
                try await program.withTerminal(size: size, echo: options.echo, recording: recording) { session in
                    try await talk(session)
                    return session.program
                }
            }
            report.fill(await child?.end())
            code = ExitCode(report.shellStatus)
        } catch let error as Failure {
            if !options.json { await complain(error) }
            report.fill(error)
            code = error.code
        } catch let error where !(error is ExitCode) {
            if !options.json { await complain(error) }
            report.fill(error)
            code = ExitCode(for: error)
        }
        report.steps = await shown.all
        if options.json { try await printJSON(report) }
        return code
    }

    /// What has been taken so far, for the report; filled in order by the one task that talks.
    private let shown = Shown()

    private func talk(_ session: TerminalSession) async throws {
        await shown.begin(session)
        var screen = Screen(session, isRaw: options.raw, isQuiet: options.json)
        do {
            for step in steps { try await take(step, in: session, &screen) }
            if options.interact {
                await screen.finish()
                if try await session.interact() == .escaped { return }
            }
            while case let bytes = try await session.output.read(upTo: 1 << 16, timeout: silence), !bytes.isEmpty {
                await screen.show(bytes)
                if options.json { await shown.rest(bytes) }
            }
            await screen.finish()
            try await session.wait(timeout: silence)
        } catch {
            await screen.finish()
            throw Failure(error, session)
        }
    }

    private var silence: Duration? { options.interact ? nil : options.timeout.duration }

    private func take(_ step: ExpectStep, in session: TerminalSession, _ screen: inout Screen) async throws {
        let limit = options.timeout.duration
        switch step {
        case .expect(let pattern):
            let match = try await session.expect(
                .pattern(pattern), ignoringEscapes: options.ignoreEscapes, timeout: limit)
            await screen.show(match.bytesBefore + match.bytes)
            await shown.match(match, of: pattern, in: session)
        case .send(let text):
            try await session.send(text, timeout: limit)
            await shown.add(ConversationReport.Step(send: text))
        case .sendLine(let text):
            try await session.send(line: text, timeout: limit)
            await shown.add(ConversationReport.Step(sendLine: text))
        case .sendSecret(let name):
            guard let secret = secrets[name] else { return }
            try await session.send(line: secret, timeout: limit)
            await shown.add(ConversationReport.Step(sendSecretEnv: name))
        }
    }

    /// A step that failed, with what was seen of the program by then.
    struct Failure: Error, CustomStringConvertible {
        let error: any Error
        let output: [UInt8]
        let status: ExitStatus?
        let description: String

        init(_ error: any Error, _ session: TerminalSession) {
            self.error = error
            switch error {
            case let error as TimeoutError:
                (output, status) = (error.output, nil)
                description =
                    "\(error)"
                    + (output.isEmpty ? "; it showed nothing" : "; the last it showed: \(Failure.line(output))")
            case let error as TerminalError:
                (output, status) = (error.output, error.status ?? session.status)
                description = "\(error)"
            default: (output, status, description) = ([], nil, "\(error)")
            }
        }

        var code: ExitCode {
            if error is TimeoutError { return .timedOut }
            if let status, !status.isSuccess { return ExitCode(status.shellStatus) }
            return ExitCode(for: error)
        }

        private static func line(_ output: [UInt8]) -> String {
            "\"" + String(decoding: output.suffix(200), as: UTF8.self).replacing("\r\n", with: "\\n") + "\""
        }
    }
}

/// Where what the program shows is copied to.
private struct Screen {
    private var log: TerminalLog
    private let isRaw: Bool
    private let isQuiet: Bool

    init(_ session: TerminalSession, isRaw: Bool, isQuiet: Bool) {
        log = session.log()
        (self.isRaw, self.isQuiet) = (isRaw, isQuiet)
    }

    /// That nobody reads it is no reason to leave the program alone with its question.
    mutating func show(_ bytes: [UInt8]) async {
        let piece = isRaw ? log.bytes(of: bytes) : Array(log.text(of: bytes).utf8)
        if !isQuiet, !piece.isEmpty { try? await ByteWriter.standardOutput.write(piece) }
    }

    mutating func finish() async {
        let rest = log.finish()
        if !isQuiet, !rest.isEmpty { try? await ByteWriter.standardOutput.write(rest) }
    }
}

/// Runs a body that ends what it has begun when somebody ends this command, and then ends as he expects.
func endingProperly<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    do { return try await Signal.cancelling(on: .passedOn, during: body) } catch let error as SignalCancellationError {
        throw ExitCode(128 + error.event.signal.number)
    }
}
