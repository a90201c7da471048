// A lock that is waited for within a limit, then a command. The manual, lines 137-143: flock with an alarm.
//
//     lock-wait [FILE [SECONDS]]
//
// No alarm can go off too late or in the wrong place: the limit is the wait's own. Status 75 says that it passed.
import Glibc
import IPC

do {
    try EventLoop.run {
        let words = CommandLine.arguments.dropFirst()
        let file = FilePath(words.first ?? "/tmp/lock-wait.lock")
        let limit = words.dropFirst().first.flatMap { Int($0) } ?? 10

        try await FileLock.exclusive(on: file, timeout: .seconds(limit)) {
            print("locked, on \(try await Command("date").read())")
        }
    }
} catch {
    print(error)
    exit(error is TimeoutError ? 75 : 71)
}
