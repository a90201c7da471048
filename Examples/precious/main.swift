// A section that no interrupt disturbs. The manual, lines 65-71: sub precious { local $SIG{INT} = 'IGNORE'; &more_functions }.
//
//     precious
//
// What comes while it is ignored is lost; what comes while it is held comes afterwards. Either way the scope is left
// however its body ends, and the programs that it starts begin with the signal as it always is.
import IPC

/// Interrupts still ignored or held, for now.
func moreFunctions(_ how: String) async throws {
    let sender = try await Command("sh", "-c", "echo $$; kill -INT $PPID").read()
    print("\(how): process \(sender) interrupts")
}

try EventLoop.run {
    let interrupts = try Signal.stream(.interrupt)
    try await Signal.ignoring(.interrupt) { try await moreFunctions("ignored") }
    try await Signal.holding(.interrupt) { try await moreFunctions("held") }
    print("afterwards: \(try await interrupts.next())")
}
