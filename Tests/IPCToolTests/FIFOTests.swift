// ipc fifo: made with their mode, read, written and served, with the statuses that scripts need.
import Glibc
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct FIFOCommandTests {
    /// Runs a script in a folder of its own.
    private func inFolder(_ script: String, _ body: (ToolRun) throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try body(try await Tool.script("cd \"$1\" || exit 99; \(script)", "\(folder)"))
        }
    }

    @Test("F7: the mode is as asked under any umask", arguments: ["000", "022", "077", "777"])
    func mode(_ umask: String) async throws {
        let script = "umask \(umask); $ipc fifo make --mode 626 f && $ipc fifo make g && stat -c '%F %a' f g; rm f g"
        try await inFolder(script) { run in
            #expect(run.output == "fifo 626\nfifo 600\n")
            #expect(run.error == "")
        }
    }

    @Test("F3: what is there already, or is no FIFO, is an error of one line")
    func refused() async throws {
        let script =
            "echo x >file; ln -s file link; for f in file link none; do $ipc fifo read $f; echo $?; done; $ipc fifo make file"
        try await inFolder(script) { run in
            #expect(run.output == "71\n71\n71\n")
            #expect(
                run.errorLines == [
                    "ipc: open file, a regular file: invalid argument (EINVAL)",
                    "ipc: open link, a symbolic link: too many levels of symbolic links (ELOOP)",
                    "ipc: open none: no such file or directory (ENOENT)",
                    "ipc: make file, a regular file: file exists (EEXIST)",
                ])
            #expect(run.status == 71)
        }
    }

    @Test("S-18: both ways with the shell")
    func withShell() async throws {
        let script = """
            $ipc fifo make f
            seq 1 20000 >f & $ipc fifo read f | cksum; wait
            cat f | cksum & seq 1 20000 | $ipc fifo write f; wait
            seq 1 20000 | cksum
            rm f
            """
        try await inFolder(script) { run in
            let sums = run.output.split(separator: "\n")
            #expect(sums.count == 3 && Set(sums).count == 1)
            #expect(run.error == "")
        }
    }

    @Test("F1, F2: nobody on the other side: 124 after the limit, 71 at once where that was asked for")
    func nobody() async throws {
        let script = """
            $ipc fifo make f
            $ipc fifo read --timeout 0.05 f; echo $?
            echo x | $ipc fifo write --timeout 0.05 f; echo $?
            echo x | $ipc fifo write --fail-if-no-reader f; echo $?
            $ipc fifo read --keep-open --timeout 0.05 f; echo $?
            rm f
            """
        try await inFolder(script) { run in
            #expect(run.output == "124\n124\n71\n124\n")
            #expect(
                run.errorLines == [
                    "ipc: open f: not done within 50 ms", "ipc: open f: not done within 50 ms",
                    "ipc: open f, which nobody reads: no such device or address (ENXIO)",
                    "ipc: read f: not done within 50 ms",
                ])
        }
    }

    @Test("F4: --keep-open reads on from one writer to the next")
    func keepOpen() async throws {
        let script = """
            $ipc fifo make f
            $ipc fifo read --keep-open f >out & reader=$!
            for n in 1 2 3; do echo $n >f; done
            until [ "$(wc -l <out)" = 3 ]; do sleep 0.02; done
            kill $reader; wait $reader; cat out; rm f
            """
        try await inFolder(script) { run in #expect(run.output == "1\n2\n3\n") }
    }

    @Test("S-22: each reader gets one output of the program, a failing one is said, and TERM removes the FIFO")
    func serve() async throws {
        let script = """
            $ipc fifo serve f -- sh -c 'echo "$$"' & server=$!
            until [ -p f ]; do sleep 0.02; done
            for n in 1 2 3 4 5 6 7 8 9 10; do cat f; done | sort -u | wc -l
            rm f; until [ -p f ]; do sleep 0.02; done; cat f | wc -l
            kill $server; wait $server; echo $?; ls -A
            """
        try await inFolder(script) { run in
            #expect(run.output == "10\n1\n0\n")
            #expect(run.error == "")
        }
    }

    @Test("I-2: one JSON object, in failure too; on standard error where the bytes have standard output")
    func json() async throws {
        let script = """
            $ipc fifo make --json f; $ipc fifo make --json f 2>/dev/null; echo
            echo hello >f & $ipc fifo read --json f; rm f
            $ipc fifo make; echo $?
            """
        try await inFolder(script) { run in
            let lines = run.output.split(separator: "\n")
            #expect(lines.first == #"{"bytes":0,"path":"f"}"#)
            #expect(lines.dropFirst().first?.contains(#""errno":"EEXIST""#) == true)
            #expect(lines.suffix(2) == ["hello", "64"])
            #expect(run.error.contains(#"{"bytes":6,"path":"f"}"#))
        }
    }
}
