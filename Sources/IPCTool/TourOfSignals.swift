// The tour's stops for signals: events with their sender, held ones, a body that is cancelled.
import IPC

extension Tour {
    static let sender = TourStop("a signal and who sent it") {
        let stream = try Signal.stream(.user1)
        let script = "kill -s USR1 \(ProcessID.current); exec cat"
        let child = try await Command("sh", "-c", script).input(.pipe).start()
        let event = try await stream.next(timeout: .seconds(5))
        try TourError.expect("the sender", event.sender, child.processID)
        stream.end()
        try child.standardInput?.close()
        try TourError.expect("the end of the sender", try await child.wait(), .exited(0))
        return "\(event)"
    }

    static let values = TourStop("real-time signals with values") {
        guard let signal = Signal.realTime(1) else { throw TourError(description: "there are no real-time signals") }
        let stream = try Signal.stream(signal)
        for value in 1...5 { try ProcessID.current.send(signal, value: value) }
        var seen: [Int?] = []
        for await event in stream {
            seen.append(event.value)
            if seen.count == 5 { break }
        }
        try TourError.expect("the values", seen, [1, 2, 3, 4, 5])
        return "five of \(signal) in order, each with its value"
    }

    static let held = TourStop("a signal that is held, and one that is ignored") {
        let stream = try Signal.stream(.hangup)
        try await Signal.ignoring(.hangup) { try ProcessID.current.send(.hangup) }
        try await Signal.holding(.hangup) {
            for _ in 1...3 { try ProcessID.current.send(.hangup) }
        }
        try TourError.expect("what arrived", try await stream.next(timeout: .seconds(5)).signal, .hangup)
        do { _ = try await stream.next(timeout: .milliseconds(20)) } catch is TimeoutError {
            return "three that were held arrived as one, the ignored one never"
        }
        throw TourError(description: "a second one arrived")
    }

    static let cancelled = TourStop("Ctrl-C for a part of the program") {
        do {
            try await Signal.cancelling(on: .interrupt, .terminate) {
                try ProcessID.current.send(.interrupt)
                try await Command("sleep", "60").run()
            }
        } catch let error as SignalCancellationError {
            try TourError.expect("the signal", error.event.signal, .interrupt)
            return "\(error); the sleep of a minute was ended with it"
        }
        throw TourError(description: "nothing was cancelled")
    }
}
