// A closure for a signal, which leaves things as they were. The manual, line 95: $SIG{INT} = sub { die "\nOutta here!\n" }.
//
//     outta-here           and then Ctrl-C
//
// The closure is no handler in C's sense: it starts programs and waits for them. It is called however busy all else is,
// has the terminal show again what is typed, removes the file, and ends the process by the signal that came.
import IPC

try EventLoop.run {
    let terminal = Command("stty").input(.inherit).error(.discard).inCallersGroup().unchecked()
    let file = try await Command("mktemp", "/tmp/outta-here-XXXXXX").read()

    @Sendable func cleanUp() async throws {
        try await terminal.adding("echo").run()
        try await Command("rm", file).run()
    }
    let outtaHere = try Signal.handle(.interrupt) { event in
        try? await cleanUp()
        try? await ByteWriter.standardError.write("\nOutta here!\n")
        event.signal.endProcess()
    }
    try await terminal.adding("-echo").run()
    try await ByteWriter.standardOutput.write("process \(ProcessID.current) has \(file) and takes a secret\n")
    _ = try await ByteReader.standardInput.readLine()
    outtaHere.end()
    try await cleanUp()
}
