// Reading from a command line by line. The manual, lines 215-221: open(STATUS, "netstat -an 2>&1 |").
//
//     status-reader
//
// A command that does not exist is told from one that says nothing, and one that fails throws after its last line.
import IPC

try EventLoop.run {
    for status in [Command("netstat", "-an"), Command("ss", "-an"), Command("cat", "/proc/net/unix")] {
        do {
            for try await line in status.mergingError().lines() {
                if line.hasPrefix("tcp") || line.hasPrefix("udp") { continue }
                print(line)
            }
            break
        } catch let error as StartError where error.kind == .notFound {
            print(error)
        }
    }
}
