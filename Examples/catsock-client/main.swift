// Prints what a Unix socket gives. The manual, lines 712-724: socket(SOCK, PF_UNIX, SOCK_STREAM, 0), connect, print.
//
//     catsock-client [PATH]
import Glibc
import IPC

let status: Int32 = try EventLoop.run {
    do {
        let server = try await Connection(
            to: .unix(FilePath(CommandLine.arguments.dropFirst().first ?? "/tmp/catsock")))
        for try await line in server.lines() { print(line) }
        return 0
    } catch {
        print(error)
        return 1
    }
}
exit(status)
