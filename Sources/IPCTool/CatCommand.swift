// ipc cat: files, standard input and commands as one output, byte for byte.
import ArgumentParser
import IPC

struct CatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Copy files, standard input and commands as one.",
        discussion: """
            '-' is standard input, as no name at all is. With --commands a name that ends
            with '|' is run by /bin/sh, and its output copied; without it every name is a
            file's. What cannot be read is passed over, with a line on standard error. The
            status is then 71, or a command's own if nothing else failed. If the reader of
            the output leaves, the status is 141, without a word.

            Example: ipc cat --commands header.txt 'date -u|' - < body.txt
            """
    )

    @Flag(help: "Run names that end with '|'.")
    var commands = false

    @Flag(help: "Print one JSON object, with the output and what could not be read.")
    var json = false

    @Argument(
        help: ArgumentHelp("Files, '-' for standard input, and commands.", valueName: "name"), completion: .file())
    var names: [String] = []

    func validate() throws {
        guard RawArguments.names.count == names.count else {
            throw ValidationError("options stand before or between the names, each on its own, or else after --")
        }
    }

    func run() throws {
        try perform { json ? try await runForJSON() : try await runPlainly() }
    }

    private func runPlainly() async throws -> ExitCode {
        // A command that runs may have something to say on the terminal itself.
        let end =
            commands
            ? try await copy(to: .standardOutput) { await complain($0) }
            : try await Progress.ofOutput { try await copy(to: .standardOutput) { await complain($0) } }
        try ByteWriter.standardOutput.close()
        return end.status
    }

    private func runForJSON() async throws -> ExitCode {
        var report = CatReport()
        var status: ExitCode
        do {
            let pipe = try AnonymousPipe()
            async let output = CatCommand.readAll(pipe.reader)
            let copied: Result<CatEnd, any Error>
            do { copied = .success(try await copy(to: pipe.writer) { await complain($0) }) } catch {
                copied = .failure(error)
            }
            try pipe.writer.close()
            report.setOutput(try await output)
            let end = try copied.get()
            report.failures = end.failures.map(CatReport.Failure.init)
            status = end.status
        } catch {
            await complain(error)
            report.message = "\(error)"
            status = ExitCode(for: error)
        }
        try await printJSON(report)
        return status
    }

    /// Reads to the end, and lets the writer know if that is more than can be printed.
    private static func readAll(_ reader: ByteReader) async throws -> [UInt8] {
        defer { reader.close() }
        return try await reader.readAll(limit: 64 << 20)
    }

    /// Copies one source after the other; a command that one of the passed-on signals has ended is the last.
    private func copy(to writer: ByteWriter, onFailure: (any Error) async -> Void) async throws -> CatEnd {
        let passedOn: Set<Signal> = [.interrupt, .terminate, .hangup]
        let mode: InputSequence.Commands = commands ? .allowed(passingOn: passedOn) : .never
        var end = CatEnd()
        let raw: [[UInt8]] = names.isEmpty ? [Array("-".utf8)] : RawArguments.names
        for name in raw {
            for failure in try await InputSequence([name], commands: mode).copy(to: writer) {
                await onFailure(failure)
                end.failures.append(failure)
                guard let error = failure.error as? CommandError, case .signalled(let by, _) = error.status,
                    passedOn.contains(by)
                else { continue }
                end.stoppedBy = ExitCode(error.status.shellStatus)
                return end
            }
        }
        return end
    }
}

/// What came of all sources.
private struct CatEnd: Sendable {
    var failures: [InputFailure] = []
    var stoppedBy: ExitCode?

    var status: ExitCode {
        if let stoppedBy { return stoppedBy }
        switch failures.count {
        case 0: return .success
        case 1: return ExitCode(for: failures[0].error)
        default: return .systemError
        }
    }
}

/// What ipc cat --json prints.
private struct CatReport: Encodable {
    struct Failure: Encodable {
        let source: String
        let message: String
        private(set) var errno: String?
        private(set) var status: Int32?

        init(_ failure: InputFailure) {
            source = failure.source.description
            message = failure.description
            switch failure.error {
            case let error as SystemError: errno = error.errno.name
            case let error as StartError: errno = error.errno.name
            case let error as CommandError: status = error.status.shellStatus
            default: break
            }
        }
    }

    var failures: [Failure] = []
    var message: String?
    private var output: String?
    private var outputBase64: String?

    mutating func setOutput(_ bytes: [UInt8]) {
        let value = JSONBytes(bytes)
        (output, outputBase64) = (value.text, value.base64)
    }
}
