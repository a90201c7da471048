// The stops of the tour, by chapter; each later chapter adds its own.
import IPC

enum Tour {
    static let chapters: [(name: String, stops: [TourStop])] = [
        ("Pipes", [pipe, brokenPipe]),
        ("Processes", [capture, twoWay, lines, failingStart, limits, grandchild, environment]),
        ("Processes together", [pipeline, conversation, shell, descriptors, lock, launch]),
        ("Signals", [signal, sender, values, held, cancelled]),
        ("FIFOs and messages", [fifo, signature, records, framing]),
        ("Terminals", [onTerminal, password, replay]),
        ("Sockets", [server, unixSocket, datagrams]),
        ("System V", [semaphore, queue, segment]),
        ("Shared memory", [variable, memory, priorities]),
    ]

    private static let pipe = TourStop("a pipe between two tasks") {
        let pipe = try AnonymousPipe()
        async let count = pipe.reader.forEachLine { _ in }
        for number in 1...10_000 { try await pipe.writer.write("line \(number)\n") }
        try pipe.writer.close()
        try TourError.expect("the number of lines", try await count, 10_000)
        return "10000 lines through a pipe of \(try pipe.capacity) bytes"
    }

    private static let brokenPipe = TourStop("writing to a reader that has left") {
        do {
            try await Command("true").withInput { writer in
                while true { try await writer.write([UInt8](repeating: 0, count: 65536)) }
            }
        } catch let error as CommandError {
            try TourError.expect("the error", error.kind, .inputNotTaken)
            return "an error, and no death by SIGPIPE: \(error)"
        }
        throw TourError(description: "writing to a program that has ended went on")
    }

    private static let capture = TourStop("a filter") {
        let sorted = try await Command("sort", "-n").input("10\n9\n8\n").read()
        try TourError.expect("the output of sort", sorted, "8\n9\n10")
        return "sort -n put 10, 9, 8 in order"
    }

    private static let twoWay = TourStop("a megabyte each way") {
        let sent = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let result = try await Command("cat").input(sent).capture()
        try TourError.expect("what came back", result.output.bytes == sent, true)
        return "1 MiB into cat and out again, at the same time"
    }

    private static let lines = TourStop("leaving a loop early") {
        var last = ""
        for try await line in Command("sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; done").lines() {
            last = line
            if last == "1000" { break }
        }
        try TourError.expect("the last line", last, "1000")
        return "1000 lines of an endless program, which is ended with the loop"
    }

    private static let failingStart = TourStop("a program that does not exist") {
        do { try await Command("no-such-program-anywhere").run() } catch let error as StartError {
            try TourError.expect("the kind of error", error.kind, .notFound)
            return "the start itself says so: \(error.kind) (\(error.errno.name))"
        }
        throw TourError(description: "a program that does not exist was started")
    }

    private static let limits = TourStop("a time limit") {
        let began = ContinuousClock.now
        do {
            try await Command("sh", "-c", "sleep 60 & sleep 60").run(timeout: .milliseconds(200))
        } catch is TimeoutError {
            let took = ContinuousClock.now - began
            if took > .seconds(2) { throw TourError(description: "the limit took \(took)") }
            return "two sleeps of a minute were ended after 200 ms, with the shell that had started them"
        }
        throw TourError(description: "the limit did not end the program")
    }

    private static let grandchild = TourStop("a process that is left behind") {
        let began = ContinuousClock.now
        let result = try await Command("sh", "-c", "sleep 60 & echo started; exit 3").unchecked().capture()
        try TourError.expect("the output", result.output.text, "started\n")
        try TourError.expect("the status", result.status, .exited(3))
        if ContinuousClock.now - began > .seconds(2) { throw TourError(description: "it was waited for") }
        return "it holds the pipe open, and nobody waits for it: \(result.status)"
    }

    private static let environment = TourStop("what a program gets") {
        // The shell itself looks, by name: a pipe or a listing would open more.
        let script = "echo $GREETING; for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo $n; done; :"
        let seen = try await Command("sh", "-c", script)
            .environment(.minimal.setting("GREETING", to: "a b; $(c)")).read()
        try TourError.expect("what the program saw", seen, "a b; $(c)\n0\n1\n2")
        return "its arguments and variables byte for byte, and the descriptors 0, 1 and 2"
    }

    private static let signal = TourStop("ending a program by a signal") {
        let child = try await Command("sleep", "60").start()
        try child.send(.terminate)
        let status = try await child.wait(timeout: .seconds(5))
        try TourError.expect("the status", status, .signalled(.terminate, coreDumped: false))
        return "sleep \(status)"
    }

    /// Runs a body with a folder of its own, which is removed afterwards.
    static func inFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
        let folder = FilePath(try await Command("mktemp", "-d").read())
        do {
            let result = try await body(folder)
            try await Command("rm", "-r", folder.string).run()
            return result
        } catch {
            _ = try? await Command("rm", "-r", folder.string).run()
            throw error
        }
    }
}
