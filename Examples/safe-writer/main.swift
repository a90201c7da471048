// Opening a file with another user's rights. The manual, lines 325-348: open(KID, "|-"), ($EUID, $EGID) = ($UID, $GID).
//
//     safe-writer [FILE...]
//
// The kid is this program in a process of its own, which is nobody's for good; what it hands back is the open file. Run
// it as root: it is refused what nobody may not open.
import IPC

Workers.runIfRequested()

try EventLoop.run {
    let words = Array(CommandLine.arguments.dropFirst())
    let nobody = try Credentials(user: "nobody")

    for path in words.isEmpty ? ["/tmp/safe-file", "/etc/safe-file"] : words {
        do {
            let file = try ByteWriter(await Descriptor.open(FilePath(path), for: .append, as: nobody))
            try await file.write("some data\n")
            try file.close()
            print("\(path): written")
        } catch { print("\(path): \(error)") }
    }
}
