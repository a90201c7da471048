// ipc tour: a real exchange between real processes for each chapter, checked.
import ArgumentParser
import IPC

struct TourCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tour",
        abstract: "See each chapter at work, in real exchanges.",
        discussion: "Every stop checks what came back; the status is 1 if one fails.\n\nExample: ipc tour --json"
    )

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        try perform { try await visit() ? .success : .failure }
    }

    private func visit() async throws -> Bool {
        var report = TourReport()
        for chapter in Tour.chapters {
            if !json { try await say("\(chapter.name)\n") }
            for stop in chapter.stops {
                let visited = await visit(stop, of: chapter.name)
                report.stops.append(visited)
                if !json { try await say(visited.line) }
            }
        }
        report.isWell = report.stops.allSatisfy { $0.failure == nil }
        if json {
            try await printJSON(report)
        } else {
            let failed = report.stops.count { $0.failure != nil }
            try await say("\n\(report.stops.count) stops, \(failed == 0 ? "all well" : "\(failed) failed")\n")
            try ByteWriter.standardOutput.close()
        }
        return report.isWell
    }

    private func visit(_ stop: TourStop, of chapter: String) async -> TourReport.Stop {
        let began = ContinuousClock.now
        do {
            let deadline = Deadline(in: .seconds(20))
            let seen = try await deadline.run { try await stop.visit() }
            return TourReport.Stop(chapter: chapter, name: stop.name, seen: seen, seconds: (.now - began).seconds)
        } catch {
            return TourReport.Stop(
                chapter: chapter, name: stop.name, failure: "\(error)", seconds: (.now - began).seconds)
        }
    }

    private func say(_ text: String) async throws { try await ByteWriter.standardOutput.write(text) }
}

/// One exchange: its name, and what it does and gives back for people to see; it throws if something is not as it should be.
struct TourStop: Sendable {
    let name: String
    let visit: @Sendable () async throws -> String

    init(_ name: String, _ visit: @escaping @Sendable () async throws -> String) {
        self.name = name
        self.visit = visit
    }
}

/// What was seen on the way.
struct TourReport: Encodable {
    struct Stop: Encodable {
        let chapter: String
        let name: String
        var seen: String?
        var failure: String?
        let seconds: Double

        var line: String {
            let mark = Look.text(
                failure == nil ? "ok  " : "FAIL", in: failure == nil ? .green : .red, on: .standardOutput)
            let time = "\((seconds * 10_000).rounded() / 10) ms"
            return "  \(mark) \(name): \(seen ?? failure ?? "") [\(time)]\n"
        }
    }

    var stops: [Stop] = []
    var isWell = true
}

/// Something on the tour that is not as it should be.
struct TourError: Error, CustomStringConvertible {
    let description: String

    /// Fails the stop unless both are the same.
    static func expect<Value: Equatable>(_ what: String, _ seen: Value, _ expected: Value) throws {
        if seen != expected { throw TourError(description: "\(what) is \(seen), not \(expected)") }
    }
}
