// The examples that leave everything behind. Each test ends what it has started.
import IPC
import Testing

@Suite("Daemons")
struct DaemonTests {
    /// Runs a body in a folder, and ends the daemon that it has left there.
    private func withDaemonFolder(_ pidFile: String, _ body: (FilePath) async throws -> Void) async throws {
        try await withFolder { folder in
            do { try await body(folder) } catch {
                _ = try? await Daemon.stop(pidFile: folder.appending(pidFile))
                throw error
            }
            _ = try? await Daemon.stop(pidFile: folder.appending(pidFile))
        }
    }

    @Test("G-17: a daemon starts once, says whether it runs, and stops")
    func daemonize() async throws {
        try await withDaemonFolder("daemonize.pid") { folder in
            func daemonize(_ verb: String) async throws -> ExampleRun {
                try await Example.run("daemonize", verb, folder.string)
            }
            #expect(try await daemonize("status").output == "does not run\n")
            let started = try await daemonize("start")
            #expect(started.status == 0)
            #expect(started.output + started.error == "")

            let daemon = try #require(try Daemon.running(pidFile: folder.appending("daemonize.pid")))
            #expect(try await Command("cat", folder.appending("daemonize.log")).read() == "process \(daemon) begins")
            let record = try ProcessRecord(of: daemon)
            #expect(record.terminal == nil)
            #expect(record.session != daemon)
            #expect(record.session != (try ProcessRecord(of: .current).session))

            let second = try await daemonize("start")
            #expect(second.error == "\(folder)/daemonize.pid: already running as process \(daemon)\n")
            #expect(second.status == 71)
            #expect(try await daemonize("status").output == "runs as process \(daemon)\n")
            #expect(try await daemonize("stop").output == "stopped process \(daemon)\n")
            #expect(try await daemonize("status").output == "does not run\n")
        }
    }

    @Test("G-42: SIGHUP begins the daemon anew, under the same number")
    func hangup() async throws {
        try await withDaemonFolder("hup-daemon.pid") { folder in
            let pidFile = folder.appending("hup-daemon.pid")
            let started = try await Example.run("hup-daemon", folder.string)
            #expect(started.error == "")
            try #require(started.status == 0)
            let daemon = try #require(try Daemon.running(pidFile: pidFile))

            // The log as it grows; the next signal is sent when the daemon says that it is there again.
            let log = Command("tail", "-n", "+1", "-F", folder.appending("hup-daemon.log"))
            var seen: [String] = []
            var hangups = 0
            for try await line in log.lines(timeout: limit) {
                seen.append(line)
                if line == "got SIGTERM" { break }
                guard line == "PID: \(daemon)" else { continue }
                try Daemon.send(hangups < 2 ? .hangup : .terminate, pidFile: pidFile)
                hangups += 1
            }
            let start = "PID: \(daemon)"
            #expect(seen == [start, "got SIGHUP", start, "got SIGHUP", start, "got SIGTERM"])
        }
    }
}
