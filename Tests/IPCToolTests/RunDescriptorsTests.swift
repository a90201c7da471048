// What a program gets from ipc run: its three descriptors, whatever the tool was started with, and nothing of its masks.
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct RunDescriptorsTests {
    @Test(
        "P34: with 0, 1 and 2 closed in every combination the program has all three, and what was open is the same file",
        arguments: 0..<8)
    func closed(_ combination: Int) async throws {
        try await withTemporaryFolder { folder in
            let report = "\(folder)/report"
            // The shell tells what it has from a process of its own, so that the report takes none of its numbers.
            let inner = #"(for n in 0 1 2; do readlink /proc/$$/fd/$n || echo none; done; ls /proc/$$/fd) >"$1""#
            let redirections = (0...2).map { number in
                if combination & 1 << number != 0 { return "\(number)>&-" }
                return number == 0 ? "</dev/zero" : "\(number)>\"$1.\(number)\""
            }
            let run = try await Tool.script(
                #"exec "$ipc" run -- sh -c '\#(inner)' sh "$1" \#(redirections.joined(separator: " "))"#, report)
            #expect(run.status == 0)
            let lines = (Folder.text(of: report) ?? "").split(separator: "\n")
            let files = (0...2).map { number in
                combination & 1 << number != 0 ? "/dev/null" : number == 0 ? "/dev/zero" : "\(report).\(number)"
            }
            #expect(lines.map(String.init) == files + ["0", "1", "2"])
        }
    }

    @Test("P34: what is read from or written to a descriptor that was closed fails as it does for the tool")
    func closedIsNotSilent() async throws {
        let write = try await Tool.script(#""$ipc" run -- "$child" flood out 5 >&-"#)
        #expect(write.status == 1)
        #expect(write.error.contains("Bad file descriptor"))
        let read = try await Tool.script(#""$ipc" run -- "$child" cat <&-"#)
        #expect(read.status == 1)
        #expect(read.error.contains("Bad file descriptor"))
    }

    @Test("P34: captured with all of 0, 1 and 2 closed, a run is a run", arguments: 0..<8)
    func captured(_ combination: Int) async throws {
        let redirections = (0...2).filter { combination & 1 << $0 != 0 }.map { "\($0)>&-" }.joined(separator: " ")
        let run = try await Tool.script(#""$ipc" run --json -- sh -c 'ls /proc/$$/fd; exit 5' \#(redirections)"#)
        if combination & 2 == 0 {
            #expect(run.status == 5)
            #expect(run.output.contains(#""output":"0\n1\n2\n""#))
        } else {
            #expect(run.status == 71)
        }
    }

    @Test("S11: with SIGPIPE ignored and SIGTERM blocked around it, nothing is ignored or blocked in the program")
    func masks() async throws {
        let words = ["--ignore-signal=PIPE,CHLD,USR1", "--block-signal=TERM,USR2", Tool.path, "run"]
        for options in [["--"], ["--json", "--"]] {
            let run = try await Tool.start("env", words + options + [Tool.child, "status"])
            #expect(run.status == 0)
            #expect(
                run.output.contains("SigBlk:\\t0000000000000000") || run.output.contains("SigBlk:\t0000000000000000"))
            #expect(
                run.output.contains("SigIgn:\\t0000000000000000") || run.output.contains("SigIgn:\t0000000000000000"))
        }
    }

    @Test("S8: a tool whose caller ignores SIGCHLD knows the status or says that it does not")
    func ignoredSIGCHLD() async throws {
        let words = ["--ignore-signal=CHLD", Tool.path, "run", "--", Tool.child, "exit", "7"]
        for _ in 0..<10 {
            let run = try await Tool.start("env", words)
            #expect(run.status == 7 || run.status == 255)
        }
    }

    @Test("P33: descriptors that the tool was given are the program's only if they are 0, 1 or 2")
    func extra() async throws {
        let run = try await Tool.script(#"exec 7</dev/null 9>/dev/null; "$ipc" run -- "$child" fds"#)
        #expect(run.output == "0 1 2\n")
    }

    @Test("P41: a directory that is gone is no obstacle")
    func goneDirectory() async throws {
        try await withTemporaryFolder { folder in
            let script = #"mkdir "$1/d" && cd "$1/d" && rmdir "$1/d" && exec "$ipc" run -- "$child" exit 3"#
            let run = try await Tool.script(script, folder.string)
            #expect(run.status == 3)
        }
    }
}
