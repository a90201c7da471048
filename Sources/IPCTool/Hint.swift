// What may help about an error: who has the port, which folder is missing, whose the file is.
import FoundationEssentials
import IPC

enum Hint {
    /// What the system knows about an error beside its reason, and what to do; `nil` if that would only repeat it.
    static func about(_ error: any Error) -> String? {
        switch error {
        case let error as InputFailure: about(error.error)
        case let error as SystemError: about(error)
        case let error as ConnectError where error.errno == .connectionRefused:
            "nobody listens there; 'ipc sockets' shows who listens where"
        case let error as ConnectError where error.errno == .noSuchFileOrDirectory:
            "\(error.endpoint)".hasPrefix("unix:") ? missing(of: String("\(error.endpoint)".dropFirst(5))) : nil
        case let error as StartError: about(error)
        default: nil
        }
    }

    private static func about(_ error: SystemError) -> String? {
        // Errors about a file of another kind say which.
        let path = error.subject.split(separator: ", a ").first.map(String.init) ?? error.subject
        switch error.errno {
        case .addressInUse: return holder(of: error.subject)
        case .permissionDenied where port(of: error.subject).map { 1..<1024 ~= $0 } ?? false:
            return "ports below 1024 are for root, and for who has CAP_NET_BIND_SERVICE"
        case .permissionDenied: return obstacle(to: path)
        case .noSuchFileOrDirectory: return missing(of: path)
        case .notPermitted where error.operation.hasPrefix("send SIG"): return holder(ofProcess: error.subject)
        default: return nil
        }
    }

    private static func about(_ error: StartError) -> String? {
        switch error.kind {
        case .notPermitted where error.operation != "execute": "only root may become another user"
        // The file is there and says itself that it is no program, or a folder on the way keeps us out.
        case .notExecutable:
            files.fileExists(atPath: error.subject) ? "'chmod +x' makes it a program" : obstacle(to: error.subject)
        default: nil
        }
    }

    // MARK: Ports

    private static func port(of endpoint: String) -> Int? {
        guard endpoint.hasPrefix("tcp:") || endpoint.hasPrefix("udp:") else { return nil }
        return endpoint.split(separator: ":").last.flatMap { Int($0) }
    }

    private static func holder(of endpoint: String) -> String? {
        let records = (try? SocketTable.listening()) ?? []
        let place = endpoint.split(separator: ":", maxSplits: 1).last.map(String.init) ?? endpoint
        let number = port(of: endpoint).map { ":\($0)" }
        let found = records.first { record in
            number.map { record.place.hasSuffix($0) && endpoint.hasPrefix(record.family) } ?? (record.place == place)
        }
        guard let found else { return nil }
        guard let process = found.processes.first else { return "a process of another user has it" }
        let name = (try? ProcessRecord(of: process).name) ?? "?"
        return "\(name), process \(process), has it"
    }

    // MARK: Files

    private static var files: FileManager { .default }

    /// The folder that is not there, if it is not the file itself that is missing.
    private static func missing(of path: String) -> String? {
        parents(of: path).first { !files.fileExists(atPath: $0) }.map { "there is no folder \($0)" }
    }

    /// What keeps us from a file: a folder on the way, or its own permissions.
    private static func obstacle(to path: String) -> String? {
        let folders = parents(of: path)
        if let closed = folders.first(where: { !files.isExecutableFile(atPath: $0) }) { return possession(of: closed) }
        return possession(of: files.fileExists(atPath: path) ? path : folders.last ?? path)
    }

    private static func parents(of path: String) -> [String] {
        var parents: [String] = []
        var path = FilePath(path)
        while path.removeLastComponent() { parents.append(path.isEmpty ? "." : path.string) }
        return parents.reversed()
    }

    private static func possession(of path: String) -> String? {
        let attributes = try? files.attributesOfItem(atPath: path)
        guard
            let mode = attributes?[.posixPermissions] as? Int
                ?? (attributes?[.posixPermissions] as? UInt).map({ Int($0) }),
            let owner = owner(of: path)
        else { return nil }
        return "\(path) is \(owner)'s, mode \(String(mode & 0o7777, radix: 8))\(ourselves)"
    }

    // MARK: Users

    private static func owner(of path: String) -> String? {
        let attributes = try? files.attributesOfItem(atPath: path)
        return attributes?[.ownerAccountName] as? String
            ?? (attributes?[.ownerAccountID]).map { "user \($0)" }
    }

    private static func holder(ofProcess subject: String) -> String? {
        guard let number = subject.split(separator: " ").last.flatMap({ Int32($0) }), let process = ProcessID(number),
            let record = try? ProcessRecord(of: process), let owner = owner(of: "/proc/\(number)")
        else { return nil }
        return "\(record.name) is \(owner)'s\(ourselves)"
    }

    /// Whom the system takes us for.
    private static var ourselves: String { owner(of: "/proc/self/stat").map { "; we are \($0)" } ?? "" }
}
