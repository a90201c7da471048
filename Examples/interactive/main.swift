// Talks with a server. The manual, lines 944-995: fork, and each of the twins copies one way; kill("TERM", $kidpid).
//
//     interactive HOST PORT
//
// One process and two tasks. The end of the input ends our direction alone; the server's end ends all. What comes is shown at once,
// also without the end of a line.
import Glibc
import IPC

let words = CommandLine.arguments
let status: Int32 = try EventLoop.run {
    guard words.count == 3 else {
        print("usage: interactive HOST PORT")
        return 64
    }
    do {
        let server = try await Connection(to: .tcp(words[1], port: Port(words[2])), timeout: .seconds(10))
        try await ByteWriter.standardError.write("[Connected to \(server.peer)]\n")
        try await server.join(reading: .standardInput, writing: .standardOutput)
        return 0
    } catch {
        print(error)
        return 1
    }
}
exit(status)
