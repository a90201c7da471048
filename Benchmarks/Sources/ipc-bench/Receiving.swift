// What is received with little ado: UDP datagrams of our own, descriptors of another process.
import CBench
import Glibc
import IPC

enum Receiving {
    static func datagrams(_ variant: String) throws {
        bench_pin()
        let socket = try DatagramSocket(on: .udp("127.0.0.1", port: 0))
        let sender = bench_connected_sender(Int32(try socket.localAddress.port ?? 0))
        let rate = try EventLoop.run {
            try await Bench.rate {
                bench_send_batch(sender)
                if variant == "many" {
                    guard try await socket.receive(atMost: 32).count == 32 else { exit(3) }
                } else {
                    for _ in 0..<32 { _ = try await socket.receive(limit: 2048) }
                }
            }
        }
        Bench.report(rate * 32, "packets/s")
    }

    static func descriptors() throws {
        var (receiver, sender): (Int32, Int32) = (0, 0)
        guard bench_socket_pair(&receiver, &sender) == 0 else { exit(3) }
        let child = bench_fork()
        if child == 0 { bench_send_descriptors(sender) }
        let connection = try Connection(Descriptor(adopting: receiver))
        let rate = try EventLoop.run {
            try await Bench.rate { for _ in 0..<16 { _ = try await connection.receiveDescriptor() } }
        }
        bench_end(child)
        Bench.report(rate * 16, "descriptors/s")
    }
}
