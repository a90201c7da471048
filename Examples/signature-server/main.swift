// A file that is different each time it is read. The manual, lines 181-197: a .signature that is a FIFO, and sleep 2.
//
//     signature-server [PATH [PROGRAM ARGUMENT...]]      cat /tmp/signature
//
// Each reader gets one whole signature, without a pause between them; one that leaves early ends nothing. A FIFO that somebody
// removes is back at once. Ctrl-C and SIGTERM end the server, and the FIFO goes with it; without arguments so does a minute.
import IPC

let words = Array(CommandLine.arguments.dropFirst())
let path = FilePath(words.first ?? "/tmp/signature")
let program = words.count > 1 ? Command(words[1], arguments: Array(words[2...])) : Command("date")

try EventLoop.run {
    do {
        try await Signal.cancelling(on: .interrupt, .terminate) {
            try await Deadline(in: words.isEmpty ? .seconds(60) : .seconds(1_000_000)).run {
                try await FIFO.serve(at: path) { try await program.unchecked().capture().output.bytes }
            }
        }
    } catch let error as SignalCancellationError {
        print("ended by \(error.event.signal)")
    } catch {
        print(error)
    }
}
