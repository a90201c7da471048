// What tests of signals need: inner runs that are checked, foreign senders, the disposition as the kernel has it.
import CIPC
import Glibc
import IPC
import Testing

/// Runs an inner test in a process of its own; it has to pass, or to end with that status, and to say these things.
func expectInner(
    _ test: String, status expected: Int32 = 0, saying words: [String] = [], script: String = #"exec "$@""#,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let (status, output) = try await InnerRun.of(test, script: script)
    #expect(status == expected, "\(output)", sourceLocation: sourceLocation)
    #expect(status != 0 || output.contains("1 test"), "\(output)", sourceLocation: sourceLocation)
    for word in words { #expect(output.contains(word), "\(output)", sourceLocation: sourceLocation) }
}

/// What a signal does to this process: 0 its default, 1 nothing, else a handler.
func disposition(_ signal: Signal) -> UInt {
    var action = sigaction()
    sigaction(signal.number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
}

/// Perl, sending signals to this process by their numbers, one for each line that it is written.
struct PerlSender: Sendable {
    private let child: Child

    var processID: ProcessID { child.processID }

    init() async throws {
        let script =
            "$| = 1; while (<STDIN>) { my ($n, $times) = split; kill $n, getppid for 1 .. $times; print qq(sent\\n) }"
        child = try await Command("perl", "-e", script).input(.pipe).output(.pipe).start()
    }

    /// Has it send a signal; returns when it has.
    func send(_ signal: Signal, times: Int = 1) async throws {
        try await child.standardInput?.write("\(signal.number) \(times)\n")
        #expect(try await child.standardOutput?.readLine() == "sent")
    }

    func end() async throws {
        try child.standardInput?.close()
        #expect(try await child.wait() == .exited(0))
    }
}

/// Sends this process a signal, and waits until some thread has taken it.
func raiseHere(_ signal: Signal, times: Int = 1) throws {
    for _ in 0..<times {
        try ProcessID.current.send(signal)
        while isPending(signal) { sched_yield() }
    }
}

/// Prints a line at once, whatever happens next.
func say(_ line: String) { _ = "\(line)\n".withCString { write(1, $0, strlen($0)) } }

/// Whether a signal to this process waits for a thread that takes it.
func isPending(_ signal: Signal) -> Bool {
    guard let text = Folder.text(of: "/proc/self/status") else { return false }
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("ShdPnd:") }) else { return false }
    let bits = UInt64(line.split(separator: "\t").last ?? "0", radix: 16) ?? 0
    return bits & 1 << UInt64(signal.number - 1) != 0
}
