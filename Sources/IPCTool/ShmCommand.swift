// ipc shm: shared memory, of System V by its key, of POSIX by its name.
import ArgumentParser
import IPC

struct ShmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shm",
        abstract: "Make, use, list and remove shared memory.",
        discussion: """
            What is written comes from standard input, what is read goes to standard
            output.

            Example: echo hello | ipc shm write --key 1234
            """,
        subcommands: [Create.self, Write.self, Read.self, Count.self, List.self, Remove.self]
    )

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make shared memory, or find it.",
            usage: "ipc shm create (--key <key> | --name <name>) --size <bytes> [<options>]",
            discussion: "Example: ipc shm create --key 1234 --size 2000")

        @OptionGroup var option: ObjectOption
        @OptionGroup var making: MakingOptions

        @Option(help: ArgumentHelp("Its size.", valueName: "bytes"))
        var size: Int

        func run() throws {
            try option.perform(self) { key in
                let segment = try SystemV.SharedSegment(
                    key: key, size: size, permissions: making.mode.permissions, opening: making.opening)
                try await say(
                    "shared segment \(segment.key), id \(segment.id), \(segment.size) bytes",
                    ShownObject(try segment.status),
                    json: option.json)
                return .success
            } named: { name in
                let memory = try SharedMemory(
                    named: name, size: size, permissions: making.mode.permissions, opening: making.opening)
                let (shown, wasCreated) = (memory.name ?? name, memory.wasCreated)
                try await say(
                    "shared memory \(shown), \(memory.size) bytes",
                    NamedMemoryReport(name: shown, created: wasCreated, size: memory.size), json: option.json)
                return .success
            }
        }
    }

    /// A place in it.
    struct Place: ParsableArguments {
        @Option(help: ArgumentHelp("Where it begins.", valueName: "bytes"))
        var offset = 0

        func validate() throws { if offset < 0 { throw ValidationError("an offset is 0 or more") } }
    }

    struct Write: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write standard input into shared memory.",
            usage: "ipc shm write (--key <key> | --name <name>) [<options>]",
            discussion: "Example: echo hello | ipc shm write --key 1234 --padded-to 60")

        @OptionGroup var option: ObjectOption
        @OptionGroup var place: Place

        @Option(help: ArgumentHelp("Put zero bytes behind it, up to so many in all.", valueName: "bytes"))
        var paddedTo: Int?

        func run() throws {
            try option.perform(self) { key in
                let segment = try SystemV.SharedSegment(key: key, size: 1, opening: .open)
                let bytes = try await ByteReader.standardInput.readAll(limit: segment.size)
                try segment.write(bytes, at: place.offset, paddedTo: paddedTo)
                return try await report(bytes.count)
            } named: { name in
                let name = NamedObject.spelled(name)
                if let other = try NamedObject.named(name, of: [.variable, .lock, .instance]) {
                    throw NotWritten(what: "\(other.kind) \(name)")
                }
                let memory = try SharedMemory(existing: name)
                let bytes = try await ByteReader.standardInput.readAll(limit: memory.size)
                try memory.write(bytes, at: place.offset, paddedTo: paddedTo)
                return try await report(bytes.count)
            }
        }

        private func report(_ count: Int) async throws -> ExitCode {
            if option.json { try await printJSON(["bytes": max(count, paddedTo ?? 0)]) }
            return .success
        }
    }

    struct Read: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what shared memory holds.",
            usage: "ipc shm read (--key <key> | --name <name>) [<options>]",
            discussion: "Example: ipc shm read --key 1234 --text")

        @OptionGroup var option: ObjectOption
        @OptionGroup var place: Place

        @Option(help: ArgumentHelp("How many bytes; all that follow unless said.", valueName: "bytes"))
        var count: Int?

        @Flag(help: "Up to the first zero byte.")
        var text = false

        func run() throws {
            try option.perform(self) { key in
                let segment = try SystemV.SharedSegment(key: key, size: 1, opening: .open, isReadOnly: true)
                return try await show(
                    try segment.read(at: place.offset, count: count ?? max(0, segment.size - place.offset)))
            } named: { name in
                let memory = try SharedMemory(existing: name, isReadOnly: true)
                return try await show(
                    try memory.read(at: place.offset, count: count ?? max(0, memory.size - place.offset)))
            }
        }

        private func show(_ all: [UInt8]) async throws -> ExitCode {
            let bytes = text ? Array(all.prefix { $0 != 0 }) : all
            if option.json {
                let shown = JSONBytes(bytes)
                try await printJSON(["text": shown.text, "base64": shown.base64].compactMapValues { $0 })
            } else {
                try await ByteWriter.standardOutput.write(bytes)
                try ByteWriter.standardOutput.close()
            }
            return .success
        }
    }

    struct Count: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add to a number that processes share, and print it.",
            discussion: """
                The number is there from the first use on, and begins with 0. Programs have it
                by SharedVariable(named:initialValue: 0).

                Example: ipc shm count --name /hits
                """)

        @Option(help: ArgumentHelp("Its name: /word.", valueName: "name"))
        var name: String

        @Option(help: ArgumentHelp("How much; 0 to look at it, less to subtract, as --by=-1.", valueName: "number"))
        var by = 1

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let (name, amount, json) = (name, by, json)
            try perform(json: json) {
                let variable = try SharedVariable(named: name, initialValue: 0)
                let (value, overflow) = try await variable.withLock { value in
                    let (sum, overflow) = value.addingReportingOverflow(amount)
                    if !overflow { value = sum }
                    return (sum, overflow)
                }
                if overflow { throw NotCounted(what: "shared variable \(name)") }
                try await say("\(value)", ["value": value], json: json)
                return .success
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all shared memory, variables and locks, with makers and users.",
            discussion: "Example: ipc shm list --json")

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws { try list(.segment, json: json, for: self) }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove shared memory; it stays for those who have it.",
            usage: "ipc shm remove (--key <key> | --id <id> | --name <name>) [<options>]",
            discussion: "Example: ipc shm remove --key 1234")

        @OptionGroup var options: RemoveOptions

        func run() throws { try options.remove(.segment, for: self) }
    }
}

/// What is said of memory with a name.
private struct NamedMemoryReport: Encodable {
    let name: String
    let created: Bool
    let size: Int
}

/// Nothing was written: it is not for people to write there.
private struct NotWritten: Error, CustomStringConvertible {
    let what: String

    var description: String { "write \(what): its program alone knows what it holds" }
}

/// The number stays as it is.
private struct NotCounted: Error, CustomStringConvertible {
    let what: String

    var description: String { "add to \(what): it would be more than \(Int.max), or less than \(Int.min)" }
}
