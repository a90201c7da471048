// Connects and prints what comes. The manual, lines 497-518: socket, connect, while (defined($line = <SOCK>)) { print $line }.
//
//     tcp-client [HOST [PORT]]
//
// All addresses of the host are tried, and the error says of each why it was not it.
import Glibc
import IPC

let words = CommandLine.arguments.dropFirst()
let endpoint = Endpoint.tcp(words.first ?? "localhost", port: Port(words.dropFirst().first ?? "2345"))

let status: Int32 = try EventLoop.run {
    do {
        let server = try await Connection(to: endpoint, timeout: .seconds(10))
        for try await line in server.lines() { print(line) }
        return 0
    } catch {
        print(error)
        return 1
    }
}
exit(status)
