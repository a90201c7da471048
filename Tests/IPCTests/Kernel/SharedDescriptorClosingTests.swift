// Closing under a wait: the wait ends with ECANCELED, and whoever gets the number next hears nothing of the former owner.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct SharedDescriptorClosingTests {
    /// Who closes, seen from the one who waits.
    enum Closer: String, CaseIterable, Sendable {
        case sameThread
        case otherThread

        func close(_ body: @escaping @Sendable () throws -> Void) async throws {
            switch self {
            case .sameThread: try body()
            case .otherThread: try await OwnThread.other.run(body)
            }
        }
    }

    @Test(arguments: Place.allCases, Closer.allCases)
    func closeWakesAWaitingReader(_ place: Place, _ closer: Closer) async throws {
        let pipe = try AnonymousPipe()
        let error = try await place.run {
            async let error = failure { _ = try await pipe.reader.read(upTo: 1, timeout: .seconds(1_000)) }
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            try await closer.close { pipe.reader.close() }
            return await error as? SystemError
        }
        #expect(error == SystemError("read", on: "pipe", .canceled))
    }

    @Test(arguments: Place.allCases, Closer.allCases)
    func closeWakesAWaitingWriterAndThoseInTheQueueBehindIt(_ place: Place, _ closer: Closer) async throws {
        let pipe = try AnonymousPipe(capacity: 4096)
        let errors = try await place.run {
            async let first = failure { try await pipe.writer.write([UInt8](repeating: 1, count: 5_000)) }
            try await untilSomeoneWaits(on: pipe.writer.descriptor, for: .writing)
            async let second = failure { try await pipe.writer.write("x") }
            async let third = failure { try await pipe.writer.write("y") }
            for _ in 0..<5 { await Task.yield() }
            try await closer.close { try pipe.writer.close() }
            return await [first, second, third].map { $0 as? SystemError }
        }
        #expect(errors.map { $0?.errno } == [.canceled, .canceled, .canceled])
        #expect(errors.map { $0?.transferred } == [4096, 0, 0])
    }

    @Test(arguments: Place.allCases, Closer.allCases)
    func closeWakesWhoWaitsUntilReadable(_ place: Place, _ closer: Closer) async throws {
        let pipe = try AnonymousPipe()
        let error = try await place.run {
            async let error = failure { try await pipe.reader.waitUntilReadable() }
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            try await closer.close { pipe.reader.close() }
            return await error as? SystemError
        }
        #expect(error == SystemError("wait", on: "pipe", .canceled))
    }

    @Test func aCloseThatTheLoopHasNotHeardOfYetIsACloseToTheNextWait() async throws {
        // Watched for writing, closed by another thread, and then waited for in the other direction: the kernel no longer
        // knows the registration that the loop would change.
        var (near, far): (Int32, Int32) = (-1, -1)
        try #require(ipc_socket_pair(1, &near, &far) == 0)
        defer { close(far) }
        let shared = SharedDescriptor(try Descriptor(adopting: near), .socket, subject: "socket")
        let reason = try await runOnLoop {
            let bytes = [UInt8](repeating: 0, count: 1 << 20)
            while shared.transfer.write(shared.number, bytes, bytes.count) > 0 {}
            #expect(shared.enter())
            defer { shared.leave() }
            async let writing = failure { try await shared.wait(.writing, deadline: nil, "write") }
            try await untilSomeoneWaits(on: shared, for: .writing)
            // Not suspended between here and the wait, so that the message of the close is still on its way.
            blockingOnAnotherThread { shared.close() }
            let reason = try await #require(EventLoop.current).wait(.reading, on: shared, deadline: nil)
            _ = await writing
            return reason
        }
        #expect(reason.isClosed)
    }

    // MARK: The number's next owner

    /// How the file that was open lives on although its descriptor is closed, so that the kernel goes on reporting it.
    enum Survival: String, CaseIterable, Sendable {
        case duplicate
        case child
    }

    @Test(arguments: Survival.allCases, Closer.allCases)
    func theNextOwnerOfANumberIsNotWokenByTheFormersEvents(_ survival: Survival, _ closer: Closer) async throws {
        let (file, former) = try await makeReader()
        let duplicate = survival == .duplicate ? ipc_duplicate(former.number, 100) : -1
        let child =
            survival == .child ? try ForeignProcess(testChild: "sleep", "1000", input: former.number) : nil
        let (error, cost) = try await runOnLoop {
            async let byte = failure { _ = try await former.read(upTo: 1) }
            try await untilSomeoneWaits(on: former.descriptor)
            try await closer.close { former.close() }
            _ = await byte
            try await file.write("for nobody")
            let next = try AnonymousPipe()
            #expect([next.reader.number, next.writer.number].contains(former.number))
            let begin = processorTime()
            let error = await failure { _ = try await next.reader.read(upTo: 1, timeout: .milliseconds(40)) }
            return (error, processorTime() - begin)
        }
        #expect(error is TimeoutError)
        #expect(cost < .milliseconds(20), "a loop that is told of the former owner's bytes never sleeps")
        if duplicate >= 0 { _ = ipc_close(duplicate) }
        try await child?.end()
    }

    @Test func bytesNobodyWaitsForDoNotKeepTheLoopAwake() async throws {
        let (pipe, idle) = (try AnonymousPipe(), try AnonymousPipe())
        let cost = try await runOnLoop {
            _ = await failure { _ = try await pipe.reader.read(upTo: 1, timeout: .milliseconds(1)) }
            try await pipe.writer.write("unread")
            try await idle.writer.write([UInt8](repeating: 0, count: 65_536))
            let begin = processorTime()
            _ = await failure { try await idle.writer.write("x", timeout: .milliseconds(40)) }
            return processorTime() - begin
        }
        #expect(cost < .milliseconds(20))
    }

    private func makeReader() async throws -> (ByteWriter, ByteReader) {
        let pipe = try AnonymousPipe()
        return (pipe.writer, pipe.reader)
    }
}

extension ByteReader {
    fileprivate var number: Int32 { descriptor.number }
}

extension ByteWriter {
    fileprivate var number: Int32 { descriptor.number }
}

/// The processor time that the current thread has used.
func processorTime() -> Duration {
    let fields = Folder.text(of: "/proc/thread-self/schedstat")?.split(separator: " ")
    return .nanoseconds(fields?.first.flatMap { Int64($0) } ?? 0)
}
