// ipc shm: shared memory of System V.
import ArgumentParser
import IPC

struct ShmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shm",
        abstract: "Make, use, list and remove segments of shared memory.",
        discussion: """
            What is written comes from standard input, what is read goes to standard output.

            Example: echo hello | ipc shm write --key 1234
            """,
        subcommands: [Create.self, Write.self, Read.self, List.self, Remove.self]
    )

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a segment, or find it.", discussion: "Example: ipc shm create --key 1234 --size 2000")

        @OptionGroup var option: KeyOption

        @Option(help: ArgumentHelp("Its size.", valueName: "bytes"))
        var size: Int

        @Option(help: ArgumentHelp("Who may use a new one.", valueName: "octal"))
        var mode = Mode(permissions: .ownerReadWrite)

        @Flag(help: "It is an error if there is one.")
        var new = false

        func run() throws {
            try option.perform(self) { key in
                let segment = try SystemV.SharedSegment(
                    key: key, size: size, permissions: mode.permissions,
                    opening: new ? .create : .createOrOpen)
                if option.json {
                    try await printJSON(ShownObject(try segment.status))
                } else {
                    let line = "shared segment \(segment.key), id \(segment.id), \(segment.size) bytes\n"
                    try await ByteWriter.standardOutput.write(line)
                    try ByteWriter.standardOutput.close()
                }
                return .success
            }
        }
    }

    /// A place in a segment.
    struct Place: ParsableArguments {
        @Option(help: ArgumentHelp("Where it begins.", valueName: "bytes"))
        var offset = 0

        func validate() throws { if offset < 0 { throw ValidationError("an offset is 0 or more") } }
    }

    struct Write: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write standard input into a segment.",
            discussion: "Example: echo hello | ipc shm write --key 1234 --padded-to 60")

        @OptionGroup var option: KeyOption
        @OptionGroup var place: Place

        @Option(help: ArgumentHelp("Put zero bytes behind it, up to so many in all.", valueName: "bytes"))
        var paddedTo: Int?

        func run() throws {
            try option.perform(self) { key in
                let segment = try SystemV.SharedSegment(key: key, size: 1, opening: .open)
                let bytes = try await ByteReader.standardInput.readAll(limit: segment.size)
                try segment.write(bytes, at: place.offset, paddedTo: paddedTo)
                if option.json { try await printJSON(["bytes": max(bytes.count, paddedTo ?? 0)]) }
                return .success
            }
        }
    }

    struct Read: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what a segment holds.", discussion: "Example: ipc shm read --key 1234 --text")

        @OptionGroup var option: KeyOption
        @OptionGroup var place: Place

        @Option(help: ArgumentHelp("How many bytes; all that follow unless said.", valueName: "bytes"))
        var count: Int?

        @Flag(help: "Up to the first zero byte.")
        var text = false

        func run() throws {
            try option.perform(self) { key in
                let segment = try SystemV.SharedSegment(key: key, size: 1, opening: .open, isReadOnly: true)
                let count = count ?? max(0, segment.size - place.offset)
                var bytes = try segment.read(at: place.offset, count: count)
                if text, let end = bytes.firstIndex(of: 0) { bytes.removeSubrange(end...) }
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
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all segments, with their makers and users.")

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws { try list(.segment, json: json, for: self) }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a segment; it stays for those who have it attached.",
            discussion: "Example: ipc shm remove --key 1234")

        @OptionGroup var options: RemoveOptions

        func run() throws { try options.remove(.segment, for: self) }
    }
}
