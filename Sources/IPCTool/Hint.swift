// What may help about an error: who has the port, which folder is missing, whose the file is.
import FoundationEssentials
import IPC

enum Hint {
    /// What the system knows about an error beside its reason, and what to do; `nil` if that would only repeat it.
    static func about(_ error: any Error) -> String? {
        switch error {
        case let error as InputFailure: about(error.error)
        case let error as SystemError: about(error)
        case let error as ConnectError: about(error)
        case let error as StartError: about(error)
        case let error as SystemVError where error.kind == .notFound: making(error.subject)
        case let error as SharedObjectError where error.kind == .notFound: making(error.subject)
        case let error as SharedObjectError where error.kind == .holderDied || error.kind == .poisoned:
            "what it guards may be half done; who is sure that it is not removes the lock: 'ipc shm remove --name'"
        default: nil
        }
    }

    /// How an object is made that is not there.
    private static func making(_ subject: String) -> String? {
        let commands = [("semaphore", "sem"), ("queue", "msg"), ("memory", "shm"), ("segment", "shm")]
        return commands.first { subject.contains($0.0) }.map { "'ipc \($0.1) create' makes one" }
    }

    private static func about(_ error: SystemError) -> String? {
        let isPort = error.subject.hasPrefix("tcp:") || error.subject.hasPrefix("udp:")
        // Errors about a file of another kind say which.
        let path = error.subject.split(separator: ", a ").first.map(String.init) ?? error.subject
        switch error.errno {
        case .addressInUse: return PortHolder.description(of: error.subject)
        case .permissionDenied where isPort:
            return "ports below 1024 are for root, and for who has CAP_NET_BIND_SERVICE"
        case .notPermitted where error.operation.hasPrefix("send SIG"): return owner(ofProcess: error.subject)
        default: return FileHint.about(error.errno, at: path)
        }
    }

    private static func about(_ error: ConnectError) -> String? {
        let endpoint = "\(error.endpoint)"
        switch error.errno {
        case .connectionRefused:
            let isHere = error.attempts.allSatisfy { $0.address.isLoopback || $0.address.port == nil }
            return "nobody listens there" + (isHere ? "; 'ipc sockets' shows who listens where" : "")
        default:
            return endpoint.hasPrefix("unix:") ? FileHint.about(error.errno, at: String(endpoint.dropFirst(5))) : nil
        }
    }

    private static func about(_ error: StartError) -> String? {
        switch error.kind {
        case .notPermitted where error.operation.hasPrefix("change to another user"):
            "only root may become another user"
        case .notExecutable: FileHint.obstacle(toExecuting: error.subject)
        default: nil
        }
    }

    private static func owner(ofProcess subject: String) -> String? {
        guard let number = subject.split(separator: " ").last.flatMap({ Int32($0) }), let process = ProcessID(number),
            let record = try? ProcessRecord(of: process), let owner = FileHint.owner(of: "/proc/\(number)")
        else { return nil }
        return "\(record.name) is \(owner)'s\(FileHint.ourselves)"
    }
}

/// Who listens where somebody else wants to.
private enum PortHolder {
    static func description(of subject: String) -> String? {
        // `PATH, where somebody listens`
        let endpoint = subject.split(separator: ", ").first.map(String.init) ?? subject
        let found = ((try? SocketTable.listening()) ?? []).filter { conflicts($0, with: endpoint) }
        if found.isEmpty { return nil }
        let names = Set(found.flatMap(\.processes)).sorted { $0.rawValue < $1.rawValue }.map { process in
            "\((try? ProcessRecord(of: process).name) ?? "?"), process \(process)"
        }
        if names.isEmpty { return "a process of another user has it" }
        return names.joined(separator: ", and ") + (names.count == 1 ? ", has it" : ", have it")
    }

    private static func conflicts(_ record: SocketRecord, with endpoint: String) -> Bool {
        guard endpoint.hasPrefix("tcp:") || endpoint.hasPrefix("udp:") else {
            let isAbstract = endpoint.hasPrefix("abstract:")
            let name = endpoint.split(separator: ":", maxSplits: 1).last.map(String.init) ?? endpoint
            return record.family == "unix" && record.place == (isAbstract ? "@" + name : name)
        }
        let parts = endpoint.dropFirst(4)
        let split = parts.lastIndex(of: ":") ?? parts.startIndex
        let (host, port) = (parts[..<split], parts[split...].drop { $0 == ":" })
        guard endpoint.hasPrefix(record.family), record.place.hasSuffix(":\(port)") else { return false }
        let theirs = String(record.place.dropLast(port.count + 1))
        let everywhere = ["0.0.0.0", "[::]", "*"]
        let ours = ["", "localhost"].contains(host) ? ["127.0.0.1", "[::1]"] : [String(host)]
        return host == "*" || everywhere.contains(theirs) || ours.contains(theirs)
    }
}

/// What keeps somebody from a file.
private enum FileHint {
    private static var files: FileManager { .default }

    static func about(_ errno: Errno, at path: String) -> String? {
        switch errno {
        case .permissionDenied: obstacle(to: path)
        case .noSuchFileOrDirectory: missing(of: path)
        default: nil
        }
    }

    /// The folder that is not there, if it is not the file itself that is missing.
    private static func missing(of path: String) -> String? {
        parents(of: path).first { !files.fileExists(atPath: $0) && !isLink($0) }.map { "there is no folder \($0)" }
    }

    /// A folder on the way, or the file's own permissions.
    private static func obstacle(to path: String) -> String? {
        let path = URL(filePath: path).resolvingSymlinksInPath().path
        let folders = parents(of: path)
        if let closed = folders.first(where: { !files.isExecutableFile(atPath: $0) }) { return possession(of: closed) }
        if files.fileExists(atPath: path) { return possession(of: path) }
        return isLink(path) ? nil : folders.last.flatMap(possession)
    }

    /// The same for a program; one of ours that nobody may execute can be made one.
    static func obstacle(toExecuting path: String) -> String? {
        guard let mode = mode(of: path), mode & 0o111 == 0 else { return obstacle(to: path) }
        return owner(of: path) == user ? "'chmod +x' makes it a program" : possession(of: path)
    }

    private static func parents(of path: String) -> [String] {
        var parents: [String] = []
        var path = FilePath(path)
        while path.removeLastComponent() { parents.append(path.isEmpty ? "." : path.string) }
        return parents.reversed()
    }

    private static func possession(of path: String) -> String? {
        guard let mode = mode(of: path), let owner = owner(of: path) else { return nil }
        return "\(path) is \(owner)'s, mode \(String(mode & 0o7777, radix: 8))\(ourselves)"
    }

    private static func isLink(_ path: String) -> Bool {
        (try? files.attributesOfItem(atPath: path))?[.type] as? FileAttributeType == .typeSymbolicLink
    }

    private static func mode(of path: String) -> Int? {
        let value = (try? files.attributesOfItem(atPath: path))?[.posixPermissions]
        return value as? Int ?? (value as? UInt).map { Int($0) }
    }

    /// The name of the user whose it is, or his number.
    static func owner(of path: String) -> String? {
        let attributes = try? files.attributesOfItem(atPath: path)
        return attributes?[.ownerAccountName] as? String ?? (attributes?[.ownerAccountID]).map { "user \($0)" }
    }

    /// Whom the system takes us for: the folder of a process is its effective user's.
    private static var user: String? { owner(of: "/proc/\(ProcessID.current)") }

    static var ourselves: String { user.map { "; we are \($0)" } ?? "" }
}
