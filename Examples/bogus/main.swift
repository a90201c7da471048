// A command that does not exist. The manual, lines 257-259: open(FH, "|bogus"); print FH "bang\n"; close FH.
//
//     bogus
//
// There, a reader finds a quick end of file and a writer is killed by SIGPIPE. Here both learn it before they begin,
// and so does who does both. The fourth does exist, and ends without reading: that is an error as well, and no signal.
import IPC

try EventLoop.run {
    let bogus = Command("bogus")
    do { print(try await bogus.read()) } catch { print("reader: \(error)") }
    do { try await bogus.withInput { try await $0.write("bang\n") } } catch { print("writer: \(error)") }
    do { print(try await bogus.withPipes { try await $0.ask("bang") }) } catch { print("both: \(error)") }

    let deaf = Command("true")
    do {
        try await deaf.withInput { pipe in
            while true { try await pipe.write("bang\n") }
        }
    } catch { print("deaf: \(error)") }
}
