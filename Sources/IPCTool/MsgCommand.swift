// ipc msg: message queues, of System V by their key, of POSIX by their name.
import ArgumentParser
import IPC

struct MsgCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "msg",
        abstract: "Make, use, list and remove message queues.",
        discussion: """
            In a queue with a key a message has a type, 1 or more, and is taken by type; in
            one with a name a priority, and the most urgent comes first. What it holds
            comes from standard input and goes to standard output.

            Example: echo hello | ipc msg send --key 1234 --type 2
            """,
        subcommands: [Create.self, Send.self, Receive.self, List.self, Remove.self]
    )

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a queue, or find it.",
            usage: "ipc msg create (--key <key> | --name <name>) [<options>]",
            discussion: "Example: ipc msg create --key 1234")

        @OptionGroup var option: ObjectOption
        @OptionGroup var making: MakingOptions

        @Option(help: ArgumentHelp("How many messages one with a name takes.", valueName: "number"))
        var capacity: Int?

        @Option(help: ArgumentHelp("The largest message that one with a name takes.", valueName: "bytes"))
        var messageSize: Int?

        func validate() throws {
            if option.name == nil, capacity != nil || messageSize != nil {
                throw ValidationError("--capacity and --message-size go with --name")
            }
        }

        func run() throws {
            try option.perform(self) { key in
                let queue = try SystemV.MessageQueue(
                    key: key, permissions: making.mode.permissions, opening: making.opening)
                try await say(
                    "message queue \(queue.key), id \(queue.id)", ShownObject(try queue.status), json: option.json)
                return .success
            } named: { name in
                let queue = try POSIX.MessageQueue(
                    named: name, capacity: capacity, messageSize: messageSize, permissions: making.mode.permissions,
                    opening: making.opening)
                let report = NamedQueueReport(queue)
                try await say(
                    "message queue \(queue.name), \(queue.capacity) messages of up to \(queue.messageSize) bytes",
                    report,
                    json: option.json)
                return .success
            }
        }
    }

    struct Send: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send standard input as one message.",
            usage: "ipc msg send (--key <key> | --name <name>) [<options>]",
            discussion: "Example: echo hello | ipc msg send --key 1234 --type 2")

        @OptionGroup var option: ObjectOption

        @Option(help: ArgumentHelp("Its type, in a queue with a key.", valueName: "number"))
        var type: Int?

        @Option(help: ArgumentHelp("How urgent it is, in a queue with a name: 0 to 32767.", valueName: "number"))
        var priority: Int?

        @Option(help: ArgumentHelp("Wait no longer than so for room; the status is then 124.", valueName: "seconds"))
        var timeout: Seconds?

        func validate() throws {
            if option.name == nil, priority != nil { throw ValidationError("--priority goes with --name") }
            if option.key == nil, type != nil { throw ValidationError("--type goes with --key") }
        }

        func run() throws {
            try option.perform(self) { key in
                let queue = try SystemV.MessageQueue(key: key, opening: .open)
                // What is too large is for the queue to say.
                let bytes = try await input(upTo: SystemV.MessageQueue.largestMessage)
                let type = type ?? 1
                try await queue.send(bytes, type: type, timeout: timeout?.duration)
                if option.json { try await printJSON(MessageReport(type: type, bytes: bytes.count)) }
                return .success
            } named: { name in
                let queue = try POSIX.MessageQueue(named: name, opening: .open)
                let bytes = try await input(upTo: queue.messageSize)
                let priority = priority ?? 0
                try await queue.send(bytes, priority: priority, timeout: timeout?.duration)
                if option.json { try await printJSON(MessageReport(priority: priority, bytes: bytes.count)) }
                return .success
            }
        }

        private func input(upTo most: Int) async throws -> [UInt8] {
            try await ByteReader.standardInput.readAll(limit: max(1 << 20, most + 1))
        }
    }

    struct Receive: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a message, and print what it holds.",
            usage: "ipc msg receive (--key <key> | --name <name>) [<options>]",
            discussion: "Example: ipc msg receive --key 1234 --type 2 --timeout 5")

        @OptionGroup var option: ObjectOption

        @Option(
            help: ArgumentHelp(
                "From a queue with a key: the oldest of this type; 0 the oldest of all; --type=-3 the oldest of the lowest type up to 3.",
                valueName: "number"))
        var type = 0

        @Flag(help: "The oldest of any other type.")
        var except = false

        @Option(help: ArgumentHelp("Wait no longer than so; the status is then 124.", valueName: "seconds"))
        var timeout: Seconds?

        func validate() throws {
            if option.key == nil, type != 0 || except {
                throw ValidationError("--type and --except go with --key; by a name the most urgent comes first")
            }
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
                return try await show(message.bytes, MessageReport(message))
            } named: { name in
                let queue = try POSIX.MessageQueue(named: name, opening: .open)
                let message = try await queue.receive(timeout: timeout?.duration)
                return try await show(message.bytes, MessageReport(message))
            }
        }

        private func show(_ bytes: [UInt8], _ report: MessageReport) async throws -> ExitCode {
            if option.json {
                try await printJSON(report)
            } else {
                try await ByteWriter.standardOutput.write(bytes)
                try ByteWriter.standardOutput.close()
            }
            return .success
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all message queues.", discussion: "Example: ipc msg list --json")

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws { try list(.queue, json: json, for: self) }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a queue and its messages.",
            usage: "ipc msg remove (--key <key> | --id <id> | --name <name>) [<options>]",
            discussion: "Example: ipc msg remove --key 1234")

        @OptionGroup var options: RemoveOptions

        func run() throws { try options.remove(.queue, for: self) }
    }
}

/// What is said of a message.
private struct MessageReport: Encodable {
    private(set) var type: Int?
    private(set) var priority: Int?
    let bytes: Int
    private(set) var text: String?
    private(set) var base64: String?

    init(type: Int? = nil, priority: Int? = nil, bytes: Int) {
        (self.type, self.priority, self.bytes) = (type, priority, bytes)
    }

    init(_ message: SystemV.MessageQueue.Message) {
        self.init(type: message.type, bytes: message.bytes.count)
        show(message.bytes)
    }

    init(_ message: POSIX.MessageQueue.Message) {
        self.init(priority: message.priority, bytes: message.bytes.count)
        show(message.bytes)
    }

    private mutating func show(_ bytes: [UInt8]) {
        let shown = JSONBytes(bytes)
        (text, base64) = (shown.text, shown.base64)
    }
}

/// What is said of a queue with a name.
private struct NamedQueueReport: Encodable {
    let name: String
    let created: Bool
    let capacity: Int
    let messageSize: Int

    init(_ queue: POSIX.MessageQueue) {
        (name, created, capacity, messageSize) = (queue.name, queue.wasCreated, queue.capacity, queue.messageSize)
    }
}
