// ipc webget: the manual's client that fetches documents.
import ArgumentParser
import IPC

struct WebgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webget",
        abstract: "Fetch documents by HTTP/1.0, a connection for each.",
        discussion: """
            Prints all that the server sends, its header too. The status is 1 if one of the
            documents could not be fetched.

            Example: ipc webget localhost:8000 / /index.html
            """
    )

    @Option(help: ArgumentHelp("How long a document may take.", valueName: "seconds"))
    var timeout = Seconds(duration: .seconds(30))

    @Flag(help: "Print one JSON object.")
    var json = false

    @Argument(help: ArgumentHelp("The host, and its port if that is not 80.", valueName: "host[:port]"))
    var host: String

    @Argument(help: "The documents, each a path.")
    var documents: [String]

    func validate() throws {
        if documents.isEmpty { throw ValidationError("no document; say: ipc webget HOST[:PORT] DOCUMENT...") }
        try checkEndpoints([endpoint])
        if let bad = documents.first(where: { $0.contains { $0.isNewline || $0 == " " } }) {
            throw ValidationError("a document's name has no spaces or ends of lines: '\(bad)'")
        }
    }

    private var endpoint: String {
        let hasPort = host.last == "]" ? false : host.contains(":")
        return "tcp:" + host + (hasPort ? "" : ":http(80)")
    }

    func run() throws {
        try perform {
            let place = try Endpoint(endpoint)
            var shown: [FetchedDocument] = []
            if json {
                for document in documents { shown.append(await fetch(document, from: place)) }
            } else {
                shown = try await Progress.ofOutput {
                    var all: [FetchedDocument] = []
                    for document in documents { all.append(await fetch(document, from: place)) }
                    return all
                }
            }
            if json {
                try await printJSON(["documents": shown])
            } else {
                try ByteWriter.standardOutput.close()
            }
            return shown.allSatisfy { $0.message == nil } ? .success : .failure
        }
    }

    private func fetch(_ document: String, from place: Endpoint) async -> FetchedDocument {
        do {
            let deadline = Deadline(in: timeout.duration)
            let server = try await Connection(to: place, deadline: deadline)
            try await server.write("GET \(document) HTTP/1.0\r\nHost: \(host)\r\n\r\n", deadline: deadline)
            var all: [UInt8] = []
            while case let piece = try await server.read(upTo: 65536, deadline: deadline), !piece.isEmpty {
                if json { all += piece } else { try await ByteWriter.standardOutput.write(piece) }
                if all.count > 64 << 20 { throw ValidationError("more than 64 MiB") }
            }
            return FetchedDocument(document, JSONBytes(all), nil)
        } catch {
            await complain(error)
            return FetchedDocument(document, nil, "\(error)")
        }
    }
}

private struct FetchedDocument: Encodable {
    let document: String
    let text: String?
    let base64: String?
    let message: String?

    init(_ document: String, _ bytes: JSONBytes?, _ message: String?) {
        (self.document, text, base64, self.message) = (document, bytes?.text, bytes?.base64, message)
    }
}
