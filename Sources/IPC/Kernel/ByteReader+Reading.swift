// How a reader gets its bytes: the call first, the wait after it, and what each outcome means.
import CIPC
import SystemPackage

extension ByteReader {
    func readBytes(_ count: Int, _ deadline: Deadline?) async throws -> [UInt8] {
        try await SharedDescriptor.beginCall("read", on: descriptor.subject)
        try begin("read")
        defer { end() }
        guard count > 0 else { return [] }
        if !buffer.isEmpty { return take(min(count, buffer.count)) }
        let room = min(count, 256 * 1024)
        while true {
            if !supply.isDrained {
                var result = 0
                let bytes = [UInt8](unsafeUninitializedCapacity: room) { space, used in
                    result = attempt(space.baseAddress, room)
                    used = max(0, result)
                }
                if try outcome(result, room) != nil {
                    if let last = bytes.last { lastTaken = last }
                    return bytes.compacted
                }
            }
            try await waitForMore(deadline)
        }
    }

    @inline(__always)
    func readBytes(into bytes: inout [UInt8], _ deadline: () -> Deadline?) async throws -> Int {
        try await SharedDescriptor.beginCall("read", on: descriptor.subject)
        try begin("read")
        defer { end() }
        if let count = try readAtOnce(into: &bytes) { return count }
        let deadline = deadline()
        while true {
            try await waitForMore(deadline)
            if let count = try readAtOnce(into: &bytes) { return count }
        }
    }

    /// What is there, without waiting; `nil` if there is nothing yet.
    @inline(__always)
    private func readAtOnce(into bytes: inout [UInt8]) throws(SystemError) -> Int? {
        let room = bytes.count
        guard buffer.isEmpty, room > 0 else { return moveFront(into: &bytes) }
        guard !supply.isDrained else { return nil }
        let count = try outcome(bytes.withUnsafeMutableBytes { attempt($0.baseAddress, room) }, room)
        if let count, count > 0 { lastTaken = bytes[count - 1] }
        return count
    }

    private func moveFront(into bytes: inout [UInt8]) -> Int {
        let count = min(bytes.count, buffer.count)
        let front = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count])
        bytes.withUnsafeMutableBytes { $0.copyMemory(from: front) }
        drop(count)
        return count
    }

    func readEverything(_ limit: Int, _ deadline: Deadline?) async throws -> [UInt8] {
        try await SharedDescriptor.beginCall("read", on: descriptor.subject)
        try begin("read")
        defer { end() }
        repeat {
            guard buffer.count <= limit else {
                throw ReadError(.limitExceeded, subject: descriptor.subject, line: 0, offset: limit)
            }
        } while try await refill(deadline)
        return take(buffer.count)
    }

    func waitForBytes(_ deadline: Deadline?) async throws {
        try begin("wait")
        defer { end() }
        if buffer.isEmpty { try await descriptor.wait(.reading, deadline: deadline, "wait") }
        supply.isDrained = false
    }

    /// Adds what is there to the buffer, waiting if there is nothing; `false` at the end.
    func refill(_ deadline: Deadline?) async throws -> Bool {
        try await SharedDescriptor.beginCall("read", on: descriptor.subject, deadline: deadline)
        while true {
            if !supply.isDrained {
                let space = buffer.room(preferredRoom)
                let room = min(space.count, ByteReader.mostAtOnce)
                let result = attempt(space.baseAddress, room)
                if let count = try outcome(result, room) {
                    buffer.filled(count)
                    return count > 0
                }
            }
            try await waitForMore(deadline)
        }
    }

    /// Reads into the buffer whatever comes while nobody else reads; until the end, the task's cancellation, or a limit.
    ///
    /// - Throws: ``ReadError`` with `limitExceeded`, `CancellationError`, ``SystemError``.
    func absorb() async throws {
        while true {
            try await Deadline.$ambient.withValue(nil) {
                try await descriptor.waitAlone(.reading, nil, "read")
            }
            if ipc_task_is_cancelled() != 0 { throw CancellationError() }
            // Somebody reads, and is about to take what is there.
            guard (try? begin("read", as: .absorber)) != nil else {
                if descriptor.isClosed { return }
                await EventLoop.letOthersRun()
                continue
            }
            defer { end() }
            guard buffer.count < absorptionLimit || dropsExcess else {
                throw ReadError(.limitExceeded, subject: descriptor.subject, line: 0, offset: absorptionLimit)
            }
            let space = buffer.room(64 * 1024)
            guard let count = try outcome(attempt(space.baseAddress, space.count), space.count) else { continue }
            buffer.filled(count)
            if dropsExcess { dropExcess() }
            supply.isDrained = false
            if count == 0 { return }
        }
    }

    /// No call reads more, so that none keeps its thread for long where the source is faster than any pipe.
    private static let mostAtOnce = 1 << 20

    /// Little for a socket with short messages, of which a server has many; much for what flows.
    private var preferredRoom: Int {
        switch descriptor.transfer {
        case .socket: supply.isFlowing || buffer.count >= 4096 ? 64 * 1024 : 4096
        default: 64 * 1024
        }
    }

    /// Takes bytes from the front of the buffer.
    func take(_ count: Int) -> [UInt8] {
        let bytes = [UInt8](buffer.bytes[..<count])
        drop(count)
        return bytes
    }

    @inline(__always)
    func drop(_ count: Int) {
        if count > 0 { lastTaken = buffer.bytes[count - 1] }
        buffer.consume(count)
        searched = max(0, searched - count)
    }

    /// One call, without waiting: the count, or the error number negated.
    @inline(__always)
    private func attempt(_ address: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        guard let address else { return 0 }
        // Asked before the read: of what was written between the two, only a later one knows that it was the last.
        supply.isLast = descriptor.endsWhenEmpty
        let count = supply.isLast ? supply.allowance(count, of: descriptor) : count
        guard count > 0 else { return 0 }
        let result = descriptor.transfer.read(descriptor.number, address, count)
        if supply.isLast { supply.took(result) }
        if let tap, result > 0 { tap(UnsafeRawBufferPointer(start: address, count: result)) }
        return result
    }

    /// Adds what is there to the buffer, without waiting: whether something came, `nil` at the end.
    func refillAtOnce() throws(SystemError) -> Bool? {
        let space = buffer.room(64 * 1024)
        guard let count = try outcome(attempt(space.baseAddress, space.count), space.count) else { return false }
        buffer.filled(count)
        return count > 0 ? true : nil
    }

    /// Drops the oldest bytes beyond the limit.
    func dropExcess() {
        let excess = buffer.count - absorptionLimit
        guard excess > 0 else { return }
        drop(excess)
        dropped += excess
        lastTaken = 0
    }

    /// The count that was read, `nil` if there is nothing yet.
    @inline(__always)
    private func outcome(_ result: Int, _ room: Int) throws(SystemError) -> Int? {
        if result >= 0 {
            supply.gave(result, of: room, over: descriptor.transfer)
            return result
        }
        let error = Errno(rawValue: Int32(-result))
        guard error == .wouldBlock else {
            if error == .connectionReset, descriptor.endsWhenReset { return 0 }
            throw SystemError("read", on: descriptor.subject, error)
        }
        supply.hadNothing()
        return supply.isLast ? 0 : nil
    }

    @inline(__always)
    private func waitForMore(_ deadline: Deadline?) async throws {
        let wasDrained = supply.isDrained
        supply.isDrained = false
        if supply.isFlowing, descriptor.transfer.isWorthYielding, EventLoop.current?.ready.isEmpty ?? true {
            // The writer is in the middle of something. One turn of the processor, and its pipe is full, which costs
            // both sides far less than a sleep and a wake for each of its writes.
            supply.isFlowing = false
            ipc_yield_processor()
            return
        }
        if wasDrained, descriptor.endsWhenEmpty { return }
        // A server's clients are many, and most of them say nothing most of the time.
        if case .socket = descriptor.transfer { buffer.release() }
        try await descriptor.wait(.reading, deadline: deadline, "read")
    }
}

/// What the last reads say of the next one.
struct Supply {
    /// The next read would most likely find nothing: wait first.
    var isDrained = false
    /// The last read brought so much that whoever writes is probably not done.
    var isFlowing = false
    /// When the last read was made, nobody whom we wait for could write any more: if it found nothing, that was the end.
    var isLast = false
    private var wasFull = false
    /// What was in the pipe when its writers that count had gone; whatever others add is not waited for.
    private var remaining: Int?
    /// Reads that fill their room have lately been the last ones: so many more are taken to be so without trying.
    private var patience = 0

    @inline(__always)
    mutating func gave(_ count: Int, of room: Int, over transfer: Transfer) {
        wasFull = count == room
        isFlowing = count >= 4096
        if !wasFull {
            isDrained = count > 0 && transfer.isDrainedByShortRead
        } else if patience > 0 {
            patience -= 1
            isDrained = transfer.isDrainedByShortRead
        }
    }

    mutating func allowance(_ wanted: Int, of descriptor: SharedDescriptor) -> Int {
        let left = remaining ?? descriptor.bytesAtItsEnd
        remaining = left
        return min(left, wanted)
    }

    mutating func took(_ count: Int) { remaining = remaining.map { $0 - max(0, count) } }

    @inline(__always)
    mutating func hadNothing() {
        if wasFull { patience = 64 }
        wasFull = false
    }
}

extension SharedDescriptor {
    /// How much may be in the pipe now. What a terminal holds is not told: more than it can hold is not waited for.
    fileprivate var bytesAtItsEnd: Int {
        if case .terminal = transfer { return 128 * 1024 }
        return max(0, Int(ipc_bytes_readable(number)))
    }
}

extension Transfer {
    /// After a short read there was nothing left, so that the next thing to do is to wait. Wrong only if something has
    /// come since, and then the wait ends at once.
    @inline(__always)
    var isDrainedByShortRead: Bool {
        switch self {
        case .pipe, .socket: true
        // What a terminal has is handed over in pieces, by a thread of the kernel's.
        case .terminal: false
        // A FIFO opened anew after its last writer has left is at its end, and no event ever says so: only a read does.
        case .nonblocking, .immediate, .blocking: false
        }
    }

    @inline(__always)
    var isWorthYielding: Bool {
        switch self {
        case .pipe, .nonblocking: true
        case .socket, .terminal, .immediate, .blocking: false
        }
    }
}
