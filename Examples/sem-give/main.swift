// Giving the semaphore. The manual, lines 1221-1236: decrement, so that whoever waits for zero goes on.
//
//     sem-give [KEY]
//
// Giving what nobody has taken is an error at once; the manual's semop would wait for somebody to take it.
import Glibc
import IPC

do {
    let key = CommandLine.arguments.dropFirst().first.flatMap { Int32($0) } ?? 1234
    let semaphore = try SystemV.SemaphoreSet(existing: .number(key))
    try semaphore.give(undoOnExit: false)
    print("given \(key)")
} catch {
    print(error)
    exit(71)
}
