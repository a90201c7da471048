// The tour's stops for sockets.
import IPC

extension Tour {
    static let server = TourStop("a server and a hundred clients") {
        let listener = try await Listener(on: .tcp("127.0.0.1", port: 0))
        let port = Port(listener.addresses[0].port ?? 0)
        let serving = Task(executorPreference: EventLoop.current) {
            try await listener.serve { client in
                for try await line in client.lines() { try await client.write(line.uppercased() + "\n") }
            }
        }
        let answers = try await withThrowingTaskGroup(of: String?.self) { group in
            for number in 1...100 {
                group.addTask {
                    let client = try await Connection(to: .tcp("127.0.0.1", port: port))
                    try await client.write("client \(number)\n")
                    return try await client.readLine()
                }
            }
            return try await group.reduce(into: Set<String>()) { if let answer = $1 { $0.insert(answer) } }
        }
        listener.close()
        try await serving.value
        try TourError.expect("the number of answers", answers.count, 100)
        return "each asked and was answered over a connection of its own"
    }

    static let unixSocket = TourStop("a file handed over a Unix socket") {
        try await inFolder { folder in
            let listener = try await Listener(on: .unix(folder.appending("sock")))
            defer { listener.close() }
            let client = try await Connection(to: .unix(folder.appending("sock")))
            let served = try await listener.accept()
            try await served.sendDescriptors([SentDescriptor(Descriptor.open("/etc/passwd", for: .read))])
            guard let file = try await client.receiveDescriptor() else { throw TourError(description: "no file came") }
            let line = try await ByteReader(file).readLine() ?? ""
            let who = try served.credentials
            try TourError.expect("who connected", who.processID, ProcessID.current)
            return "user \(who.userID) was handed /etc/passwd, open, and read: \(line)"
        }
    }

    static let datagrams = TourStop("messages without a connection") {
        let (one, other) = (try DatagramSocket(on: .udp(port: 0)), try DatagramSocket(on: .udp(port: 0)))
        for text in ["first", "", "third"] { try await one.send(Array(text.utf8), to: other.localAddress) }
        var seen: [String] = []
        for _ in 1...3 { seen.append(String(decoding: try await other.receive().bytes, as: UTF8.self)) }
        try TourError.expect("the messages", seen, ["first", "", "third"])
        return "three over UDP, each whole, the empty one too"
    }
}
