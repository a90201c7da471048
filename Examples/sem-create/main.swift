// A semaphore by key, made or found. The manual, lines 1187-1192: semget 1234 with IPC_CREAT.
//
//     sem-create [KEY]
//
// What the manual leaves open is said: whether it was made, whether it has the right size, whose it is if it is not ours.
import Glibc
import IPC

do {
    let key = CommandLine.arguments.dropFirst().first.flatMap { Int32($0) } ?? 1234
    let semaphore = try SystemV.SemaphoreSet(key: .number(key))
    print("\(semaphore.wasCreated ? "created" : "found") \(key), id \(semaphore.id)")
} catch {
    print(error)
    exit(71)
}
