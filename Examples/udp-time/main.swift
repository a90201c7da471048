// The same over UDP, all hosts at once. The manual, lines 1115-1158: send to each, select with a limit, recv.
//
//     udp-time PORT HOST...
//
// Answers are matched to whom was asked, a refusal is its host's alone, who is silent is named in the end.
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
                    let socket = try await DatagramSocket(connectedTo: .udp(host, port: port))
                    try await socket.send([0])
                    let answer = try await socket.receive(limit: 4, deadline: deadline)
                    let since1900 = answer.bytes.reduce(0) { $0 << 8 | Int($1) }
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
