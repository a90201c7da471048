// Both ways with another process. The manual, lines 427-432: open2(\*Reader, \*Writer, "cat -u -n").
//
//     open2-cat
//
// "Unix buffering is really going to ruin your day": a program that keeps its answer in a buffer is an error that says
// so, within a limit, and not a day of waiting. On a terminal, lines 444-452, it does not buffer.
import IPC

try EventLoop.run {
    let answer = try await Command("cat", "-u", "-n").withPipes { cat in try await cat.ask("stuff") }
    print("got \(answer)")

    do {
        try await Command("tr", "a-z", "A-Z").withPipes { tr in
            print("got \(try await tr.ask("stuff", timeout: .milliseconds(500)))")
        }
    } catch let error as NoAnswerError {
        print(error)
    }

    // As it says: on a terminal the same program answers.
    try await Command("tr", "a-z", "A-Z").withTerminal { tr in
        try await tr.send(line: "stuff")
        print("got \(try await tr.expect(.pattern(#"(.+)\r\n"#), timeout: .seconds(5)).captures[0] ?? "")")
    }
}
