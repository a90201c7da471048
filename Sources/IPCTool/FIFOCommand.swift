// ipc fifo: named pipes, made, served, read and written without a program left waiting in open(2).
import ArgumentParser
import IPC

struct FIFOCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fifo",
        abstract: "Make, serve, read and write named pipes.",
        discussion: """
            A name that is a symbolic link, another sort of file or another user's FIFO is
            refused (--any-owner lets that last one in).

            Example: ipc fifo serve ~/.signature -- fortune -s
            """,
        subcommands: [Make.self, Serve.self, Read.self, Write.self]
    )

    struct Name: ParsableArguments {
        @Flag(help: "Print one JSON object; on standard error where standard output has the FIFO's bytes.")
        var json = false

        @Argument(help: ArgumentHelp("The name of the FIFO.", valueName: "path"), completion: .file())
        var path: String

        var filePath: FilePath { FilePath(path) }

        func validate() throws {
            if path.isEmpty { throw ValidationError("the path is empty") }
        }

        /// Does the work of a subcommand, with an object for its outcome.
        func perform(
            _ command: some ParsableCommand, toError: Bool = false, _ work: @escaping @Sendable () async throws -> Int
        ) throws {
            let (json, path) = (json, path)
            try command.perform {
                do {
                    let bytes = try await work()
                    if json { try await print(FIFOReport(path: path, bytes: bytes), toError) }
                    return .success
                } catch {
                    if json { try await print(RunReport(error), toError) }
                    throw error
                }
            }
        }

        private func print(_ report: some Encodable, _ toError: Bool) async throws {
            try await printJSON(report, to: toError ? .standardError : .standardOutput)
        }
    }

    /// Whose FIFO is used, and for how long.
    struct Use: ParsableArguments {
        @Flag(help: "Use another user's FIFO too.")
        var anyOwner = false

        @Option(help: ArgumentHelp("End after so long, with status 124.", valueName: "seconds"))
        var timeout: Seconds?

        func fifo(_ name: Name) throws -> FIFO {
            try FIFO(at: name.filePath, trusting: anyOwner ? .everybody : .ourselves)
        }

        /// Runs a body within the limit, if there is one.
        func within<Result>(_ body: () async throws -> Result) async throws -> Result {
            guard let timeout else { return try await body() }
            return try await Deadline(in: timeout.duration).run(body)
        }
    }

    struct Make: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a FIFO with exactly this mode, whatever the umask.",
            discussion: "Example: ipc fifo make --mode 620 /run/app.fifo")

        @OptionGroup var name: Name

        @Option(help: ArgumentHelp("Its permissions, in octal.", valueName: "octal"))
        var mode = Mode(permissions: .ownerReadWrite)

        func run() throws {
            try name.perform(self) {
                _ = try FIFO.make(at: name.filePath, permissions: mode.permissions)
                return 0
            }
        }
    }

    struct Serve: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give each reader of a FIFO what a program prints for it.",
            usage: "ipc fifo serve [<options>] <path> -- <command> ...",
            discussion: """
                The program is run anew for each reader, and each gets one whole output, up to
                1 MiB. The FIFO is made, made anew if it is removed, and removed at the end,
                which INT, TERM or HUP bring about.

                Example: ipc fifo serve ~/.signature -- fortune -s
                """)

        @OptionGroup var name: Name

        @Option(help: ArgumentHelp("Its permissions, in octal.", valueName: "octal"))
        var mode = Mode(permissions: .ownerReadWrite)

        @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.", completion: .file())
        var command: [String] = []

        func validate() throws {
            try RawArguments.checkAllBut(last: command.count)
            guard !command.isEmpty else {
                throw ValidationError("no program; say: ipc fifo serve PATH -- PROGRAM ARGUMENT...")
            }
        }

        func run() throws {
            let words = RawArguments.all.suffix(command.count)
            try name.perform(self) {
                do {
                    try await Signal.cancelling(on: .interrupt, .terminate, .hangup) {
                        let program = Command(words: words).unchecked()
                        try await FIFO.serve(at: name.filePath, permissions: mode.permissions) {
                            // What fails for one reader is said, and does not end the server.
                            do { return try await program.capture().output.bytes } catch let error as CommandError {
                                await complain(error)
                                return []
                            }
                        }
                    }
                } catch is SignalCancellationError {}
                return 0
            }
        }
    }

    struct Read: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy what is written to a FIFO to standard output.",
            usage: "ipc fifo read [<options>] <path>",
            discussion: """
                Waits for somebody to write, and ends when the last writer has left.

                Example: ipc fifo read --keep-open --timeout 60 app.fifo
                """)

        @OptionGroup var name: Name

        @OptionGroup var use: Use

        @Flag(help: "Read on from one writer to the next, until the limit or a signal ends it.")
        var keepOpen = false

        func run() throws {
            try name.perform(self, toError: true) {
                try await use.within {
                    let reader = try await opened()
                    return try await Progress.ofOutput { try await copy(reader, to: .standardOutput) }
                }
            }
        }

        /// Opens the FIFO that has the name; another one, if that was given the name meanwhile, as `ipc fifo serve` does.
        private func opened() async throws -> ByteReader {
            while true {
                do {
                    return try await use.fifo(name).openForReading(staysOpen: keepOpen)
                } catch let error as SystemError
                    where error.errno == .staleNFSFileHandle && FIFO.exists(at: name.filePath)
                {
                    continue
                }
            }
        }
    }

    struct Write: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy standard input to a FIFO.",
            usage: "ipc fifo write [<options>] <path>",
            discussion: """
                Waits for somebody to read; --fail-if-no-reader does not. A reader that leaves
                early is an error, status 71.

                Example: date | ipc fifo write --timeout 5 app.fifo
                """)

        @OptionGroup var name: Name

        @OptionGroup var use: Use

        @Flag(help: "Do not wait for a reader: where nobody reads, the status is 71.")
        var failIfNoReader = false

        func run() throws {
            try name.perform(self) {
                try await use.within {
                    guard let writer = try await open(try use.fifo(name)) else {
                        throw SystemError("open", on: "\(name.path), which nobody reads", .noSuchAddressOrDevice)
                    }
                    let count = try await Progress.of(Written(writer)) {
                        try await copy(.standardInput, to: writer)
                    }
                    try writer.close()
                    return count
                }
            }
        }

        private func open(_ fifo: FIFO) async throws -> ByteWriter? {
            failIfNoReader ? try fifo.tryOpenForWriting() : try await fifo.openForWriting()
        }
    }
}

private struct FIFOReport: Encodable {
    let path: String
    let bytes: Int
}

/// Copies a stream to its end; the number of bytes.
private func copy(_ reader: ByteReader, to writer: ByteWriter) async throws -> Int {
    var count = 0
    while true {
        let bytes = try await reader.read(upTo: 64 * 1024)
        if bytes.isEmpty { return count }
        try await writer.write(bytes)
        count += bytes.count
    }
}
