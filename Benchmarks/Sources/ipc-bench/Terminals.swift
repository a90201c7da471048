// A line to `cat` on a terminal, and its line back.
import CBench
import Glibc
import IPC

enum Terminals {
    static func run(_ variant: String) throws {
        // As the floor has it: the child on the second CPU.
        let place = getenv("BENCH_CPUS").map { String(cString: $0).split(separator: ",").last ?? "0" }
        let command = place.map { Command("taskset", "-c", String($0), "cat") } ?? Command("cat")
        let rate = try EventLoop.run {
            try await command.withTerminal { session in
                var number = 0
                return try await Bench.rate {
                    number += 1
                    let line = "line \(number)"
                    try await session.send(line: line)
                    switch variant {
                    case "text": try await session.expect(.text(line + "\r\n"))
                    case "pattern":
                        let match = try await session.expect(.pattern(#"line (\d+)\r\n"#))
                        guard match.captures == [String(number)] else { exit(3) }
                    case "line": guard try await session.output.readLine() == line else { exit(3) }
                    case "deadline": try await session.expect(.text(line + "\r\n"), timeout: .seconds(10))
                    default: exit(64)
                    }
                }
            }
        }
        Bench.report(rate, "answers/s")
    }
}
