// ipc relay: clients of one endpoint handed on to another.
import ArgumentParser
import IPC
import Synchronization

struct RelayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Listen on one endpoint, join each client with another.",
        usage: "ipc relay [<options>] <from> <to>",
        discussion: """
            \(endpointHelp)

            Each client of the first is joined with a connection of its own to the second,
            both ways, each way to its own end. `-` is standard input and output: as the
            first it is joined with the second, as the second with the first client.

            Example: ipc relay tcp:8080 unix:/run/app.sock
            """
    )

    @Option(help: ArgumentHelp("How long connecting to the second may take.", valueName: "seconds"))
    var timeout = Seconds(duration: .seconds(30))

    @Option(help: ArgumentHelp("So many clients at once; others wait.", valueName: "n"))
    var maxClients = 1024

    @Option(help: ArgumentHelp("Hang up on a client that is silent for so long.", valueName: "seconds"))
    var idleTimeout: Seconds?

    @Flag(help: "Say who comes and goes too, not only what fails.")
    var verbose = false

    @Flag(help: "Print one JSON object that says where it listens.")
    var json = false

    @Argument(help: "Where to listen, or -.")
    var from: String

    @Argument(help: "Where to connect to, or -.")
    var to: String

    func validate() throws {
        if from == "-", to == "-" { throw ValidationError("one of the two is an endpoint") }
        if maxClients < 1 { throw ValidationError("--max-clients takes 1 and more, not \(maxClients)") }
        try checkEndpoints([from, to].filter { $0 != "-" })
    }

    func run() throws {
        try perform {
            try await endingProperly { try await relay() }
            return .success
        }
    }

    private func relay() async throws {
        if from == "-" {
            let connection = try await Connection(to: Endpoint(to), timeout: timeout.duration)
            _ = try await Progress.ofOutput(and: connection.output) {
                try await connection.join(reading: .standardInput, writing: .standardOutput)
            }
            return
        }
        let listener = try await Listener(on: Endpoint(from))
        defer { listener.close() }
        let places = listener.addresses.map { "\($0)" }
        if json {
            try await printJSON(["listening": places], to: to == "-" ? .standardError : .standardOutput)
        } else {
            try? await ByteWriter.standardError.write(places.map { "ipc: listening on \($0)\n" }.joined())
        }
        if to == "-" {
            let client = try await listener.accept()
            listener.close()
            _ = try await Progress.ofOutput(and: client.output) {
                try await client.join(reading: .standardInput, writing: .standardOutput)
            }
            return
        }
        let target = try Endpoint(to)
        let limits = ServerLimits(clients: maxClients, idle: idleTimeout?.duration)
        let (traffic, log, timeout) = (Traffic(), talkative(verbose), timeout.duration)
        try await Progress.of(traffic) {
            try await listener.serve(limits: limits, log: log) { client in
                let other = try await Connection(to: target, timeout: timeout)
                _ = try await traffic.counted(client, other) { try await client.join(other) }
            }
        }
    }
}

/// What goes between all clients and the second endpoint.
private final class Traffic: Counted {
    private let state = Mutex(State())

    private struct State {
        /// The streams of those that are joined, and what had gone through those that are not any more.
        var open: [ObjectIdentifier: (ByteWriter, ByteWriter)] = [:]
        var former = 0
    }

    var count: Int {
        state.withLock { state in
            state.open.values.reduce(state.former) { $0 + $1.0.bytesWritten + $1.1.bytesWritten }
        }
    }

    var label: String { "\(state.withLock { $0.open.count }) joined, " }

    func counted<Result>(
        _ client: Connection, _ other: Connection, _ join: () async throws -> Result
    ) async throws -> Result {
        let name = ObjectIdentifier(client)
        state.withLock { $0.open[name] = (client.output, other.output) }
        defer {
            state.withLock {
                $0.open[name] = nil
                $0.former += client.output.bytesWritten + other.output.bytesWritten
            }
        }
        return try await join()
    }
}
