// Handing descriptors over a Unix connection: the other side gets one of its own for the same open file.
import CIPC
import SystemPackage

/// Bytes that came together with descriptors.
public struct ReceivedDescriptors: Sendable {
    /// The bytes that carried them, at least one.
    public let bytes: [UInt8]
    /// The descriptors, in the order in which they were sent; each closes with its last copy, unless it is taken out.
    public let descriptors: [SentDescriptor]
}

extension Connection {
    /// Sends a descriptor, carried by one byte of the stream, 0. It stays the caller's.
    ///
    /// The other side has to expect it, by ``receiveDescriptor(timeout:)``: who reads the byte as one of the stream has the
    /// descriptor closed. The C function is `sendmsg` with `SCM_RIGHTS`.
    ///
    /// - Throws: ``SystemError``, with `EPIPE` if the peer has left, with `EINVAL` for a connection that is none of Unix;
    ///   ``TimeoutError``, `CancellationError`.
    public func sendDescriptor(_ sent: borrowing Descriptor, timeout: Duration? = nil) async throws {
        try await sendDescriptors([SentDescriptor(try sent.duplicate())], timeout: timeout)
    }

    /// Sends several descriptors at once, carried by bytes of the stream.
    ///
    /// - Parameters:
    ///   - sent: 1 to 253 descriptors.
    ///   - bytes: at least one; at most 64 KiB.
    ///   - timeout: how long to wait for room; as long as it takes for `nil`.
    /// - Throws: as ``sendDescriptor(_:timeout:)`` does, with `EINVAL` for numbers out of range too. Nothing was sent then, unless the
    ///   connection broke on the way.
    public func sendDescriptors(
        _ sent: [SentDescriptor], with bytes: [UInt8] = [0], timeout: Duration? = nil
    ) async throws {
        let deadline = Deadline.after(timeout)
        try await SharedDescriptor.beginCall("send", on: name, deadline: deadline)
        guard 1...Int(IPC_MOST_DESCRIPTORS) ~= sent.count, 1...65536 ~= bytes.count,
            try descriptor.use("send", { ipc_is_connected_unix_stream($0) == 1 })
        else { throw SystemError("send \(sent.count) descriptors to", on: name, .invalidArgument) }
        let sent = try await descriptor.send(bytes, with: sent, deadline)
        // The descriptors have gone with the first bytes; the others follow.
        if sent < bytes.count { try await output.write(Array(bytes[sent...]), until: deadline) }
    }

    /// Receives one descriptor that ``sendDescriptor(_:timeout:)`` has sent; `nil` is the end.
    ///
    /// - Throws: ``SystemError`` with `EBADMSG` if what came is something else, with `EMSGSIZE` if more than one came or this process
    ///   has no room for it; whatever came is closed then. ``TimeoutError``, `CancellationError`.
    public func receiveDescriptor(timeout: Duration? = nil) async throws -> Descriptor? {
        var (byte, number): (UInt8, Int32) = (0, -1)
        let came = try await receive(Deadline.after(timeout)) { socket in
            var came: Int32 = 0
            let result = SystemCall.retrying { ipc_receive_descriptors(socket, &byte, 1, &number, 1, &came) }
            return (result, came)
        }
        guard let came else { return nil }
        // Adopted first: what is refused is closed.
        let only = came.descriptors == 1 ? try Descriptor(fresh: number, "receive", on: name) : nil
        guard byte == 0, let only else { throw SystemError("receive descriptor from", on: name, .badMessage) }
        return only
    }

    /// Receives bytes and the descriptors that came with them; `nil` is the end. Bytes may come with none.
    ///
    /// No descriptor is ever received without being asked for: other reads have the kernel close them.
    ///
    /// - Parameters:
    ///   - most: the most descriptors to take, 1 to 253.
    ///   - count: the most bytes to take.
    ///   - timeout: how long to wait; as long as it takes for `nil`.
    /// - Throws: ``SystemError`` with `EMSGSIZE` if there were more descriptors, or this process has no room for them; all are closed
    ///   then, and the bytes are gone. With `EBUSY` if bytes that were read ahead are still in ``input``.
    public func receiveDescriptors(
        atMost most: Int, bytes count: Int = 65536, timeout: Duration? = nil
    ) async throws -> ReceivedDescriptors? {
        guard 1...Int(IPC_MOST_DESCRIPTORS) ~= most, count > 0 else {
            throw SystemError("receive \(most) descriptors from", on: name, .invalidArgument)
        }
        var room = [UInt8](repeating: 0, count: min(count, 65536))
        var numbers = [Int32](repeating: -1, count: most)
        let came = try await receive(Deadline.after(timeout)) { socket in
            room.withUnsafeMutableBytes { space in
                var came: Int32 = 0
                guard let base = space.baseAddress else { return (0, 0) }
                let result = SystemCall.retrying {
                    ipc_receive_descriptors(socket, base, space.count, &numbers, Int32(most), &came)
                }
                return (result, came)
            }
        }
        guard let came else { return nil }
        let descriptors = try numbers[..<came.descriptors].map {
            SentDescriptor(try Descriptor(fresh: $0, "receive", on: name))
        }
        return ReceivedDescriptors(bytes: Array(room[..<came.bytes]), descriptors: descriptors)
    }

    /// Makes a call that receives until something came; `nil` at the end.
    @inline(__always)
    private func receive(
        _ deadline: Deadline?, _ call: (Int32) -> (result: Int, came: Int32)
    ) async throws -> (bytes: Int, descriptors: Int)? {
        try await SharedDescriptor.beginCall("receive", on: name, deadline: deadline)
        try input.begin("receive")
        defer { input.end() }
        guard input.buffer.isEmpty else { throw SystemError("receive", on: name, .resourceBusy) }
        while true {
            let (result, came) = call(descriptor.number)
            if result >= 0 { return result == 0 && came == 0 ? nil : (result, Int(came)) }
            let errno = Errno(rawValue: Int32(-result))
            guard errno == .wouldBlock else { throw SystemError("receive", on: name, errno) }
            try await descriptor.wait(.reading, deadline: deadline, "receive")
        }
    }
}
