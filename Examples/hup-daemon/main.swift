// A daemon that begins anew on SIGHUP. Today's perlipc: $SIG{HUP} = sub { exec($SELF, @ARGV) }.
//
//     hup-daemon [FOLDER]      kill -HUP `cat /tmp/hup-daemon.pid`
//
// The signal is an event, not an interruption: the daemon replaces itself between two things that it does, keeps its
// number, and no signal stays blocked. SIGTERM ends it, and so does a minute without a signal.
import IPC

let folder = FilePath(CommandLine.arguments.dropFirst().first ?? "/tmp")
let daemon = try Daemon.detach(pidFile: folder.appending("hup-daemon.pid"), log: folder.appending("hup-daemon.log"))

try EventLoop.run { [daemon] in
    let log = ByteWriter.standardOutput
    let signals = try Signal.stream(.hangup, .terminate)
    try await log.write("PID: \(ProcessID.current)\n")
    try daemon.ready()

    if let event = try? await signals.next(timeout: .seconds(60)) {
        try await log.write("got \(event.signal)\n")
        if event.signal == .hangup { try daemon.reexecute() }
    }
    daemon.removePIDFile()
}
