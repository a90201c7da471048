// Greets whoever connects. The manual, lines 527-562: socket, setsockopt, bind, listen, accept in a loop.
//
//     tcp-server [PORT]
//
// The name of a client is not looked up: a slow name server would hold up the next one. INT and TERM end it in order.
import IPC

let port = Port(CommandLine.arguments.dropFirst().first ?? "2345")

try EventLoop.run {
    do {
        try await Signal.cancelling(on: .interrupt, .terminate) {
            let listener = try await Listener(on: .tcp("*", port: port))
            print("server started on \(listener.addresses[0])")
            try await listener.serve { client in
                print("connection from \(client.peer)")
                let now = try await Command("date").read()
                try await client.write("Hello there, \(client.peer.host ?? "?"), it's now \(now)\n")
            }
        }
    } catch let end as SignalCancellationError {
        print("ended by \(end.event.signal)")
    } catch { print(error) }
}
