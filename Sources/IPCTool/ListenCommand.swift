// ipc listen: a server in one line.
import ArgumentParser
import IPC

struct ListenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Listen on endpoints, and serve whoever connects.",
        usage: "ipc listen [<options>] <endpoint> ... [-- <command> ...]",
        discussion: """
            \(endpointHelp)

            tcp:PORT is this machine alone, tcp:*:PORT everybody; port 0 has the system
            choose one, which is said. Clients get the program, an echo, or a greeting;
            without any of these the first client is joined with standard input and output.
            INT and TERM end it in order: clients may finish within ten seconds.

            Example: ipc listen tcp:2345 unix:fortune.sock -- fortune -s
            """
    )

    @Flag(help: "Send every client what it sends.")
    var echo = false

    @Option(help: ArgumentHelp("Send every client this line and hang up.", valueName: "text"))
    var greet: String?

    @Option(help: ArgumentHelp("So many clients at once; others wait.", valueName: "n"))
    var maxClients = 1024

    @Option(help: ArgumentHelp("Hang up on a client that is silent for so long.", valueName: "seconds"))
    var idleTimeout: Seconds?

    @Option(help: ArgumentHelp("Permissions of Unix sockets' files.", valueName: "octal"))
    var mode = Mode(permissions: .ownerReadWrite)

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Let in clients of this network alone.", valueName: "cidr"))
    var allow: [NetworkArgument] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Do not let in clients of this network.", valueName: "cidr"))
    var deny: [NetworkArgument] = []

    @Flag(help: "Let in other users over Unix sockets too.")
    var allUsers = false

    @Flag(help: "Send the program's standard error to the client too.")
    var mergeError = false

    @Flag(help: "Listen on what a service manager hands over, alone.")
    var activated = false

    @Option(help: ArgumentHelp("Once it listens, become this user, for good.", valueName: "user"))
    var user: String?

    @Option(help: ArgumentHelp("Once it listens, be in this group and no other.", valueName: "group"))
    var group: String?

    @Option(
        help: ArgumentHelp("Once it listens, see this folder as the root.", valueName: "dir"), completion: .directory)
    var chroot: String?

    @Flag(help: "Say who comes and goes too, not only what fails.")
    var verbose = false

    @Flag(help: "Print one JSON object that says where it listens.")
    var json = false

    @Argument(
        help: ArgumentHelp("Where to listen; and after -- the program that serves a client.", valueName: "endpoint"))
    var words: [String] = []

    /// What stands behind `--`.
    private var program: [[UInt8]] { RawArguments.behindTerminator }

    private var endpoints: [String] { words.dropLast(program.count) }

    func validate() throws {
        try RawArguments.checkAllBut(last: program.count)
        let modes = [echo, greet != nil, !program.isEmpty].count { $0 }
        if modes > 1 { throw ValidationError("say one of --echo, --greet and a program") }
        if maxClients < 1 { throw ValidationError("--max-clients takes 1 and more, not \(maxClients)") }
        if endpoints.isEmpty, !activated {
            throw ValidationError("no endpoint; say for example: ipc listen tcp:2345 --echo")
        }
        if activated, !endpoints.isEmpty { throw ValidationError("--activated has its endpoints from elsewhere") }
        if group != nil, user == nil { throw ValidationError("--group goes with --user") }
        try checkEndpoints(endpoints)
    }

    func run() throws {
        let command = Command(words: program)
        try perform {
            try await endingProperly {
                // Looked up before there is another root, in which there are no users.
                let credentials = try user.map { try Credentials(user: $0, group: group) }
                let listener = try await listen()
                defer { listener.close() }
                if let chroot { try OwnProcess.changeRoot(to: FilePath(chroot)) }
                try credentials?.takeForGood()
                try await announce(listener)
                try await serve(listener, command)
            }
            return .success
        }
    }

    private func listen() async throws -> Listener {
        if activated {
            guard let listener = try Listener.activated() else {
                throw SystemError("take over", on: "LISTEN_FDS", .noSuchFileOrDirectory)
            }
            return listener
        }
        return try await Listener(on: endpoints.map { try Endpoint($0) }, permissions: mode.permissions)
    }

    private func announce(_ listener: Listener) async throws {
        let places = listener.addresses.map { "\($0)" }
        if json {
            try await printJSON(["listening": places])
        } else {
            let lines = places.map { "ipc: listening on \($0)\n" }
            try? await ByteWriter.standardError.write(lines.joined())
        }
    }

    private func serve(_ listener: Listener, _ command: Command) async throws {
        var filter = allUsers ? ClientFilter.everybody : .standard
        if !allow.isEmpty { filter.allowedNetworks = allow.map(\.network) }
        filter.deniedNetworks = deny.map(\.network)
        let limits = ServerLimits(clients: maxClients, idle: idleTimeout?.duration)
        let log = talkative(verbose)
        if !program.isEmpty {
            let served = mergeError ? command.mergingError() : command
            return try await listener.serve(command: served, limits: limits, admitting: filter, log: log)
        }
        if let greet {
            return try await listener.serve(limits: limits, admitting: filter, log: log) { client in
                try await client.write(greet + "\n")
            }
        }
        if echo {
            return try await listener.serve(limits: limits, admitting: filter, log: log) { client in
                try await client.input.copy(to: client.output)
            }
        }
        let client = try await listener.accept()
        listener.close()
        _ = try await Progress.ofOutput(and: client.output) {
            try await client.join(reading: .standardInput, writing: .standardOutput)
        }
    }
}

/// A network on the command line.
struct NetworkArgument: ExpressibleByArgument {
    let network: Network

    init?(argument: String) {
        guard let network = try? Network(argument) else { return nil }
        self.network = network
    }
}
