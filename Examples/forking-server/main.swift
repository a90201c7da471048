// A program for each client. The manual, lines 569-643: fork, open(STDIN, "<&Client"), open(STDOUT, ">&Client"), exec 'fortune'.
//
//     forking-server [PORT [PROGRAM ARGUMENT...]]
//
// The client is the program's input and output, and it has nothing else of ours; no child is a zombie, and no accept is cut short.
import IPC

let words = Array(CommandLine.arguments.dropFirst())
let program = words.dropFirst().first ?? "sh"
let arguments = words.count > 2 ? Array(words[2...]) : ["-c", "echo \"Hello there, it's now $(date)\""]

try EventLoop.run {
    do {
        try await Signal.cancelling(on: .interrupt, .terminate) {
            let listener = try await Listener(on: .tcp(port: Port(words.first ?? "2345")))
            print("server started on \(listener.addresses[0])")
            let limits = ServerLimits(clients: 64, stop: .seconds(2))
            try await listener.serve(command: Command(program, arguments: arguments), limits: limits)
        }
    } catch let end as SignalCancellationError {
        print("ended by \(end.event.signal)")
    } catch { print(error) }
}
