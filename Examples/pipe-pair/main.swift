// Two pipes between a program and a child that is the same program. Today's perlipc: pipe1, "for the socketpair-challenged".
//
//     pipe-pair
//
// The child is a fresh copy of the program that has its two ends as standard input and output and nothing else, so no
// end is forgotten and none has to be closed.
import IPC

struct Kid: Worker {
    static func run(_ parent: String) async throws -> String {
        let line = try await ByteReader.standardInput.readLine() ?? "nothing"
        try await ByteWriter.standardOutput.write("Child \(ProcessID.current) is sending this to \(parent)\n")
        return "Child \(ProcessID.current) just read this: '\(line)'"
    }
}

Workers.runIfRequested()

try EventLoop.run {
    let kid = try await Kid.start("its parent") { $0.input(.pipe).output(.pipe) }
    try await kid.child.standardInput?.write("Parent \(ProcessID.current) is sending this\n")
    let line = try await kid.child.standardOutput?.readLine() ?? "nothing"
    print("Parent \(ProcessID.current) just read this: '\(line)'")
    print(try await kid.reply(timeout: .seconds(10)))
}
