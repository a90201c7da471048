// A variable that processes share. The manual, lines 1162-1166: "you can't share a variable among several processes".
//
//     shared-counter
//
// Eight processes add ten thousand each, and none is lost. A process that is killed meanwhile has added or has not.
import IPC

if CommandLine.arguments.count > 1 {
    let counter = try SharedVariable(named: CommandLine.arguments[1], initialValue: 0, opening: .open)
    for _ in 0..<10_000 { try counter.withLock { $0 += 1 } }
} else {
    try EventLoop.run {
        let name = "/shared-counter-\(ProcessID.current)"
        try await SharedVariable.withNew(named: name, initialValue: 0) { counter in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { try await Command("/proc/self/exe", name).run() } }
                try await group.waitForAll()
            }
            print("eight processes have counted to \(try counter.value)")
        }
    }
}
