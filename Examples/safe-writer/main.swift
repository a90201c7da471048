// Opening a file with another user's rights. The manual, lines 325-348: open(KID, "|-"), ($EUID, $EGID) = ($UID, $GID).
//
//     safe-writer [FILE...]
//
// The opening is done by this program in a process of its own that is nobody's, and no way leads back from there. What
// comes back is the open file. Run it as root: it is refused what nobody may not open.
import IPC

struct SafeOpen: Worker {
    static func run(_ path: String) async throws -> SentDescriptor {
        SentDescriptor(try Descriptor.open(FilePath(path), for: .append))
    }
}

Workers.runIfRequested()

try EventLoop.run {
    let words = Array(CommandLine.arguments.dropFirst())
    let nobody = try Credentials(user: "nobody")
    for path in words.isEmpty ? ["/tmp/safe-file", "/etc/safe-file"] : words {
        do {
            let file = try await SafeOpen.perform(path) { $0.running(as: nobody) }
            let writer = try ByteWriter(file.take())
            try await writer.write("some data\n")
            try writer.close()
            print("\(path): written")
        } catch { print("\(path): \(error)") }
    }
}
