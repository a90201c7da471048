// A pseudo-terminal for the tool, made by Python, which answers what it reads with keys.
import Testing

@testable import IPCTests

enum Terminal {
    static let isThere = ForeignProcess.exists("python3")

    /// Runs a program on a new terminal, its controlling one; its status, and all that appeared there.
    ///
    /// - Parameter keys: what to wait for in the output, and the keys to press then, in order.
    static func run(_ keys: [(after: String, press: String)], _ program: String, _ arguments: [String]) async throws
        -> ToolRun
    {
        let steps = keys.flatMap { [$0.after, $0.press] }
        let run = try await Tool.start("python3", ["-c", script, "\(steps.count / 2)"] + steps + [program] + arguments)
        return ToolRun(
            status: run.status, outputBytes: run.outputBytes.filter { $0 != 13 }, errorBytes: run.errorBytes,
            duration: run.duration)
    }

    /// A script for the shell on a terminal; `$ipc` is the tool and `$child` the helper program.
    static func script(_ keys: [(after: String, press: String)], _ text: String) async throws -> ToolRun {
        try await run(keys, "/usr/bin/env", ["ipc=\(Tool.path)", "child=\(Tool.child)", "sh", "-c", text])
    }

    private static let script = """
        import os, pty, select, sys, time
        count = int(sys.argv[1])
        words = sys.argv[2:2 + 2 * count]
        steps = [(words[i].encode(), words[i + 1].encode()) for i in range(0, len(words), 2)]
        program = sys.argv[2 + 2 * count:]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(program[0], program)
        seen, searched, end = b"", 0, time.monotonic() + 20
        while time.monotonic() < end:
            if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
                break
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            seen += piece
            while steps and steps[0][0] in seen[searched:]:
                searched = seen.index(steps[0][0], searched) + len(steps[0][0])
                os.write(terminal, steps.pop(0)[1])
        else:
            seen += b"!! too late"
        sys.stdout.buffer.write(seen)
        sys.stdout.flush()
        os.close(terminal)
        status = os.waitpid(pid, 0)[1]
        sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
        """
}
