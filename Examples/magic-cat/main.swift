// Files, commands and standard input as one input. The manual, lines 227-232: program f1 "cmd1|" - f2 "cmd2|" f3 < tmpfile.
//
//     magic-cat [--commands] [NAME...]
//
// "cmd1|" is the name of a file unless one asks for the magic. What is missing is told, and the rest is read.
import Glibc
import IPC

let status: Int32 = try EventLoop.run {
    var names = Array(CommandLine.arguments.dropFirst())
    let isMagic = names.first == "--commands"
    if isMagic { names.removeFirst() }

    let input = InputSequence(names, commands: isMagic ? .allowed : .never)
    for try await line in input.lines() { print("\(line.source), \(line.number): \(line.text)") }
    for failure in input.failures { print("not read: \(failure)") }
    return input.failures.isEmpty ? 0 : 1
}
exit(status)
