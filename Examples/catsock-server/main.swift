// Greets over a Unix socket. The manual, lines 728-759: unlink($NAME), bind, listen, accept, spawn.
//
//     catsock-server [PATH]
//
// A socket that somebody still listens on is not taken away, nor is anything that is no socket of ours; and its own goes with it.
import IPC

let path = FilePath(CommandLine.arguments.dropFirst().first ?? "/tmp/catsock")

try EventLoop.run {
    do {
        try await Signal.cancelling(on: .interrupt, .terminate) {
            let listener = try await Listener(on: .unix(path))
            defer { listener.close() }
            print("server started on \(path)")
            try await listener.serve { client in
                let who = try client.credentials
                print("connection on \(path) from user \(who.userID)")
                try await client.write("Hello there, it's now \(try await Command("date").read())\n")
            }
        }
    } catch let end as SignalCancellationError {
        print("ended by \(end.event.signal)")
    } catch { print(error) }
}
