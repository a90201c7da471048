// Starting a program for a person, who takes over. The manual, lines 454-458: interact().
//
//     interact [PROGRAM ARGUMENT...]        to be run on a terminal; Ctrl-] ends it
//
// The person's terminal has its modes back in the end, also when this program is killed by a signal or crashes.
import IPC

try EventLoop.run {
    let words = CommandLine.arguments.dropFirst()
    let command = words.first.map { Command($0, arguments: Array(words.dropFirst())) } ?? Command("sh")
    do {
        try await command.withTerminal { session in
            try await session.send(line: "echo $((6 * 7))")
            try await session.expect("42", timeout: .seconds(5))
            print("it works; now you (Ctrl-] ends it)")
            let end = try await session.interact()
            print("\r\n\(end == .escaped ? "you left it" : "it \(try await session.wait())")")
        }
    } catch { print(error) }
}
