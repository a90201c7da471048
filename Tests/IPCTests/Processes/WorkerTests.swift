// The same program as a child: jobs done in a process of their own, and what comes back.
import Glibc
import IPC
import Testing

@Suite(.guarded)
struct WorkerTests {
    @Test("S-34: a request goes out and a reply comes back, wherever the caller runs", arguments: Place.allCases)
    func echo(_ place: Place) async throws {
        try await place.run {
            let shape = Describe.Shape.named("cube", corners: ["a": 1, "b": 2])
            let reply = try await Describe.perform(shape, timeout: .seconds(20))
            #expect(reply.shape == shape)
            #expect(reply.note == nil)
            #expect(reply.process != getpid())
            #expect(try await Describe.perform(.nothing).shape == .nothing)
        }
    }

    @Test("S-34: 16 MB go both ways", arguments: Place.allCases)
    func large(_ place: Place) async throws {
        let bytes = floodedBytes(16_000_000)
        expectSame(try await place.run { try await Echo.perform(bytes, timeout: .seconds(50)) }, bytes)
        #expect(try await Echo.perform([]) == [])
    }

    @Test("S-34: twenty workers at once")
    func many() async throws {
        let replies = try await withThrowingTaskGroup(of: Int32.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let reply = try await Describe.perform(.circle(radius: Double(number)), timeout: .seconds(50))
                    #expect(reply.shape == .circle(radius: Double(number)))
                    return reply.process
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(replies).count == 20)
    }

    @Test("D10: a worker is a program of its own, in which concurrency and children work as anywhere")
    func concurrency() async throws {
        #expect(try await AddUp.perform(100, timeout: .seconds(20)) == 100 + 4950)
    }

    @Test("S-34: an error that the type has named arrives as it was thrown, any other as its text")
    func errors() async throws {
        let failure = Fail.Failure(code: 7, why: "no reason")
        await #expect(throws: failure) { try await Fail.perform(failure) }
        let error = try await #require(throws: WorkerError.self) { try await Fail.perform(nil) }
        #expect(error.kind == .failed)
        #expect(error.status == nil)
        #expect("\(error)" == "worker Fail: failed: the other error, in words")
    }

    @Test(
        "S-34: a worker that ends without a reply is an error with its status",
        arguments: [
            (Misbehave.Way.exit(3), IPC.ExitStatus.exited(3)), (.exit(0), .exited(0)),
            (.signal(SIGKILL), .signalled(.kill, coreDumped: false)),
        ])
    func ends(_ way: Misbehave.Way, _ status: IPC.ExitStatus) async throws {
        let error = try await #require(throws: WorkerError.self) { try await Misbehave.perform(way) }
        #expect(error.kind == .ended)
        #expect(error.status == status)
        #expect("\(error)" == "worker Misbehave: \(status) without a reply")
    }

    @Test("S-34: a worker that crashes is an error, and takes nobody with it", .disabled(if: Sanitizer.catchesFaults))
    func crash() async throws {
        let error = try await #require(throws: WorkerError.self) {
            try await Misbehave.perform(.crash) { $0.error(.discard).limit(.coreFile, to: 0) }
        }
        #expect(error.kind == .ended)
        guard case .signalled = error.status else { return #expect(Bool(false), "\(error)") }
    }

    @Test("S-34: a worker that talks nonsense gives an error, and one that closes its socket")
    func nonsense() async throws {
        let nonsense = try await #require(throws: WorkerError.self) {
            try await Misbehave.perform(.talkNonsense, timeout: .seconds(20), grace: .milliseconds(50))
        }
        #expect(nonsense.kind == .invalidReply)
        // The thread that watches the socket notices it, unless it is waiting on it at that moment.
        do {
            _ = try await Misbehave.perform(.closeSocket, timeout: .milliseconds(300))
            Issue.record("a reply without a socket")
        } catch let error as WorkerError {
            #expect(error.kind == .ended)
        } catch { #expect(error is TimeoutError) }
    }

    @Test("S-34: a reply that is larger than the type allows is an error, as is one that does not come to its end")
    func limit() async throws {
        #expect(try await Short.perform(90).count == 90)
        let error = try await #require(throws: WorkerError.self) { try await Short.perform(200) }
        #expect(error.kind == .invalidReply)
    }

    @Test("S-34: a request that the worker cannot read is refused, with the reason")
    func refused() async throws {
        let error = try await #require(throws: WorkerError.self) { try await Picky.perform(Picky.Request(number: 13)) }
        #expect(error.kind == .refused)
        #expect(error.message.contains("unlucky"))
    }

    @Test("S-34: a type that no other process finds by its name is told before anything starts")
    func local() async throws {
        struct Inside: Worker {
            static func run(_ request: Int) async throws -> Int { request }
        }
        let error = try await #require(throws: WorkerError.self) { try await Inside.perform(5) }
        #expect(error.kind == .unknown)
        await #expect(throws: WorkerError.self) { try await Hidden.perform(5) }
        #expect(try await Generic<[String]>.perform(["a"]) == ["a"])
        #expect(try await Misbehave.Inner.perform(5) == 5)
    }
}

private struct Hidden: Worker {
    static func run(_ request: Int) async throws -> Int { request }
}

extension Misbehave {
    struct Inner: Worker {
        static func run(_ request: Int) async throws -> Int { request }
    }
}

struct Short: Worker {
    static var replyLimit: Int { 100 }
    static func run(_ request: Int) async throws -> [UInt8] { [UInt8](repeating: 1, count: request) }
}

struct Generic<Value: Codable & Sendable>: Worker {
    static func run(_ request: Value) async throws -> Value { request }
}

struct Picky: Worker {
    struct Request: Codable, Sendable {
        struct Unlucky: Error {}
        var number: Int

        init(number: Int) { self.number = number }

        init(from decoder: any Decoder) throws {
            number = try decoder.singleValueContainer().decode(Int.self)
            if number == 13 {
                throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "unlucky"))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(number)
        }
    }

    static func run(_ request: Request) async throws -> Int { request.number }
}
