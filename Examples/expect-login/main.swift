// Logging in for a person. The manual, lines 454-458: "the Comm library also has expect() and interact() functions".
//
//     expect-login [PROGRAM ARGUMENT...]        the password is in PASSWORD
//
// The password is typed only while the terminal does not show it, and is in no error, no recording and no list of processes.
import Glibc
import IPC

let login = #"printf 'login: '; read u; stty -echo; printf 'Password: '; read p; stty echo; echo; echo "Welcome, $u.""#

let status: Int32 = try EventLoop.run {
    let words = CommandLine.arguments.dropFirst()
    let command = words.first.map { Command($0, arguments: Array(words.dropFirst())) } ?? Command("sh", "-c", login)
    let password = (try? Secret(takingFromEnvironment: "PASSWORD")) ?? Secret("swordfish")
    do {
        return try await command.withTerminal(echo: true, timeout: .seconds(30)) { session in
            try await session.expect("login: ")
            try await session.send(line: "camel")
            try await session.expect(.pattern("(?i)password: *"))
            try await session.send(line: password)
            let seen = try await session.expect(.pattern(#"(?i)welcome, (?<user>\w+)"#), "incorrect")
            print(seen.index == 0 ? "logged in as \(seen["user"] ?? "?")" : "refused")
            return Int32(seen.index)
        }
    } catch let error as TimeoutError {
        print("\(error); it said: \(String(decoding: error.output, as: UTF8.self))")
        return 2
    } catch let error as TerminalError {
        print(error)
        return 2
    }
}
exit(status)
