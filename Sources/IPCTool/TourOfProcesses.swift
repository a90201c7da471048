// The stops of the tour where several programs take part, or one that is talked with.
import IPC

extension Tour {
    static let pipeline = TourStop("three programs and a function in a pipeline") {
        let pipeline = Command("seq", "1", "1000")
            .piped(through: "double") { input, output in
                for try await line in input.lines() { try await output.write("\((Int(line) ?? 0) * 2)\n") }
            }
            .piped(to: Command("sort", "-rn")).piped(to: Command("head", "-n", "1"))
        let result = try await pipeline.capture()
        try TourError.expect("the largest", result.output.text, "2000\n")
        return "\(pipeline): \(result.stages.count) stages, all well"
    }

    static let conversation = TourStop("questions and answers") {
        let answers = try await Command("cat", "-u", "-n").withPipes { cat in
            [try await cat.ask("stuff"), try await cat.ask("more")]
        }
        try TourError.expect("the answers", answers, ["     1\tstuff", "     2\tmore"])
        let filter = Command("awk", "{ print toupper($0) }")
        do {
            _ = try await filter.unchecked().withPipes { filter in
                try await filter.ask("anybody there", timeout: .milliseconds(100))
            }
        } catch let error as NoAnswerError {
            try TourError.expect("the reason", error.kind, .timedOut)
            return "cat -u answers; awk does not: it keeps its answer in a buffer, and the error says so"
        }
        return "cat -u answers, and so does this awk"
    }

    static let shell = TourStop("a value that a shell shall not read") {
        let hostile = "$(echo broken); 'quoted' \\ `echo broken`"
        let seen = try await Command.shell("printf '%s|' \(hostile) | tr a-z A-Z").read()
        try TourError.expect("what the shell saw", seen, hostile.uppercased() + "|")
        return "one word to the shell, whatever is in it"
    }

    static let descriptors = TourStop("descriptors by number") {
        let pipe = try AnonymousPipe()
        try await Command("sh", "-c", "echo over seven >&7").passing(pipe.writer, as: 7).run()
        try pipe.writer.close()
        try TourError.expect("what came", try await pipe.reader.readLine(), "over seven")
        return "the program wrote to its descriptor 7, which is our pipe"
    }

    static let lock = TourStop("a lock on a file") {
        try await inFolder { folder in
            let file = folder.appending("lock")
            do {
                try await FileLock.exclusive(on: file) {
                    try await FileLock.exclusive(on: file, timeout: .milliseconds(50)) {}
                }
            } catch is TimeoutError {
                return "who holds it keeps others out, and they do not wait longer than they want to"
            }
            throw TourError(description: "two had the lock at once")
        }
    }

    static let launch = TourStop("a program on its own") {
        let child = try await Command("sleep", "60").launch()
        let record = try ProcessRecord(of: child.processID)
        try TourError.expect("its terminal", record.terminal, nil)
        if record.session?.rawValue == child.processID.rawValue { throw TourError(description: "it leads its session") }
        try TourError.expect("its end", await child.end(), .signalled(.terminate, coreDumped: false))
        return "in a session of its own that it does not lead, without a terminal"
    }
}
