// 64 bytes there and back between two processes, both of which use the library.
import CBench
import Glibc
import IPC

struct Ends: Sendable {
    let reader: ByteReader
    let writer: ByteWriter

    /// Writes 64 bytes and reads 64.
    func exchange(_ message: [UInt8], _ answer: inout [UInt8]) async throws {
        try await writer.write(message)
        try await receive(&answer)
    }

    func receive(_ answer: inout [UInt8]) async throws {
        guard try await reader.read(into: &answer) == 64 else { exit(3) }
    }
}

enum PingPong {
    /// Over a TCP connection, both ends of which are a `Connection`; `spin` has it look for 50 us before it sleeps.
    static func tcp(_ variant: String) throws {
        var (a, b): (Int32, Int32) = (0, 0)
        guard bench_tcp_pair(&a, &b) == 0 else { exit(3) }
        let child = bench_fork()
        let isChild = child == 0
        close(isChild ? a : b)
        let connection = try Connection(Descriptor(adopting: isChild ? b : a))
        if variant == "spin" { connection.spin(for: .microseconds(50)) }
        let ends = Ends(reader: connection.input, writer: connection.output)
        let way = variant == "spin" ? "async" : variant
        if isChild {
            try serve(ends, way)
            _exit(0)
        }
        let rate = try measure(ends, way)
        bench_end(child)
        Bench.report(rate, "rt/s")
    }

    static func run(_ variant: String, overSockets: Bool) throws {
        var (a, b, c, d): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
        if overSockets {
            guard bench_socket_pair(&a, &b) == 0 else { exit(3) }
            (c, d) = (dup(b), dup(a))  // parent reads a and writes d, the child reads b and writes c
        } else {
            guard bench_pipe(&a, &c) == 0, bench_pipe(&b, &d) == 0 else { exit(3) }
        }
        let child = bench_fork()
        let isChild = child == 0
        close(isChild ? a : b)
        close(isChild ? d : c)
        let ends = Ends(
            reader: try ByteReader(Descriptor(adopting: isChild ? b : a)),
            writer: try ByteWriter(Descriptor(adopting: isChild ? c : d)))
        if isChild {
            try serve(ends, variant)
            _exit(0)
        }
        let rate = try measure(ends, variant)
        bench_end(child)
        Bench.report(rate, "rt/s")
    }

    static func serve(_ ends: Ends, _ variant: String) throws {
        if variant == "pool" { return onThePool { try await echo(ends) } }
        try EventLoop.run { try await echo(ends) }
    }

    static func echo(_ ends: Ends) async throws {
        var message = [UInt8](repeating: 0, count: 64)
        while true {
            let count = try await ends.reader.read(into: &message)
            if count == 0 { return }
            try await ends.writer.write(message)
        }
    }

    static func measure(_ ends: Ends, _ variant: String) throws -> Double {
        switch variant {
        case "async": return try EventLoop.run { try await rate { try await ends.exchange($0, &$1) } }
        case "deadline":
            return try EventLoop.run {
                try await rate { message, answer in
                    try await ends.writer.write(message, timeout: .seconds(10))
                    guard try await ends.reader.read(into: &answer, timeout: .seconds(10)) == 64 else { exit(3) }
                }
            }
        case "blocking": return try blockingRate(ends)
        case "pool":
            let box = Box()
            onThePool { box.value = try await rate { try await ends.exchange($0, &$1) } }
            return box.value
        default: exit(64)
        }
    }

    static func rate(_ exchange: ([UInt8], inout [UInt8]) async throws -> Void) async throws -> Double {
        let message = [UInt8](repeating: 7, count: 64)
        var answer = message
        for _ in 0..<1000 { try await exchange(message, &answer) }
        let start = bench_now()
        var (count, now) = (0, start)
        repeat {
            for _ in 0..<32 { try await exchange(message, &answer) }
            count += 32
            now = bench_now()
        } while now - start < Bench.seconds
        return Double(count) / (now - start)
    }

    /// One `EventLoop.run` for each round trip, as a synchronous program would call.
    static func blockingRate(_ ends: Ends) throws -> Double {
        let message = [UInt8](repeating: 7, count: 64)
        let once: @Sendable () async throws -> Void = {
            var answer = message
            try await ends.exchange(message, &answer)
        }
        for _ in 0..<100 { try EventLoop.run(once) }
        let start = bench_now()
        var (count, now) = (0, start)
        repeat {
            for _ in 0..<32 { try EventLoop.run(once) }
            count += 32
            now = bench_now()
        } while now - start < Bench.seconds
        return Double(count) / (now - start)
    }

    static func onThePool(_ body: @escaping @Sendable () async throws -> Void) {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        nonisolated(unsafe) let done = semaphore
        Task {
            try? await body()
            sem_post(done)
        }
        sem_wait(semaphore)
    }
}

final class Box: @unchecked Sendable {
    // Safe because it is read after the semaphore says that the writer is done.
    var value = 0.0
}
