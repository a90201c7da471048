// ipc sockets: who listens where.
import ArgumentParser
import IPC

struct SocketsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sockets",
        abstract: "Show who listens where.",
        discussion: """
            Processes of other users are known to root alone.

            Example: ipc sockets --tcp
            """
    )

    @Flag(help: "TCP alone.")
    var tcp = false

    @Flag(help: "UDP alone.")
    var udp = false

    @Flag(help: "Unix sockets alone.")
    var unix = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        try perform {
            let all = !tcp && !udp && !unix
            let records = try SocketTable.listening().filter {
                all || $0.family == "tcp" && tcp || $0.family == "udp" && udp || $0.family == "unix" && unix
            }
            let shown = records.map(ShownSocket.init)
            if json {
                try await printJSON(["sockets": shown])
            } else {
                try await ByteWriter.standardOutput.write(shown.map(\.line).joined())
                try ByteWriter.standardOutput.close()
            }
            return .success
        }
    }
}

private struct ShownSocket: Encodable {
    struct Holder: Encodable {
        let pid: Int32
        let name: String
    }

    let family: String
    let kind: String
    let place: String
    let uid: UInt32?
    let processes: [Holder]

    init(_ record: SocketRecord) {
        (family, kind, place, uid) = (record.family, "\(record.kind)", record.place, record.userID)
        processes = record.processes.map { process in
            Holder(pid: process.rawValue, name: (try? ProcessRecord(of: process).name) ?? "?")
        }
    }

    var line: String {
        let who = processes.map { "\($0.pid) \($0.name)" }.joined(separator: ", ")
        let what = family + (kind == "stream" || family != "unix" ? "" : " \(kind)")
        let text = what.padded(to: 16) + place.padded(to: 40) + who
        // A path can hold whatever its maker liked.
        return String(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : Character($0) }) + "\n"
    }
}

extension String {
    /// With spaces at the end, at least one.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
