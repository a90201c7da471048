// Fetches documents. The manual, lines 865-879: foreach $document { IO::Socket::INET->new(...), print $remote "GET ...", print <$remote> }.
//
//     webget HOST[:PORT] DOCUMENT...
//
// A connection for each; no buffer keeps the question back, and lines end with CR LF on the way there.
import Glibc
import IPC

let words = CommandLine.arguments
let status: Int32 = try EventLoop.run {
    guard words.count > 2 else {
        print("usage: webget HOST[:PORT] DOCUMENT...")
        return 64
    }
    let host = words[1].split(separator: ":", maxSplits: 1).map(String.init)
    var failed: Int32 = 0
    for document in words[2...] {
        do {
            let remote = try await Connection(
                to: .tcp(host[0], port: Port(host.count > 1 ? host[1] : "http(80)")), timeout: .seconds(10))
            try await remote.write("GET \(document) HTTP/1.0\r\nHost: \(words[1])\r\n\r\n")
            try await remote.input.copy(to: .standardOutput, timeout: .seconds(30))
        } catch {
            print("cannot get \(document): \(error)")
            failed = 1
        }
    }
    return failed
}
exit(status)
