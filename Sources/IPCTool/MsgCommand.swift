// ipc msg: message queues of System V.
import ArgumentParser
import IPC

struct MsgCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "msg",
        abstract: "Make, use, list and remove message queues.",
        discussion: """
            A message has a type, 1 or more, and is taken by type. What it holds comes from standard input and goes to standard output.

            Example: echo hello | ipc msg send --key 1234 --type 2
            """,
        subcommands: [Create.self, Send.self, Receive.self, List.self, Remove.self]
    )

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a queue, or find it.", discussion: "Example: ipc msg create --key 1234")

        @OptionGroup var option: KeyOption

        @Option(help: ArgumentHelp("Who may use a new one.", valueName: "octal"))
        var mode = Mode(permissions: .ownerReadWrite)

        @Flag(help: "It is an error if there is one.")
        var new = false

        func run() throws {
            try option.perform(self) { key in
                let queue = try SystemV.MessageQueue(
                    key: key, permissions: mode.permissions, opening: new ? .create : .createOrOpen)
                let shown = ShownObject(try queue.status)
                if option.json {
                    try await printJSON(shown)
                } else {
                    try await ByteWriter.standardOutput.write("message queue \(queue.key), id \(queue.id)\n")
                    try ByteWriter.standardOutput.close()
                }
                return .success
            }
        }
    }

    struct Send: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send standard input as one message.",
            discussion: "Example: echo hello | ipc msg send --key 1234 --type 2")

        @OptionGroup var option: KeyOption

        @Option(help: ArgumentHelp("Its type.", valueName: "number"))
        var type = 1

        @Option(help: ArgumentHelp("Wait no longer than so for room; the status is then 124.", valueName: "seconds"))
        var timeout: Seconds?

        func run() throws {
            try option.perform(self) { key in
                let queue = try SystemV.MessageQueue(key: key, opening: .open)
                // What is too large is for the queue to say.
                let most = max(1 << 20, SystemV.MessageQueue.largestMessage + 1)
                let bytes = try await ByteReader.standardInput.readAll(limit: most)
                try await queue.send(bytes, type: type, timeout: timeout?.duration)
                if option.json { try await printJSON(MessageReport(type: type, bytes: bytes.count)) }
                return .success
            }
        }
    }

    struct Receive: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a message, and print what it holds.",
            discussion: "Example: ipc msg receive --key 1234 --type 2 --timeout 5")

        @OptionGroup var option: KeyOption

        @Option(
            help: ArgumentHelp(
                "The oldest of this type; 0 the oldest of all; --type=-3 the oldest of the lowest type up to 3.",
                valueName: "number"))
        var type = 0

        @Flag(help: "The oldest of any other type.")
        var except = false

        @Option(help: ArgumentHelp("Wait no longer than so; the status is then 124.", valueName: "seconds"))
        var timeout: Seconds?

        func validate() throws {
            if type == .min { throw ValidationError("there are no such types") }
            if except, type < 1 { throw ValidationError("--except goes with a --type of 1 or more") }
        }

        private var selection: SystemV.MessageQueue.Selection {
            if except { return .except(type) }
            return type == 0 ? .any : type > 0 ? .type(type) : .lowest(upTo: -type)
        }

        func run() throws {
            try option.perform(self) { key in
                let queue = try SystemV.MessageQueue(key: key, opening: .open)
                // Messages may be there from a time when larger ones were allowed.
                let limit = max(SystemV.MessageQueue.largestMessage, (try? queue.status.size) ?? 0)
                let message = try await queue.receive(selection, limit: limit, timeout: timeout?.duration)
                if option.json {
                    try await printJSON(MessageReport(message))
                } else {
                    try await ByteWriter.standardOutput.write(message.bytes)
                    try ByteWriter.standardOutput.close()
                }
                return .success
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all message queues.")

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws { try list(.queue, json: json, for: self) }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a queue and its messages.", discussion: "Example: ipc msg remove --key 1234")

        @OptionGroup var options: RemoveOptions

        func run() throws { try options.remove(.queue, for: self) }
    }
}

/// What is said of a message.
private struct MessageReport: Encodable {
    let type: Int
    let bytes: Int
    private(set) var text: String?
    private(set) var base64: String?

    init(type: Int, bytes: Int) { (self.type, self.bytes) = (type, bytes) }

    init(_ message: SystemV.MessageQueue.Message) {
        (type, bytes) = (message.type, message.bytes.count)
        let shown = JSONBytes(message.bytes)
        (text, base64) = (shown.text, shown.base64)
    }
}
