// One socket pair instead of two pipes. Today's perlipc: pipe2, "bidirectional communication using socketpair".
//
//     socket-pair
//
// The child, this program with an argument, has one socket for standard input and output, and we have the other.
import IPC

try EventLoop.run {
    if CommandLine.arguments.contains("child") {
        let line = try await ByteReader.standardInput.readLine() ?? "nothing"
        try await ByteWriter.standardOutput.write("Child \(ProcessID.current) has read '\(line)'\n")
        return
    }
    let line = try await Command("/proc/self/exe", "child").withPipes(over: .socketPair) { child in
        try await child.ask("Parent \(ProcessID.current) is sending this")
    }
    print("Parent \(ProcessID.current) just read this: \(line)")
}
