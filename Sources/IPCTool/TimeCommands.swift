// ipc rtime, daytime and udp-time: what time it is on other machines, as the manual asks them.
import ArgumentParser
import IPC

struct TimeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Another port than the service's own.", valueName: "port"))
    var port: String?

    @Option(help: ArgumentHelp("So long all of it may take.", valueName: "seconds"))
    var timeout = Seconds(duration: .seconds(10))

    @Flag(help: "Print one JSON object.")
    var json = false

    @Argument(help: "The hosts.")
    var hosts: [String]

    func validate() throws {
        if hosts.isEmpty { throw ValidationError("no host") }
        if let port { do { _ = try Port(port).number() } catch { throw ValidationError("\(error)") } }
    }

    /// All hosts at once, under one limit; their lines in the order of the hosts.
    func ask(_ ask: @escaping @Sendable (String, Deadline) async throws -> TimeAnswer) async throws -> ExitCode {
        let deadline = Deadline(in: timeout.duration)
        let tasks = hosts.map { host in
            Task(executorPreference: EventLoop.current) {
                do { return try await ask(host, deadline) } catch { return TimeAnswer(host: host, message: "\(error)") }
            }
        }
        var answers: [TimeAnswer] = []
        for task in tasks { answers.append(await task.value) }
        return try await report(answers)
    }

    func report(_ answers: [TimeAnswer]) async throws -> ExitCode {
        if json {
            try await printJSON(["answers": answers])
        } else {
            for answer in answers {
                if let message = answer.message {
                    await complain(TimeFailure(description: "\(answer.host): \(message)"))
                } else {
                    try await ByteWriter.standardOutput.write(answer.line)
                }
            }
            try ByteWriter.standardOutput.close()
        }
        return answers.allSatisfy { $0.message == nil } ? .success : .failure
    }
}

private struct TimeFailure: Error, CustomStringConvertible { let description: String }

/// What a host has said.
struct TimeAnswer: Encodable, Sendable {
    let host: String
    /// How much its clock is ahead of ours, in seconds.
    var offset: Int?
    /// Its time, in words.
    var time: String?
    var message: String?

    init(host: String, message: String? = nil) { (self.host, self.message) = (host, message) }

    init(host: String, time: String) {
        self.host = host
        self.time = time
    }

    /// A time of RFC 868: seconds since 1900 in 32 bits, which begin again in 2036.
    init(host: String, seconds bytes: [UInt8]) {
        self.host = host
        let now = SystemClock.seconds
        let since1900 = bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) } - 2_208_988_800
        // The era that is nearest to ours.
        let era = Int64(1) << 32
        let distance = (since1900 - now) % era
        let offset = distance > era / 2 ? distance - era : distance < -era / 2 ? distance + era : distance
        self.offset = Int(offset)
        time = SystemClock.text(now + offset)
    }

    var line: String {
        guard let offset else { return (host.padded(to: 25)) + (time ?? "") + "\n" }
        let number = String(offset)
        return host.padded(to: 25) + String(repeating: " ", count: max(0, 8 - number.count)) + number
            + " \(time ?? "")\n"
    }
}

struct RtimeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rtime",
        abstract: "Ask TCP time services how far their clocks differ.",
        discussion:
            "The status is 1 if one did not answer.\n\nExample: ipc rtime --timeout 5 localhost time.example.org"
    )

    @OptionGroup var options: TimeOptions

    func run() throws {
        let port = Port(options.port ?? "time(37)")
        try perform {
            try await options.ask { host, deadline in
                let server = try await Connection(to: .tcp(host, port: port), deadline: deadline)
                // Four bytes, and then the end; what is shorter or longer is no time.
                let bytes = try await deadline.run { try await server.readAll(limit: 64) }
                guard bytes.count == 4 else { throw TimeFailure(description: "\(bytes.count) bytes instead of four") }
                return TimeAnswer(host: host, seconds: bytes)
            }
        }
    }
}

struct DaytimeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daytime",
        abstract: "Ask the daytime service of hosts what time it is.",
        discussion: "The status is 1 if one did not answer.\n\nExample: ipc daytime localhost"
    )

    @OptionGroup var options: TimeOptions

    func run() throws {
        let port = Port(options.port ?? "daytime(13)")
        try perform {
            try await options.ask { host, deadline in
                let server = try await Connection(to: .tcp(host, port: port), deadline: deadline)
                let bytes = try await deadline.run { try await server.readAll(limit: 4096) }
                let text = String(decoding: bytes, as: UTF8.self).unicodeScalars.filter {
                    $0.value >= 32 && $0.value != 127
                }
                return TimeAnswer(host: host, time: String(String.UnicodeScalarView(text)))
            }
        }
    }
}

struct UDPTimeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "udp-time",
        abstract: "Ask UDP time services how far their clocks differ.",
        discussion: """
            Each host is asked again every second until it answers or the limit passes.
            Answers from elsewhere, of another length or a second time do not count. The
            status is 1 if one did not answer.

            Example: ipc udp-time --timeout 5 localhost 192.0.2.1
            """
    )

    @OptionGroup var options: TimeOptions

    func run() throws {
        let port = Port(options.port ?? "time(37)")
        try perform {
            try await options.ask { host, deadline in
                // A socket for each host: the kernel keeps others' answers away, and says whose refusal it is.
                let socket = try await DatagramSocket(connectedTo: .udp(host, port: port))
                defer { socket.close() }
                while true {
                    do {
                        try await socket.send([0])
                        let pause = min(deadline.remaining, .seconds(1))
                        while case let answer = try await socket.receive(timeout: pause) {
                            if answer.bytes.count == 4 { return TimeAnswer(host: host, seconds: answer.bytes) }
                        }
                    } catch let error as TimeoutError {
                        if deadline.hasPassed { throw TimeFailure(description: "no answer; \(error)") }
                    }
                }
            }
        }
    }
}
