// A command in the background. The manual, line 274: system("cmd &").
//
//     background
//
// It has our output and standard error, not our input. No second fork is needed to be rid of it: whoever drops the
// handle leaves no zombie, and whoever keeps it learns the status.
import IPC

try EventLoop.run {
    let child = try await Command("sh", "-c", "echo in the background; exit 3").start()
    print("started process \(child.processID)")
    print("it \(try await child.wait())")
}
