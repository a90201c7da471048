// Taking the semaphore. The manual, lines 1197-1216: wait for zero and increment, in one semop.
//
//     sem-take [KEY [SECONDS]]
//
// Not undone when this program ends, as in the manual: what is to be held by a program is taken with undo, which is the default.
import Glibc
import IPC

let words = CommandLine.arguments.dropFirst()
let key = words.first.flatMap { Int32($0) } ?? 1234
let limit = words.dropFirst().first.flatMap { Int($0) }.map { Duration.seconds($0) }

do {
    try EventLoop.run {
        let semaphore = try SystemV.SemaphoreSet(existing: .number(key))
        try await semaphore.take(undoOnExit: false, timeout: limit)
        print("taken \(key)")
    }
} catch {
    print(error)
    exit(error is TimeoutError ? 75 : 71)
}
