// What ipc sem, ipc msg and ipc shm have in common: how an object is named, and how it is removed.
import ArgumentParser
import IPC

/// A key on the command line: a number, or a file whose key is computed.
struct KeyArgument: ExpressibleByArgument {
    private let number: Int32?
    private let path: String

    init?(argument: String) {
        if let decimal = Int32(argument) {
            number = decimal
        } else if argument.hasPrefix("0x"), let bits = UInt32(argument.dropFirst(2), radix: 16) {
            number = Int32(bitPattern: bits)
        } else if argument.contains("/") {
            number = nil
        } else {
            return nil
        }
        path = argument
    }

    /// The key that it is.
    var key: SystemV.Key { get throws { try number.map { .number($0) } ?? .file(FilePath(path)) } }

    /// Whether it means no object in particular.
    var isPrivate: Bool { number == 0 }
}

/// How an object is found: one of System V by its key, one of POSIX by its name.
struct ObjectOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The key, of System V: 1234, 0x4d2, or a path with a slash in it, whose key is that of ftok(3).",
            valueName: "key"))
    var key: KeyArgument?

    @Option(help: ArgumentHelp("The name instead, of POSIX: /word.", valueName: "name"))
    var name: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    /// Does the work of a subcommand, which says its outcome; in failure an object too.
    func perform(
        _ command: some ParsableCommand, _ withKey: @escaping @Sendable (SystemV.Key) async throws -> ExitCode,
        named withName: @escaping @Sendable (String) async throws -> ExitCode
    ) throws {
        let (argument, name) = (key, name)
        try command.perform(json: json) {
            if let name { return try await withName(name) }
            guard let key = try argument?.key else { return .success }
            return try await withKey(key)
        }
    }

    func validate() throws {
        if key == nil, name == nil { throw ValidationError("say --key or --name") }
        if key != nil, name != nil { throw ValidationError("say --key or --name, not both") }
        if key?.isPrivate == true {
            throw ValidationError("0 is the key of no object in particular, and none could be found by it")
        }
    }
}

/// How a new object is made.
struct MakingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Who may use a new one.", valueName: "octal"))
    var mode = Mode(permissions: .ownerReadWrite)

    @Flag(help: "It is an error if there is one.")
    var new = false

    var opening: Opening { new ? .create : .createOrOpen }
}

/// Says what was done, a line or an object.
func say(_ line: String, _ report: some Encodable & Sendable, json: Bool) async throws {
    if json { return try await printJSON(report) }
    try await ByteWriter.standardOutput.write(line + "\n")
    try ByteWriter.standardOutput.close()
}

/// Removes an object: one's own, unless told otherwise.
struct RemoveOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The key of the object.", valueName: "key"))
    var key: KeyArgument?

    @Option(help: ArgumentHelp("Its id instead, as list shows it.", valueName: "id"))
    var id: Int32?

    @Option(help: ArgumentHelp("The name instead, of POSIX: /word.", valueName: "name"))
    var name: String?

    @Flag(help: "Remove another user's too, as far as the system lets us.")
    var force = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        let count = (key == nil ? 0 : 1) + (id == nil ? 0 : 1) + (name == nil ? 0 : 1)
        if count == 0 { throw ValidationError("say --key, --id or --name") }
        if count > 1 { throw ValidationError("say one of --key, --id and --name, not more") }
        if key?.isPrivate == true { throw ValidationError("0 is the key of many objects; say --id") }
    }

    func remove(_ kind: SystemV.Kind, for command: some ParsableCommand) throws {
        let options = self
        try command.perform(json: json) {
            if let name = options.name {
                try await options.remove(named: name, kind)
            } else {
                let found = try options.find(kind)
                try options.check(found.userID, "\(kind) with id \(found.id)")
                try found.remove()
                if options.json { try await printJSON(ShownObject(found)) }
            }
            return .success
        }
    }

    private func find(_ kind: SystemV.Kind) throws -> SystemV.Object {
        let key = try key?.key
        let found = try SystemV.objects(of: [kind]).first { id == nil ? $0.key == key : $0.id == id }
        if let found { return found }
        throw NotRemoved(what: "\(kind) \(key.map { "\($0)" } ?? "with id \(id ?? 0)")", why: "there is none")
    }

    private func remove(named name: String, _ kind: SystemV.Kind) async throws {
        let kinds = NamedObject.Kind.beside(kind)
        let name = NamedObject.spelled(name)
        if let found = try NamedObject.named(name, of: kinds) {
            try check(found.userID, "\(found.kind) \(name)")
            try found.remove()
            if json { try await printJSON(ShownNamed(found)) }
        } else if kind == .queue, !NamedObject.listsQueues {
            // Whose it is cannot be seen without opening it, which is refused for another's.
            if !force { _ = try POSIX.MessageQueue(named: name, opening: .open) }
            try POSIX.MessageQueue.remove(named: name)
            if json { try await printJSON(["name": name]) }
        } else {
            let what = kinds.count == 1 ? kinds.map { "\($0)" }.joined() : "what is shared as"
            throw NotRemoved(what: "\(what) \(name)", why: "there is none")
        }
    }

    private func check(_ owner: UInt32, _ what: String) throws {
        if try owner != ProcessRecord(of: .current).effectiveUserID, !force {
            throw NotRemoved(what: what, why: "it belongs to user \(owner); --force removes it")
        }
    }
}

/// Nothing was removed.
struct NotRemoved: Error, CustomStringConvertible {
    let what: String
    let why: String

    var description: String { "remove \(what): \(why)" }
}
