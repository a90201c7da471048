// A signal to the process's own group, itself excepted. The manual, lines 78-82: local $SIG{HUP} = 'IGNORE'; kill HUP => -$$.
//
//     hup-group
//
// Like the manual's it does so only if it leads the group, as it does where a shell with job control has started it: else
// the signal would end whoever has.
import IPC

try EventLoop.run {
    guard ProcessGroupID.current?.rawValue == ProcessID.current.rawValue else {
        return print("process \(ProcessID.current) leads no group")
    }
    let sleep = Command("sleep", "30").inCallersGroup()
    let kids = [try await sleep.start(), try await sleep.start()]

    try ProcessGroupID.sendToOthers(.hangup)
    for kid in kids { print("kid \(try await kid.wait())") }
    print("process \(ProcessID.current) goes on")
}
