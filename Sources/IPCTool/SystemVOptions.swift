// What ipc sem, ipc msg and ipc shm have in common: keys, listing, removing.
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

struct KeyOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The key: a number, also as 0x4d2, or the path of a file, with a slash in it, whose key is that of ftok(3).",
            valueName: "key"))
    var key: KeyArgument

    @Flag(help: "Print one JSON object.")
    var json = false

    /// Does the work of a subcommand, which says its outcome; in failure an object too.
    func perform(
        _ command: some ParsableCommand, _ work: @escaping @Sendable (SystemV.Key) async throws -> ExitCode
    ) throws {
        let (json, argument) = (json, key)
        try command.perform {
            do { return try await work(try argument.key) } catch {
                if json, !(error is ExitCode) { try await printJSON(RunReport(error)) }
                throw error
            }
        }
    }

    func validate() throws {
        if key.isPrivate {
            throw ValidationError("0 is the key of no object in particular, and none could be found by it")
        }
    }
}

/// An object as it is listed.
struct ShownObject: Encodable {
    let kind: String
    let id: Int32
    let key: Int32
    let uid: UInt32
    let mode: String
    let size: Int
    let creatorUID: UInt32
    let messages: Int?
    let attachments: Int?
    let creator: Int32?
    let creatorIsAlive: Bool?
    let lastSender: Int32?
    let lastReceiver: Int32?
    let isLeftover: Bool?
    let isMarkedForRemoval: Bool?

    init(_ object: SystemV.Object) {
        kind = "\(object.kind)"
        (id, key, uid, size) = (object.id, Int32("\(object.key)") ?? 0, object.userID, object.size)
        mode = "0" + String(object.permissions.rawValue, radix: 8)
        messages = object.kind == .queue ? object.messages : nil
        let isSegment = object.kind == .segment
        creatorUID = object.creatorUserID
        lastSender = object.kind == .queue ? object.firstProcess?.rawValue : nil
        lastReceiver = object.kind == .queue ? object.lastProcess?.rawValue : nil
        attachments = isSegment ? object.attachments : nil
        creator = isSegment ? object.firstProcess?.rawValue : nil
        creatorIsAlive = isSegment ? object.firstProcess.map { $0.state != .gone } : nil
        isLeftover = object.isLeftover
        isMarkedForRemoval = isSegment ? object.isMarkedForRemoval : nil
    }

    var line: String {
        var text = "\(key)".padded(to: 12) + "\(id)".padded(to: 10) + "\(uid)".padded(to: 8) + mode.padded(to: 6)
        text += "\(size)".padded(to: 12)
        if let messages { text += "\(messages) message\(messages == 1 ? "" : "s")" }
        if let lastSender { text += ", last sent by \(ShownObject.living(lastSender))" }
        if let lastReceiver { text += ", last received by \(ShownObject.living(lastReceiver))" }
        if let attachments {
            text += "attached \(attachments)"
            if let creator { text += ", made by \(ShownObject.living(creator))" }
            if isMarkedForRemoval == true { text += ", goes with its last user" }
            if isLeftover == true { text += ", left over" }
        }
        return text + "\n"
    }

    private static func living(_ process: Int32) -> String {
        "\(process)\(ProcessID(process)?.state == .gone ? " (gone)" : "")"
    }
}

/// Lists the objects of a kind.
func list(_ kind: SystemV.Kind, json: Bool, for command: some ParsableCommand) throws {
    try command.perform {
        let shown = try SystemV.objects(of: [kind]).map(ShownObject.init)
        if json {
            try await printJSON(["objects": shown])
        } else {
            let sizes = kind == .semaphores ? "semaphores" : "bytes"
            let head = "key".padded(to: 12) + "id".padded(to: 10) + "user".padded(to: 8) + "mode".padded(to: 6) + sizes
            try await ByteWriter.standardOutput.write(head + "\n" + shown.map(\.line).joined())
            try ByteWriter.standardOutput.close()
        }
        return .success
    }
}

/// Removes an object: one's own, unless told otherwise.
struct RemoveOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The key of the object.", valueName: "key"))
    var key: KeyArgument?

    @Option(help: ArgumentHelp("Its id instead, as list shows it.", valueName: "id"))
    var id: Int32?

    @Flag(help: "Remove another user's too, as far as the system lets us.")
    var force = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if (key == nil) == (id == nil) { throw ValidationError("say --key or --id") }
        if key?.isPrivate == true { throw ValidationError("0 is the key of many objects; say --id") }
    }

    func remove(_ kind: SystemV.Kind, for command: some ParsableCommand) throws {
        let (argument, id, force, json) = (key, id, force, json)
        try command.perform {
            do {
                let key = try argument?.key
                let found = try SystemV.objects(of: [kind]).first { id == nil ? $0.key == key : $0.id == id }
                guard let found else {
                    throw NotRemoved(
                        what: "\(kind) \(key.map { "\($0)" } ?? "with id \(id ?? 0)")", why: "there is none")
                }
                if try found.userID != ProcessRecord(of: .current).effectiveUserID, !force {
                    throw NotRemoved(
                        what: "\(kind) with id \(found.id)",
                        why: "it belongs to user \(found.userID); --force removes it")
                }
                try found.remove()
                if json { try await printJSON(ShownObject(found)) }
                return .success
            } catch {
                if json { try await printJSON(RunReport(error)) }
                throw error
            }
        }
    }
}

/// Nothing was removed.
struct NotRemoved: Error, CustomStringConvertible {
    let what: String
    let why: String

    var description: String { "remove \(what): \(why)" }
}
