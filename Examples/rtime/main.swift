// How far do their clocks differ from ours? The manual, lines 663-691: connect to each in turn, read four bytes, unpack("N").
//
//     rtime PORT HOST...
//
// All at once, under one limit; a host that fails is its own line and not the end.
import Glibc
import IPC

let words = Array(CommandLine.arguments.dropFirst())
let port = Port(words.first ?? "time(37)")

let status: Int32 = try EventLoop.run {
    let deadline = Deadline(in: .seconds(10))
    return await withTaskGroup(of: Int32.self) { group in
        for host in words.dropFirst() {
            group.addTask {
                do {
                    let server = try await Connection(to: .tcp(host, port: port), deadline: deadline)
                    let bytes = try await deadline.run { try await server.readAll(limit: 4) }
                    guard bytes.count == 4 else { throw ReadError(.limitExceeded, subject: host, line: 0, offset: 4) }
                    let since1900 = bytes.reduce(0) { $0 << 8 | Int($1) }
                    print("\(host) \(since1900 - 2_208_988_800 - time(nil))")
                    return 0
                } catch {
                    print("\(host): \(error)")
                    return 1
                }
            }
        }
        return await group.reduce(0, max)
    }
}
exit(status)
