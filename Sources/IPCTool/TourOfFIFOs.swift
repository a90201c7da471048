// The tour's stops for named pipes and messages.
import IPC

extension Tour {
    static let fifo = TourStop("a FIFO between two programs") {
        try await inFolder { folder in
            let fifo = try FIFO.make(at: folder.appending("fifo"))
            defer { try? fifo.remove() }
            async let writer = Command("sh", "-c", "echo hello from sh >\"$0\"", fifo.path.string).run()
            let line = try await fifo.openForReading().readLine()
            _ = try await writer
            try TourError.expect("the line", line, "hello from sh")
            return "sh opened it to write, we to read, each waiting for the other: \(line ?? "")"
        }
    }

    static let signature = TourStop("a file that each reader finds anew") {
        try await inFolder { folder in
            let path = folder.appending("signature")
            let server = Task {
                try await FIFO.serve(at: path) { try await Command("sh", "-c", "echo $$").capture().output.bytes }
            }
            while !FIFO.exists(at: path) { try await Command("true").run() }
            var seen: Set<String> = []
            for _ in 1...5 { seen.insert(try await Command("cat", path.string).read()) }
            server.cancel()
            _ = await server.result
            try TourError.expect("the number of signatures", seen.count, 5)
            return "five times cat, five signatures: \(seen.sorted().joined(separator: ", "))"
        }
    }

    static let records = TourStop("records of three writers on one FIFO") {
        try await inFolder { folder in
            let fifo = try FIFO.make(at: folder.appending("fifo"))
            defer { try? fifo.remove() }
            let reader = RecordReader(try await fifo.openForReading(staysOpen: true))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...3 {
                    group.addTask {
                        let records = RecordWriter(try await fifo.openForWriting())
                        for _ in 1...100 { try await records.send([UInt8](repeating: UInt8(number), count: 3000)) }
                    }
                }
                var ofWriter: [UInt64: Set<UInt8>] = [:]
                for _ in 1...300 {
                    guard let record = try await reader.receive() else { throw TourError(description: "an early end") }
                    ofWriter[record.writer, default: []].formUnion(record.bytes)
                }
                try await group.waitForAll()
                try TourError.expect("the writers", ofWriter.values.map(\.count), [1, 1, 1])
            }
            return "300 records of 3000 bytes, each whole and known by its writer"
        }
    }

    static let framing = TourStop("messages that are cut anywhere") {
        let framing = Framing.lengthPrefixed(by: UInt32.self)
        // dd cuts what goes through it into pieces of seven bytes.
        let seen = try await Command("dd", "obs=7", "status=none").withPipes { dd in
            for number in 1...3 { try await dd.standardInput.sendMessage("message \(number)", framedBy: framing) }
            try dd.standardInput.close()
            var seen: [String] = []
            for try await message in dd.standardOutput.messages(framedBy: framing) {
                seen.append(String(decoding: message, as: UTF8.self))
            }
            return seen
        }
        try TourError.expect("the messages", seen, ["message 1", "message 2", "message 3"])
        return "three messages went through dd in pieces of seven bytes, and came out as three"
    }
}
