// Five commands for whoever connects. The manual, lines 1061-1095: while ($client = $server->accept()) { ... who, cookie, motd ... }.
//
//     command-server [PORT]
//
// Many clients at a time, each for ten silent minutes at most; no shell, no name that has to be looked up, no client that ends it.
import IPC

func answer(_ line: String) async throws -> String {
    let commands = [
        ("date", Command("date")), ("time", Command("date")), ("who", Command("who")),
        ("cookie", Command("fortune", "-s")),
        ("motd", Command("cat", "/etc/motd")),
    ]
    guard let command = commands.first(where: { line.lowercased().contains($0.0) })?.1 else {
        return "Commands: quit date who cookie motd\n"
    }
    do { return try await command.mergingError().unchecked().capture(timeout: .seconds(10)).output.text } catch {
        return "\(error)\n"
    }
}

try EventLoop.run {
    do {
        try await Signal.cancelling(on: .interrupt, .terminate) {
            let server = try await Listener(on: .tcp(port: Port(CommandLine.arguments.dropFirst().first ?? "9000")))
            print("[Server accepting clients on \(server.addresses[0])]")
            try await server.serve(limits: ServerLimits(clients: 100, idle: .seconds(600))) { client in
                try await client.write("Welcome to command-server; type help for command list.\nCommand? ")
                for try await line in client.lines(limit: 1000) {
                    if ["quit", "exit"].contains(where: line.lowercased().contains) { return }
                    let text = line.contains { !$0.isWhitespace } ? try await answer(line) : ""
                    try await client.write(text + "Command? ")
                }
            }
        }
    } catch let end as SignalCancellationError { print("ended by \(end.event.signal)") } catch { print(error) }
}
