// Messages over a Unix stream socket: a kind, bytes of any number, descriptors.
import CIPC
import Synchronization
import SystemPackage

/// One message.
struct SocketMessage: Sendable {
    var kind: UInt8
    var bytes: [UInt8]
    var descriptors: [SentDescriptor.Holder] = []
}

/// One end of a stream socket over which whole messages go. One task sends at a time, and one receives.
///
/// Before the bytes of a message stands a head of sixteen: `IPCM`, the kind, a zero, the number of descriptors in two bytes,
/// the number of bytes in eight, each with the lowest byte first. The descriptors come with the first byte of the head.
final class MessageSocket: Sendable {
    let descriptor: SharedDescriptor
    private static let mark = Array("IPCM".utf8)
    private static let headSize = 16

    init(_ socket: consuming Descriptor, subject: String) {
        descriptor = SharedDescriptor(socket, .socket, subject: subject)
    }

    /// Two ends: one for us, a bare one to hand on.
    static func pair(subject: String) throws(SystemError) -> (MessageSocket, DescriptorBox) {
        var (first, second): (Int32, Int32) = (-1, -1)
        try SystemCall.perform("socketpair", on: subject) { ipc_stream_socket_pair(&first, &second) }
        let one: Descriptor
        do { one = try Descriptor(fresh: first, "socketpair", on: subject) } catch {
            _ = ipc_close(second)
            throw error
        }
        let own = MessageSocket(one, subject: subject)
        return (own, DescriptorBox(try Descriptor(fresh: second, "socketpair", on: subject)))
    }

    // MARK: Sending

    /// A message on its way: what of it is not sent yet.
    struct Sending: Sendable {
        let message: SocketMessage
        fileprivate var head: [UInt8]
        fileprivate var sent = 0

        init(_ message: SocketMessage) {
            self.message = message
            head = MessageSocket.mark + [message.kind, 0]
            let number = message.descriptors.count
            head += [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]
            head += (0..<8).map { UInt8(truncatingIfNeeded: message.bytes.count >> ($0 * 8)) }
        }
    }

    /// Sends all of a message, waiting for room.
    ///
    /// - Throws: ``SystemError``, with `EPIPE` if the other end is gone; ``TimeoutError``; `CancellationError`.
    func send(_ message: SocketMessage, deadline: Deadline? = nil) async throws {
        var sending = Sending(message)
        try await finish(&sending, deadline: deadline)
    }

    func finish(_ sending: inout Sending, deadline: Deadline? = nil) async throws {
        guard descriptor.enter() else { throw descriptor.closedError("send") }
        defer { descriptor.leave() }
        while try !sendAtOnce(&sending) { try await descriptor.wait(.writing, deadline: deadline, "send") }
    }

    /// Sends what goes without waiting; whether that is the rest.
    func sendAtOnce(_ sending: inout Sending) throws -> Bool {
        let total = MessageSocket.headSize + sending.message.bytes.count
        while sending.sent < total {
            let result = sending.sent < MessageSocket.headSize ? try sendHead(sending) : sendBytes(sending)
            if result == -Int(Errno.wouldBlock.rawValue) { return false }
            guard result >= 0 else {
                throw SystemError("send", on: descriptor.subject, Errno(rawValue: Int32(-result)))
            }
            sending.sent += result
        }
        return true
    }

    private func sendHead(_ sending: Sending) throws -> Int {
        // The numbers must stay ours during the call: whoever takes a descriptor out meanwhile waits for the lock.
        let holders = sending.sent == 0 ? sending.message.descriptors : []
        return try withNumbers(of: holders[...], []) { numbers in
            let rest = sending.head[sending.sent...]
            return SystemCall.retrying {
                rest.withUnsafeBytes { bytes in
                    guard let base = bytes.baseAddress else { return 0 }
                    return ipc_send_descriptors(
                        descriptor.number, base, bytes.count, numbers, Int32(numbers.count), nil)
                }
            }
        }
    }

    private func withNumbers(
        of holders: ArraySlice<SentDescriptor.Holder>, _ numbers: [Int32], _ body: ([Int32]) -> Int
    ) throws -> Int {
        guard let holder = holders.first else { return body(numbers) }
        // A value that holds the same descriptor twice has one holder, whose lock is taken once.
        return try holder.descriptor.withLock { held in
            let number = held?.withRawDescriptor { $0 }
            guard let number else { throw SystemError("send", on: "sent descriptor", .badFileDescriptor) }
            return try withNumbers(of: holders.dropFirst(), numbers + [number], body)
        }
    }

    private func sendBytes(_ sending: Sending) -> Int {
        SystemCall.retrying {
            sending.message.bytes.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return 0 }
                let done = sending.sent - MessageSocket.headSize
                return ipc_send(descriptor.number, base + done, bytes.count - done)
            }
        }
    }

    // MARK: Receiving

    /// Receives a message; `nil` if the other end is gone before its last byte.
    ///
    /// Memory is taken for what comes, not for what the head says will come.
    ///
    /// - Throws: ``SystemError``, with `EBADMSG` for what is no message and `EMSGSIZE` for more bytes or descriptors than
    ///   allowed; ``TimeoutError``; `CancellationError`.
    func receive(limit: Int, descriptors most: Int, deadline: Deadline? = nil) async throws -> SocketMessage? {
        guard descriptor.enter() else { throw descriptor.closedError("receive") }
        defer { descriptor.leave() }
        var head: [UInt8] = []
        var holders: [SentDescriptor.Holder] = []
        while head.count < MessageSocket.headSize {
            guard let count = try await receiveHead(&head, &holders, most, deadline), count > 0 else { return nil }
        }
        let number = Int(head[6]) | Int(head[7]) << 8
        let size = (0..<8).reduce(UInt64(0)) { $0 | UInt64(head[8 + $1]) << (8 * $1) }
        guard Array(head[..<4]) == MessageSocket.mark, head[5] == 0, number == holders.count else {
            throw SystemError("receive", on: descriptor.subject, .badMessage)
        }
        guard size <= UInt64(limit) else { throw SystemError("receive", on: descriptor.subject, .messageTooLong) }
        guard let bytes = try await receiveBytes(Int(size), deadline) else { return nil }
        return SocketMessage(kind: head[4], bytes: bytes, descriptors: holders)
    }

    private func receiveHead(
        _ head: inout [UInt8], _ holders: inout [SentDescriptor.Holder], _ most: Int, _ deadline: Deadline?
    ) async throws -> Int? {
        let wanted = MessageSocket.headSize - head.count
        let capacity = Int32(clamping: most - holders.count)
        while true {
            var numbers = [Int32](repeating: -1, count: Int(capacity))
            var came: Int32 = 0
            var room = [UInt8](repeating: 0, count: wanted)
            // Before the call: what was sent between the two is still to be had.
            let isLast = descriptor.endsWhenEmpty
            let result = SystemCall.retrying {
                room.withUnsafeMutableBytes { room in
                    guard let base = room.baseAddress else { return 0 }
                    return ipc_receive_descriptors(descriptor.number, base, room.count, &numbers, capacity, &came)
                }
            }
            if let count = try outcome(result) {
                holders += try MessageSocket.adopt(numbers[..<Int(came)])
                head += room[..<count]
                return count
            }
            if isLast { return nil }
            try await descriptor.wait(.reading, deadline: deadline, "receive")
        }
    }

    private static func adopt(_ numbers: ArraySlice<Int32>) throws -> [SentDescriptor.Holder] {
        var failure: (any Error)?
        let holders = numbers.compactMap { number -> SentDescriptor.Holder? in
            do { return SentDescriptor.Holder(try Descriptor(fresh: number, "receive", on: "descriptor")) } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        return holders
    }

    private static let mostAtOnce = 256 * 1024

    private func receiveBytes(_ size: Int, _ deadline: Deadline?) async throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < size {
            let room = min(size - bytes.count, MessageSocket.mostAtOnce)
            let isLast = descriptor.endsWhenEmpty
            var result = 0
            let piece = [UInt8](unsafeUninitializedCapacity: room) { space, used in
                result = SystemCall.retrying { ipc_receive(descriptor.number, space.baseAddress, room) }
                used = max(0, result)
            }
            if let count = try outcome(result) {
                guard count > 0 else { return nil }
                bytes += piece
            } else {
                if isLast { return nil }
                try await descriptor.wait(.reading, deadline: deadline, "receive")
            }
        }
        return bytes
    }

    /// The count, 0 at the end, `nil` if there is nothing yet.
    private func outcome(_ result: Int) throws -> Int? {
        if result >= 0 { return result }
        let error = Errno(rawValue: Int32(-result))
        if error == .wouldBlock { return nil }
        // The other end went with something of ours unread.
        if error == .connectionReset { return 0 }
        throw SystemError("receive", on: descriptor.subject, error)
    }
}
