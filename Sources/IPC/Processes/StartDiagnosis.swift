// What a bare error number of a failed start means. execve says ENOENT when a script's interpreter is missing, and EACCES
// for a directory, a missing right and a mount option alike; a look at the file tells them apart.
import CIPC
import SystemPackage

enum StartDiagnosis {
    /// The error of a start that the kernel refused at a stage.
    static func explain(
        _ request: SpawnRequest, _ stage: ipc_spawn_stage, _ errno: Errno
    ) -> StartError {
        switch stage {
        case IPC_STAGE_CLONE:
            return StartError(limitOr(.notPermitted, errno), "clone", on: request.name, errno)
        case IPC_STAGE_DIRECTORY:
            return StartError(
                .directoryNotFound, "enter directory", on: String(decoding: request.directory ?? [], as: UTF8.self),
                errno)
        case IPC_STAGE_DESCRIPTORS:
            return StartError(limitOr(.other, errno), "hand descriptors to", on: request.name, errno)
        case IPC_STAGE_TERMINAL:
            return StartError(.notPermitted, "give a terminal to", on: request.name, errno)
        case IPC_STAGE_GROUP, IPC_STAGE_SESSION:
            return StartError(.notPermitted, "make a process group for", on: request.name, errno)
        case IPC_STAGE_IDENTITY: return explainIdentity(request, errno)
        case IPC_STAGE_LIMITS:
            let names = request.setup.limits.map(\.limit.name).joined(separator: ", ")
            return StartError(.notPermitted, "set limits for", on: request.name, errno, detail: names)
        case IPC_STAGE_PRIORITY: return StartError(.notPermitted, "set priority of", on: request.name, errno)
        case IPC_STAGE_PRIVILEGES, IPC_STAGE_PARENT:
            return StartError(.notPermitted, "restrict", on: request.name, errno)
        default: return explainExecution(request, errno)
        }
    }

    private static func explainIdentity(_ request: SpawnRequest, _ errno: Errno) -> StartError {
        let wanted = request.setup.credentials
        let numbers = wanted.map { "user \($0.userID), group \($0.groupID)" } ?? ""
        return StartError(
            limitOr(.notPermitted, errno), "change to another user for", on: request.name, errno, detail: numbers)
    }

    private static func limitOr(_ kind: StartError.Kind, _ errno: Errno) -> StartError.Kind {
        switch errno {
        case .resourceTemporarilyUnavailable, .noMemory, .tooManyOpenFiles, .tooManyOpenFilesInSystem: .resourceLimit
        default: kind
        }
    }

    private static func explainExecution(_ request: SpawnRequest, _ errno: Errno) -> StartError {
        func error(_ kind: StartError.Kind, on subject: String? = nil, detail: String = "") -> StartError {
            StartError(kind, "execute", on: subject ?? request.file, errno, detail: detail)
        }
        switch errno {
        case .noSuchFileOrDirectory, .notDirectory:
            guard request.fileExists else { return error(.notFound) }
            return error(.interpreterNotFound, detail: interpreterOf(request))
        case .permissionDenied: return explainPermission(request, errno)
        case .execFormatError, .invalidArgument:
            return error(.unknownFormat)
        case .textFileBusy: return error(.busy)
        case .tooManySymbolicLinkLevels: return error(.symbolicLinkLoop)
        case .fileNameTooLong: return error(.nameTooLong)
        case .argListTooLong: return error(.argumentsTooLong, detail: request.sizes)
        case .isDirectory: return error(.interpreterNotExecutable, detail: interpreterOf(request))
        case .notPermitted: return error(.notPermitted)
        default: return error(limitOr(.other, errno))
        }
    }

    private static func explainPermission(_ request: SpawnRequest, _ errno: Errno) -> StartError {
        var file = ipc_file_information()
        let isThere = request.withFile { ipc_file_status($0, &file) } == 0
        let kind: StartError.Kind
        var detail = ""
        if !isThere {
            kind = .notExecutable  // a folder on the way may not be searched
        } else if file.type == Int32(IPC_FILE_DIRECTORY.rawValue) {
            kind = .isDirectory
        } else if request.withFile({ ipc_is_mounted_no_execute($0) }) == 1 {
            kind = .mountedNoExec
        } else if file.type == Int32(IPC_FILE_REGULAR.rawValue), request.withFile({ ipc_may_execute($0) }) == 0 {
            kind = .interpreterNotExecutable
            detail = interpreterOf(request)
        } else {
            kind = .notExecutable
        }
        return StartError(kind, "execute", on: request.file, errno, detail: detail)
    }

    /// What the file names as its interpreter, in words; empty if that cannot be read.
    private static func interpreterOf(_ request: SpawnRequest) -> String {
        let number = SystemCall.retrying { request.withFile { ipc_open($0, IPC_O_RDONLY | IPC_O_NONBLOCK, 0) } }
        guard number >= 0, let file = try? Descriptor(fresh: number, "open", on: request.file) else { return "" }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = SystemCall.retrying { ipc_read(file.number, &bytes, bytes.count) }
        guard count > 2, bytes[0] == UInt8(ascii: "#"), bytes[1] == UInt8(ascii: "!") else {
            return "its program loader is missing"
        }
        let line = bytes[2..<count].prefix { $0 != UInt8(ascii: "\n") }.drop { $0 == 32 || $0 == 9 }
        let name = String(decoding: line.prefix { $0 != 32 && $0 != 9 }, as: UTF8.self)
        let returns = name.hasSuffix("\r") ? " (the line ends with a carriage return)" : ""
        return "interpreter \(name.filter { $0 != "\r" })\(returns)"
    }
}
