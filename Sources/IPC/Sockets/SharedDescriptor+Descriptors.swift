// Sending descriptors over a Unix socket, of whatever kind it is.
import CIPC
import Synchronization
import SystemPackage

extension SharedDescriptor {
    /// Sends bytes, and descriptors with the first of them; how many bytes the kernel took.
    ///
    /// - Throws: ``SystemError``, ``TimeoutError``, `CancellationError`. Nothing was sent then.
    func send(
        _ bytes: [UInt8], with sent: [SentDescriptor], to address: SocketAddress? = nil, _ deadline: Deadline?
    ) async throws -> Int {
        // Held by duplicates, so that nobody takes one out of its value under the call.
        let held = try sent.map { value in
            try value.holder.descriptor.withLock { held in
                guard let copy = try held?.duplicate() else {
                    throw SystemError("send", on: "sent descriptor", .badFileDescriptor)
                }
                return DescriptorBox(copy)
            }
        }
        guard enter() else { throw closedError("send") }
        defer { leave() }
        let numbers = held.map(\.number)
        // They are open for as long as this lives, which the compiler would end at its last use.
        defer { withExtendedLifetime(held) {} }
        while true {
            let result = SystemCall.retrying {
                bytes.withUnsafeBytes { all in
                    let count = Int32(numbers.count)
                    guard let address else {
                        return ipc_send_descriptors(number, all.baseAddress, all.count, numbers, count, nil)
                    }
                    return address.withKernels {
                        ipc_send_descriptors(number, all.baseAddress, all.count, numbers, count, $0)
                    }
                }
            }
            if result >= 0 { return result }
            let errno = Errno(rawValue: Int32(-result))
            guard errno == .wouldBlock else { throw SystemError("send", on: subject, errno) }
            try await wait(.writing, deadline: deadline, "send")
        }
    }
    /// Receives a message whole, and the descriptors that came with it.
    ///
    /// Its size is larger than the limit if it was; the bytes are those that there was room for then.
    func receiveMessage(limit: Int, descriptors most: Int, _ deadline: Deadline?) async throws -> WholeMessage {
        guard enter() else { throw closedError("receive") }
        defer { leave() }
        let room = max(1, limit)
        var numbers = [Int32](repeating: -1, count: most)
        while true {
            var (came, result): (Int32, Int) = (0, 0)
            var from = ipc_address()
            let bytes = [UInt8](unsafeUninitializedCapacity: room) { space, used in
                result = SystemCall.retrying {
                    space.baseAddress.map {
                        ipc_receive_message(number, $0, room, &numbers, Int32(most), &came, &from)
                    } ?? 0
                }
                used = max(0, min(result, room))
            }
            if result >= 0 {
                let descriptors = try numbers[..<Int(came)].map {
                    SentDescriptor(try Descriptor(fresh: $0, "receive", on: subject))
                }
                return WholeMessage(
                    bytes: bytes.compacted, size: result, from: SocketAddress(from), descriptors: descriptors)
            }
            let errno = Errno(rawValue: Int32(-result))
            guard errno == .wouldBlock else { throw SystemError("receive", on: subject, errno) }
            try await wait(.reading, deadline: deadline, "receive")
        }
    }
}

/// A message of a socket that keeps boundaries.
struct WholeMessage {
    let bytes: [UInt8]
    /// The size that it had, which may be more than there was room for.
    let size: Int
    let from: SocketAddress
    let descriptors: [SentDescriptor]
}
