// Many datagrams by one call of the kernel.
import CIPC
import SystemPackage

extension DatagramSocket {
    /// Sends datagrams, as many as go at once, by few calls; gives how many that were, at least one. The C function is `sendmmsg`.
    ///
    /// - Throws: as ``send(_:to:timeout:)-([UInt8],SocketAddress,_)`` does, if the first cannot be sent.
    public func send(_ datagrams: [Datagram], timeout: Duration? = nil) async throws -> Int {
        guard !datagrams.isEmpty else { return 0 }
        let deadline = Deadline.after(timeout)
        try await SharedDescriptor.beginCall("send", on: name, deadline: deadline)
        guard descriptor.enter() else { throw descriptor.closedError("send") }
        defer { descriptor.leave() }
        let batch = datagrams.prefix(DatagramSocket.mostAtOnce)
        let targets = try batch.map { datagram in
            guard let target = reachable(datagram.address) else {
                throw SystemError("send", on: "\(datagram.address)", .addressFamilyNotSupported)
            }
            return target
        }
        var all = batch.flatMap(\.bytes)
        while true {
            let result = all.withUnsafeMutableBytes { space in
                var (list, start) = ([ipc_datagram](), 0)
                for (datagram, target) in zip(batch, targets) {
                    let count = datagram.bytes.count
                    list.append(
                        ipc_datagram(
                            bytes: space.baseAddress.map { $0 + start }, count: count, whole: count,
                            address: target.kernels))
                    start += count
                }
                return SystemCall.retrying { ipc_send_many(descriptor.number, &list, Int32(list.count), 1) }
            }
            if result > 0 { return Int(result) }
            if let report = report() { throw report }
            guard result == -Errno.wouldBlock.rawValue else {
                throw SystemError("send", on: "\(batch[batch.startIndex].address)", Errno(rawValue: -result))
            }
            try await descriptor.wait(.writing, deadline: deadline, "send")
        }
    }

    /// Receives all datagrams that are there, at most `count`, waiting for the first. The C function is `recvmmsg`.
    ///
    /// - Parameters:
    ///   - count: at most 64 come at a time.
    ///   - limit: the most bytes that each may have.
    ///   - timeout: how long to wait for the first; as long as it takes for `nil`.
    /// - Throws: as ``receive(limit:timeout:)`` does. If one is too large, all that came with it are gone too.
    public func receive(atMost count: Int, limit: Int = 2048, timeout: Duration? = nil) async throws -> [Datagram] {
        let deadline = Deadline.after(timeout)
        try await SharedDescriptor.beginCall("receive", on: name, deadline: deadline)
        guard descriptor.enter() else { throw descriptor.closedError("receive") }
        defer { descriptor.leave() }
        let (number, room) = (min(max(1, count), DatagramSocket.mostAtOnce), max(1, limit))
        var space = [UInt8](repeating: 0, count: number * room)
        while true {
            var list = [ipc_datagram](
                repeating: ipc_datagram(bytes: nil, count: room, whole: 0, address: ipc_address()), count: number)
            let result = space.withUnsafeMutableBytes { all in
                for index in 0..<number { list[index].bytes = all.baseAddress.map { $0 + index * room } }
                return SystemCall.retrying { ipc_receive_many(descriptor.number, &list, Int32(number)) }
            }
            if result > 0 {
                return try (0..<Int(result)).map { index in
                    let (one, address) = (list[index], SocketAddress(list[index].address).unmapped)
                    guard one.whole <= limit else {
                        throw DatagramError(kind: .truncated, address: address, size: one.whole, errno: .messageTooLong)
                    }
                    return Datagram(Array(space[(index * room)..<(index * room + one.count)]), to: address)
                }
            }
            if let report = report() { throw report }
            guard result == -Errno.wouldBlock.rawValue else {
                throw SystemError("receive", on: name, Errno(rawValue: -result))
            }
            try await descriptor.wait(.reading, deadline: deadline, "receive")
        }
    }

    private static let mostAtOnce = 64
}
