// What ipc sem, ipc msg and ipc shm list: objects of System V, and those with a name.
import ArgumentParser
import IPC

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

/// An object with a name as it is listed.
struct ShownNamed: Encodable {
    let kind: String
    let name: String
    let uid: UInt32
    let mode: String
    let size: Int
    let users: [Int32]?
    let holder: Int32?
    let isPoisoned: Bool?

    init(_ object: NamedObject) {
        (kind, name, uid, size) = ("\(object.kind)", object.name, object.userID, object.size)
        mode = "0" + String(object.permissions.rawValue, radix: 8)
        users = object.users?.map(\.rawValue)
        holder = object.holder?.rawValue
        isPoisoned = object.kind == .lock ? object.isPoisoned : nil
    }

    var line: String {
        var text = name.padded(to: 22) + "\(uid)".padded(to: 8) + mode.padded(to: 6) + "\(size)".padded(to: 12) + kind
        if let holder { text += ", held by \(holder)" }
        if isPoisoned == true { text += ", not repaired" }
        if let users {
            text += users.isEmpty ? ", used by nobody" : ", used by \(users.map { "\($0)" }.joined(separator: " "))"
        }
        return text + "\n"
    }
}

extension NamedObject {
    /// A name with its slash, however it was said.
    static func spelled(_ name: String) -> String { name.hasPrefix("/") ? name : "/" + name }

    /// The object of a name, if it is of one of the kinds.
    static func named(_ name: String, of kinds: Set<Kind>) throws -> NamedObject? {
        try all(of: kinds).first { $0.name == name }
    }
}

extension NamedObject.Kind {
    /// What goes by a name and is of the sort of an object of System V.
    static func beside(_ kind: SystemV.Kind) -> Set<NamedObject.Kind> {
        switch kind {
        case .semaphores: [.semaphore]
        case .queue: [.queue]
        case .segment: [.memory, .variable, .lock, .instance]
        }
    }
}

/// All objects of a kind, and those with a name beside them.
private struct ObjectList: Encodable {
    let objects: [ShownObject]
    let named: [ShownNamed]

    init(_ kind: SystemV.Kind) throws {
        objects = try SystemV.objects(of: [kind]).map(ShownObject.init)
        named = try NamedObject.all(of: NamedObject.Kind.beside(kind)).map(ShownNamed.init)
    }
}

/// Lists the objects of a kind.
func list(_ kind: SystemV.Kind, json: Bool, for command: some ParsableCommand) throws {
    try command.perform {
        let list = try ObjectList(kind)
        if json {
            try await printJSON(list)
            return .success
        }
        let sizes = kind == .semaphores ? "semaphores" : "bytes"
        var text =
            "key".padded(to: 12) + "id".padded(to: 10) + "user".padded(to: 8) + "mode".padded(to: 6) + sizes + "\n"
        text += list.objects.map(\.line).joined()
        text +=
            "\n" + "name".padded(to: 22) + "user".padded(to: 8) + "mode".padded(to: 6) + "bytes".padded(to: 12)
            + "kind\n"
        text += list.named.map(\.line).joined()
        if kind == .queue, !NamedObject.listsQueues {
            text += "(queues with a name are listed where /dev/mqueue is mounted: mount -t mqueue none /dev/mqueue)\n"
        }
        try await ByteWriter.standardOutput.write(text)
        try ByteWriter.standardOutput.close()
        return .success
    }
}
