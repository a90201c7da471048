// ipc sem: semaphores, of System V by their key, of POSIX by their name.
import ArgumentParser
import IPC

struct SemCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sem",
        abstract: "Make, use, list and remove semaphores.",
        discussion: """
            A semaphore is free at 0: take waits for that and adds one, give subtracts one.
            With --counting it is the number of what is free: take subtracts one as soon as
            it can, give adds one; semaphores with a name always count.

            Example: ipc sem take --key 1234 --timeout 10 -- make install
            """,
        subcommands: [Create.self, Take.self, Give.self, List.self, Remove.self]
    )

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a semaphore or a set of them, or find it.",
            usage: "ipc sem create (--key <key> | --name <name>) [<options>]",
            discussion: "Example: ipc sem create --key 1234 --value 3")

        @OptionGroup var option: ObjectOption
        @OptionGroup var making: MakingOptions

        @Option(help: ArgumentHelp("How many semaphores the set has; with a name it is one.", valueName: "number"))
        var count = 1

        @Option(
            help: ArgumentHelp("What a new one begins with; 0, but 1 with a name: free.", valueName: "number")
        )
        var value: Int?

        func validate() throws {
            if option.name != nil, count != 1 { throw ValidationError("by a name there is one semaphore") }
        }

        func run() throws {
            try option.perform(self) { key in
                let set = try SystemV.SemaphoreSet(
                    key: key, count: count, initialValue: value ?? 0, permissions: making.mode.permissions,
                    opening: making.opening)
                try await SemReport(set).print(option.json, set.wasCreated ? "created" : "found")
                return .success
            } named: { name in
                let semaphore = try POSIX.Semaphore(
                    named: name, initialValue: value ?? 1, permissions: making.mode.permissions, opening: making.opening
                )
                try await NamedSemReport(semaphore).print(option.json, semaphore.wasCreated ? "created" : "found")
                return .success
            }
        }
    }

    struct Take: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a semaphore, and hold it while a program runs.",
            usage: "ipc sem take (--key <key> | --name <name>) [<options>] [-- <command> ...]",
            discussion: """
                With a program it is given back when that has ended. Should ipc be killed, the
                kernel gives it back, and ends the program, though not what that has started;
                one with a name then stays taken. Without a program it stays taken until
                somebody gives it. Exit status: the program's; 124 if it was not to be had in
                time.

                Example: ipc sem take --key 1234 --timeout 10 -- make install
                """)

        @OptionGroup var option: ObjectOption
        @OptionGroup var use: Use

        @Option(help: ArgumentHelp("Wait no longer than so; the status is then 124.", valueName: "seconds"))
        var timeout: Seconds?

        @Argument(parsing: .postTerminator, help: "A program and its arguments, after --.", completion: .file())
        var command: [String] = []

        func validate() throws {
            try RawArguments.checkAllBut(last: command.count)
            try use.check(option)
        }

        func run() throws {
            try option.perform(self) { key in
                let set = try SystemV.SemaphoreSet(existing: key)
                let undoes = !use.noUndo && !command.isEmpty
                if use.counting {
                    try await set.acquire(from: use.index, undoOnExit: undoes, timeout: timeout?.duration)
                } else {
                    try await set.take(use.index, undoOnExit: undoes, timeout: timeout?.duration)
                }
                guard command.isEmpty else { return try await hold { try use.give(set, undoes) } }
                try await SemReport(set).print(option.json, "taken")
                return .success
            } named: { name in
                let semaphore = try POSIX.Semaphore(named: name, opening: .open)
                try await semaphore.acquire(timeout: timeout?.duration)
                guard command.isEmpty else { return try await hold { try semaphore.release() } }
                try await NamedSemReport(semaphore).print(option.json, "taken")
                return .success
            }
        }

        /// Runs the program, and gives back however that ends.
        private func hold(_ give: () throws -> Void) async throws -> ExitCode {
            let held = Command(words: RawArguments.all.suffix(command.count)).unchecked().diesWithParent()
            let result: CommandResult
            do { result = try await held.run(passingOn: .passedOn) } catch {
                try? give()  // the program's error is the one to know
                throw error
            }
            try give()
            return ExitCode(result.status.shellStatus)
        }
    }

    struct Give: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a semaphore that was taken.",
            usage: "ipc sem give (--key <key> | --name <name>) [<options>]",
            discussion: "Example: ipc sem give --key 1234")

        @OptionGroup var option: ObjectOption
        @OptionGroup var use: Use

        func validate() throws { try use.check(option) }

        func run() throws {
            try option.perform(self) { key in
                let set = try SystemV.SemaphoreSet(existing: key)
                try use.give(set, false)
                try await SemReport(set).print(option.json, "given")
                return .success
            } named: { name in
                let semaphore = try POSIX.Semaphore(named: name, opening: .open)
                try semaphore.release()
                try await NamedSemReport(semaphore).print(option.json, "given")
                return .success
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all semaphores.", discussion: "Example: ipc sem list --json")

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws { try list(.semaphores, json: json, for: self) }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a semaphore, or a set.",
            usage: "ipc sem remove (--key <key> | --id <id> | --name <name>) [<options>]",
            discussion: "Example: ipc sem remove --key 1234")

        @OptionGroup var options: RemoveOptions

        func run() throws { try options.remove(.semaphores, for: self) }
    }

    /// How a semaphore is used.
    struct Use: ParsableArguments {
        @Option(help: ArgumentHelp("Which one of the set.", valueName: "number"))
        var index = 0

        @Flag(help: "It counts what is free.")
        var counting = false

        @Flag(help: "Have the kernel give nothing back if this process ends; as it is without a program in any case.")
        var noUndo = false

        func check(_ option: ObjectOption) throws {
            guard option.name != nil else { return }
            if index != 0 { throw ValidationError("by a name there is one semaphore") }
            if noUndo { throw ValidationError("the kernel gives back none with a name in any case") }
        }

        func give(_ set: SystemV.SemaphoreSet, _ undoes: Bool) throws {
            if counting {
                try set.release(to: index, undoOnExit: undoes)
            } else {
                try set.give(index, undoOnExit: undoes)
            }
        }
    }
}

/// What is said of a set.
struct SemReport: Encodable {
    let id: Int32
    let key: String
    let created: Bool
    let values: [Int]

    init(_ set: SystemV.SemaphoreSet) throws {
        (id, key, created) = (set.id, "\(set.key)", set.wasCreated)
        values = try (0..<set.count).map { try set.value($0) }
    }

    func print(_ json: Bool, _ verb: String) async throws {
        try await say(
            "\(verb): semaphore set \(key), id \(id), \(values.map { "\($0)" }.joined(separator: " "))", self,
            json: json)
    }
}

/// What is said of a semaphore with a name.
private struct NamedSemReport: Encodable {
    let name: String
    let created: Bool
    let value: Int

    init(_ semaphore: POSIX.Semaphore) throws {
        (name, created, value) = (semaphore.name, semaphore.wasCreated, try semaphore.value)
    }

    func print(_ json: Bool, _ verb: String) async throws {
        try await say("\(verb): semaphore \(name), \(value)", self, json: json)
    }
}
