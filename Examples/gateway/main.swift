// A front that checks and logs before a private server. The manual, lines 772-776: "a CGI front end ... a private database server".
//
//     gateway [PORT PATH]
//
// TCP clients of this machine are joined with a Unix server that nobody else can reach, each way to its own end.
import IPC

let words = CommandLine.arguments + ["2345", "/tmp/catsock"]

try EventLoop.run {
    do {
        try await Signal.cancelling(on: .interrupt, .terminate) {
            let listener = try await Listener(on: .tcp("127.0.0.1", port: Port(words[1])))
            print("gateway on \(listener.addresses[0])")
            try await listener.serve(limits: ServerLimits(clients: 100, idle: .seconds(60))) { client in
                guard let question = try await client.readLine(limit: 1000), question.hasPrefix("get ") else {
                    print("\(client.peer): refused")
                    return try await client.write("only questions that begin with 'get '\n")
                }
                let server = try await Connection(to: .unix(FilePath(words[2])), timeout: .seconds(5))
                try await server.write(question + "\n")
                let bytes = try await client.join(server)
                print("\(client.peer): \(question), \(bytes.sent) bytes")
            }
        }
    } catch let end as SignalCancellationError {
        print("ended by \(end.event.signal)")
    } catch { print(error) }
}
