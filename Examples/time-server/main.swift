// Says what time it is, in four bytes, over TCP and UDP. The manual, lines 659-661: the server that its rtime asks; RFC 868.
//
//     time-server [PORT]
import Glibc
import IPC

@Sendable func now() -> [UInt8] {
    let seconds = UInt32(truncatingIfNeeded: time(nil) + 2_208_988_800)  // since 1900
    return withUnsafeBytes(of: seconds.bigEndian) { Array($0) }
}

let status: Int32 = try EventLoop.run {
    do {
        try await Signal.cancelling(on: .interrupt, .terminate) {
            let listener = try await Listener(
                on: .tcp("127.0.0.1", port: Port(CommandLine.arguments.dropFirst().first ?? "37")))
            let port = Port(listener.addresses[0].port ?? 37)
            let socket = try DatagramSocket(on: .udp("127.0.0.1", port: port))
            print("time server on \(listener.addresses[0])")
            try await withThrowingTaskGroup { group in
                group.addTask { try await listener.serve { client in try await client.write(now()) } }
                group.addTask {
                    while true { try await socket.send(now(), to: socket.receive().address) }
                }
                try await group.next()
            }
        }
    } catch let end as SignalCancellationError {
        print("ended by \(end.event.signal)")
    } catch {
        print(error)
        return 1
    }
    return 0
}
exit(status)
