// A command's whole output, filtered. The manual, lines 237-238: print grep { !/^(tcp|udp)/ } `netstat -an 2>&1`.
//
//     backticks [COMMAND [ARGUMENT...]]
//
// The words go to the program as they are, no shell reads them; output, standard error and status come together.
import Glibc
import IPC

let status = try EventLoop.run {
    let words = CommandLine.arguments.dropFirst()
    let standing = Command("cat", "/proc/net/protocols")
    let command = words.first.map { Command($0, arguments: Array(words.dropFirst())) } ?? standing

    let result = try await command.mergingError().unchecked().capture()
    for line in result.output.text.split(separator: "\n") where !line.starts(with: /(tcp|udp)/.ignoresCase()) {
        print(line)
    }
    if !result.status.isSuccess { print("bad \(command): \(result.status)") }
    return result.status.shellStatus
}
exit(status)
