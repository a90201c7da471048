// Complete dissociation of child from parent. The manual, lines 290-308: TIOCNOTTY, chdir /, reopen, fork && exit.
//
//     daemonize [start|status|stop [FOLDER]]
//
// `start` returns when the daemon is ready, or says why it is not. The pid file's lock lets one run at a time, and tells
// whether it runs. This one has nothing to do, and ends by itself after a minute.
import IPC

let words = CommandLine.arguments.dropFirst()
let folder = FilePath(words.dropFirst().first ?? "/tmp")
let pidFile = folder.appending("daemonize.pid")

switch words.first ?? "start" {
case "start":
    let daemon = try Daemon.detach(pidFile: pidFile, log: folder.appending("daemonize.log"))
    try EventLoop.run {
        try await ByteWriter.standardOutput.write("process \(ProcessID.current) begins\n")
        try daemon.ready()
        try await Task.sleep(for: .seconds(60))
    }
    daemon.removePIDFile()
case "status":
    print(try Daemon.running(pidFile: pidFile).map { "runs as process \($0)" } ?? "does not run")
case "stop":
    print("stopped process \(try EventLoop.run { [pidFile] in try await Daemon.stop(pidFile: pidFile) })")
default:
    print("daemonize [start|status|stop [FOLDER]]")
}
