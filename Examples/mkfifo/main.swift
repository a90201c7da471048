// A named pipe with exactly the mode that was asked for. The manual, lines 160-167: mknod, mkfifo and a PATH to find them by.
//
//     mkfifo [PATH [MODE]]
//
// It is one call, and no other program's. The umask takes nothing off, and what is there already is an error and stays.
import Glibc
import IPC

do {
    let words = CommandLine.arguments.dropFirst()
    let path = FilePath(words.first ?? "/tmp/mkfifo-example")
    let mode = words.dropFirst().first.flatMap { UInt32($0, radix: 8) } ?? 0o600

    let fifo = try FIFO.make(at: path, permissions: FilePermissions(rawValue: mode))
    print("made \(path)")
    if words.isEmpty { try fifo.remove() }
} catch {
    print(error)
    exit(71)
}
