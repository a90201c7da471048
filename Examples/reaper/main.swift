// The status of every child as it ends, and no zombies. The manual, lines 105-125: sub REAPER { ... waitpid(-1, WNOHANG) ... }.
//
//     reaper [SCRIPT...]
//
// No SIGCHLD is caught and no handler put back: each child is waited for by itself, and nobody else's is taken. One whose
// status nobody wants is reaped all the same.
import IPC

try EventLoop.run {
    let words = Array(CommandLine.arguments.dropFirst())
    try await withThrowingTaskGroup(of: String.self) { kids in
        for script in words.isEmpty ? ["exit 0", "exit 3", "kill -TERM $$", "kill -KILL $$"] : words {
            let kid = try await Command("sh", "-c", script).start()
            kids.addTask { "\(kid.processID) \(try await kid.wait()): \(script)\n" }
        }
        for try await line in kids { try await ByteWriter.standardOutput.write(line) }
    }
    let zombies = try ProcessTable.children(of: .current).count(where: \.isZombie)
    try await ByteWriter.standardOutput.write("\(zombies) zombies\n")
}
