// Whether a process is there. The manual, lines 88-90: unless (kill 0 => $kid_pid) { warn "something wicked happened ..." }.
//
//     alive [PID]
//
// kill 0 has two answers, and says yes to a zombie. Status 0: it is there; 1: gone; 2: another user's; 3: it has ended,
// and nobody has asked how. Without a word it is our parent.
import Glibc
import IPC

let word = CommandLine.arguments.dropFirst().first ?? "\(ProcessID.parent)"
guard let kid = ProcessID(word) else {
    print("\(word): not the number of a process")
    exit(64)
}
let state = kid.state
print("\(kid): \(state)")
switch state {
case .running, .stopped: exit(0)
case .gone: exit(1)
case .notOurs: exit(2)
case .zombie: exit(3)
}
