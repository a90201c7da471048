// Reading from a command without a shell. The manual, lines 358-372: open(KID, "-|") and exec($program, @options, @args).
//
//     safe-backtick [ARGUMENT...]
//
// Every argument arrives as the one word that it is, whatever a shell would make of it.
import IPC

try EventLoop.run {
    let words = Array(CommandLine.arguments.dropFirst())
    let arguments = words.isEmpty ? ["$(date)", "`date`", "; date", "a  b", "*"] : words

    do {
        for try await line in Command("printf", arguments: ["<%s>\n"] + arguments).withoutNewPrivileges().lines() {
            print(line)
        }
    } catch let error as CommandError {
        print("kid \(error.status)")
    }
}
