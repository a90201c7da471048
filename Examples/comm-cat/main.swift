// A filter that answers line by line. The manual, lines 444-452: require 'Comm.pl'; $ph = open_proc('cat -n').
//
//     comm-cat
//
// On a terminal programs do not keep their answers to themselves: this `tr`, which over pipes says nothing until its input
// ends (see open2-cat), answers at once.
import IPC

try EventLoop.run {
    try await Command("cat", "-n").withTerminal { cat in
        for _ in 1...10 {
            try await cat.send(line: "a line")
            print("got back \(try await cat.output.readLine(timeout: .seconds(5)) ?? "nothing")")
        }
    }
    try await Command("tr", "a-z", "A-Z").withTerminal { tr in
        try await tr.send(line: "stuff")
        print("got back \(try await tr.output.readLine(timeout: .seconds(5)) ?? "nothing")")
    }
}
