// What time is it there? The manual, lines 795-803: IO::Socket::INET->new(PeerPort => "daytime(13)"), print while <$remote>.
//
//     daytime [HOST [PORT]]
import Glibc
import IPC

let words = CommandLine.arguments.dropFirst()
let port = Port(words.dropFirst().first ?? "daytime(13)")

let status: Int32 = try EventLoop.run {
    do {
        let remote = try await Connection(to: .tcp(words.first ?? "localhost", port: port), timeout: .seconds(10))
        for try await line in remote.lines(timeout: .seconds(10)) { print(line) }
        return 0
    } catch {
        print("cannot connect to daytime port: \(error)")
        return 1
    }
}
exit(status)
