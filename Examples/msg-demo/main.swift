// A message queue: one message, by type, to itself. Today's perlipc: msgget, msgsnd, msgrcv.
//
//     msg-demo [KEY]
//
// Messages are bytes with a type, no pack and unpack; one that is too large is an error on either side, and nothing is lost.
import Glibc
import IPC

let key = CommandLine.arguments.dropFirst().first.flatMap { Int32($0) }

do {
    try EventLoop.run {
        let queue = try SystemV.MessageQueue(key: key.map { .number($0) } ?? .private)
        defer { try? queue.remove() }

        try await queue.send("message", type: 1234)
        let message = try await queue.receive(.type(1234), timeout: .seconds(5))
        print("\(message.type) \(message.text)")
    }
} catch {
    print(error)
    exit(71)
}
