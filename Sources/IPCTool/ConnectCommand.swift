// ipc connect: standard input to somebody who listens, and what he says to standard output.
import ArgumentParser
import IPC

struct ConnectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Join standard input and output with an endpoint.",
        discussion: """
            \(endpointHelp)

            The end of the input ends our direction alone; the command ends when the other
            side ends its own.

            Example: printf 'GET / HTTP/1.0\\r\\n\\r\\n' | ipc connect 'tcp:localhost:http(80)'
            """
    )

    @Option(help: ArgumentHelp("How long connecting may take.", valueName: "seconds"))
    var timeout: Seconds?

    @Flag(help: "Capture what comes and print one JSON object.")
    var json = false

    @Argument(help: "Where to connect to.")
    var endpoint: String

    func validate() throws { try checkEndpoints([endpoint]) }

    func run() throws {
        try perform {
            do {
                let connection = try await Connection(to: Endpoint(endpoint), timeout: timeout?.duration)
                if json { return try await captured(connection) }
                try await Progress.ofOutput(and: connection.output) {
                    _ = try await connection.join(reading: .standardInput, writing: .standardOutput)
                }
                try ByteWriter.standardOutput.close()
                return .success
            } catch {
                if json { try await printJSON(ConnectReport(error)) }
                throw error
            }
        }
    }

    private func captured(_ connection: Connection) async throws -> ExitCode {
        let pipe = try AnonymousPipe()
        async let output = pipe.reader.readAll(limit: 64 << 20)
        let joined = try await connection.join(reading: .standardInput, writing: pipe.writer)
        try pipe.writer.close()
        try await printJSON(ConnectReport(connection, joined, try await output))
        return .success
    }
}

/// What the help of every command with endpoints says.
let endpointHelp = """
    Endpoints: tcp:HOST:PORT, tcp:PORT (this machine), unix:PATH, abstract:NAME.
    """

/// Refuses endpoints that are none, with the reason.
func checkEndpoints(_ texts: [String]) throws {
    for text in texts {
        let endpoint: Endpoint
        do { endpoint = try Endpoint(text) } catch { throw ValidationError("\(error)") }
        guard endpoint.kind == .stream else {
            throw ValidationError(
                "'\(text)' is for single messages; what is joined here are streams: tcp:, unix:, abstract:")
        }
    }
}

private struct ConnectReport: Encodable {
    var peer: String?
    var sent: Int?
    var received: Int?
    var output: String?
    var outputBase64: String?
    // In failure.
    var kind: String?
    var errno: String?
    var message: String?

    init(_ connection: Connection, _ joined: JoinedBytes, _ bytes: [UInt8]) {
        (peer, sent, received) = ("\(connection.peer)", joined.sent, joined.received)
        let value = JSONBytes(bytes)
        (output, outputBase64) = (value.text, value.base64)
    }

    init(_ error: any Error) {
        message = "\(error)"
        switch error {
        case let error as ConnectError: (kind, errno) = ("notConnected", error.errno.name)
        case let error as EndpointError: kind = error.kind.description
        case is TimeoutError: kind = "timeout"
        case let error as SystemError: (kind, errno) = ("systemError", error.errno.name)
        default: kind = "other"
        }
    }
}
