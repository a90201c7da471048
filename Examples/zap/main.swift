// A signal that ends the work as a thrown error. The manual, lines 29-35: sub catch_zap { $shucks++; die "... SIG$signame" }.
//
//     zap                  and then Ctrl-C, three times
//
// The catching is a loop in an ordinary task, free to count, write and throw; nothing is done in a handler. What was
// thrown says who sent it, and the process ends by the signal after all: the shell sees 130.
import IPC

struct Interrupted: Error { let event: SignalEvent }

do {
    try EventLoop.run {
        let interrupts = try Signal.stream(.interrupt)
        try await ByteWriter.standardOutput.write("process \(ProcessID.current) counts\n")

        var shucks = 0
        for await event in interrupts {
            shucks += event.count
            try await ByteWriter.standardOutput.write("\(shucks): somebody sent me a \(event)\n")
            if shucks >= 3 { throw Interrupted(event: event) }
        }
    }
} catch let error as Interrupted {
    error.event.signal.endProcess()
}
