// Writing to a pipeline, and what became of each stage. The manual, lines 207-211: open(SPOOLER, "| cat -v | lpr -h").
//
//     echo stuff | spooler [PRINTER]
//
// A printer that does not exist is an error before anything is written, and one that leaves early is no SIGPIPE.
import Glibc
import IPC

let status = try EventLoop.run {
    let printer = CommandLine.arguments.dropFirst().first ?? "cat"
    let spooler = Command("cat", "-v").piped(to: Command(printer).error(.discard))

    do {
        let result = try await spooler.unchecked().withInput { pipe in
            try await pipe.write(ByteReader.standardInput.readAll(limit: 1 << 20))
        }
        for stage in result.stages { print("\(stage.position). \(stage.name): \(stage.status)") }
        return result.status.shellStatus
    } catch {
        print("bad spool: \(error)")
        return 1
    }
}
exit(status)
