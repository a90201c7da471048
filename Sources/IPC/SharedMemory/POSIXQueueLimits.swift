// The kernel's limits on POSIX message queues, as errors name them.
import CIPC
import SystemPackage

extension POSIX.MessageQueue {
    /// What a queue has that nobody has said anything about: a number of the kernel's.
    static func usual(_ limit: String) -> Int {
        let (usual, most) = (number("\(limit)_default"), number("\(limit)_max"))
        return min(usual ?? (limit == "msg" ? 10 : 8192), most ?? .max)
    }

    private static func number(_ name: String) -> Int? {
        guard let bytes = try? SmallFile.read("/proc/sys/fs/mqueue/\(name)") else { return nil }
        return Int(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    private static func limit(_ name: String) -> String {
        "fs.mqueue.\(name) = \(number(name).map(String.init) ?? "?")"
    }

    static func opening(_ name: SharedName, _ errno: Errno) -> SharedObjectError {
        guard errno == .noFunction else { return SharedObjectError("open", on: name.subject, errno) }
        return SharedObjectError(.other, "open", on: name.subject, errno, "this kernel has no message queues of POSIX")
    }

    static func creating(_ name: SharedName, _ capacity: Int64, _ size: Int64, _ errno: Errno) -> SharedObjectError {
        let (kind, detail): (SharedObjectError.Kind, String?) =
            switch errno {
            case .invalidArgument:
                (
                    .outOfRange,
                    "\(capacity) messages of \(size) bytes: at most \(limit("msg_max")) and \(limit("msgsize_max")), at least 1"
                )
            case .noSpace: (.limitReached, "there are as many queues as there may be: \(limit("queues_max"))")
            case .tooManyOpenFiles:
                (
                    .limitReached,
                    "\(capacity) messages of \(size) bytes are more than the user has left of RLIMIT_MSGQUEUE, or there are no descriptors left"
                )
            case .noFunction: (.other, "this kernel has no message queues of POSIX")
            default: (SharedObjectError("create", on: name.subject, errno).kind, nil)
            }
        return SharedObjectError(kind, "create", on: name.subject, errno, detail)
    }
}
