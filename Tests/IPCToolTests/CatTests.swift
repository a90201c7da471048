// ipc cat: what Perl's `<>` reads, byte for byte, and its statuses.
import Glibc
import Testing

@testable import IPCTests

@Suite(.guarded)
struct CatTests {
    /// Runs a script in a folder with the files `f1` and `f2`, the last without a line end; standard input is `tmpfile`.
    private func inFolder(_ script: String, _ body: (ToolRun, String) throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let prepare =
                #"cd "$1" && printf 'one\ntwo\n' >f1 && printf 'three' >f2 && printf 'in\0put\377\n' >tmpfile; "#
            try body(try await Tool.script(prepare + script, "\(folder)"), "\(folder)")
        }
    }

    private static let perl = #"perl -e 'while (<>) { print }' "#

    @Test(
        "S-26: the same bytes as Perl's <>, for lists of files, commands and standard input",
        .enabled(if: ForeignProcess.exists("perl")),
        arguments: [
            "f1 'echo cmd1|' - f2 'echo cmd2; echo more|' f1", "", "-", "f2 f1 f2", "'cat f1 f2|' f1", "- f1 -",
            "'printf \"a\\0b\\377\"|' f2", "f1 missing f2", "'exit 3|' f1", "/dev/null f2 /dev/null",
        ])
    func likePerl(_ list: String) async throws {
        let script = #"\#(Self.perl) \#(list) <tmpfile >perl.out 2>/dev/null; "$ipc" cat --commands \#(list) <tmpfile"#
        try await inFolder(script) { run, folder in
            expectSame(run.outputBytes, try bytes(of: "\(folder)/perl.out"), "\(list)")
        }
    }

    private func bytes(of path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        try #require(file >= 0)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(file, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }

    @Test("P-17: without --commands nothing is run, and such a name is a file's")
    func safe() async throws {
        try await inFolder(
            #"echo data >'touch owned|'; "$ipc" cat 'touch owned|' 'touch owned |' '|touch owned'; status=$?; ls; exit $status"#
        ) {
            run, _ in
            #expect(run.status == 71)
            #expect(run.output == "data\nf1\nf2\ntmpfile\ntouch owned|\n")
            #expect(run.errorLines.count == 2)
        }
    }

    @Test("S-26: each missing source is one line, the rest is copied, and the status tells")
    func failures() async throws {
        try await inFolder(#"exec "$ipc" cat --commands f1 missing . f2 "$(printf 'e\033[31m')""#) { run, _ in
            #expect(run.status == 71)
            #expect(run.output == "one\ntwo\nthree")
            #expect(
                run.errorLines == [
                    "ipc: open missing: no such file or directory (ENOENT)", "ipc: read .: is a directory (EISDIR)",
                    #"ipc: open e\u{1B}[31m: no such file or directory (ENOENT)"#,
                ])
        }
        for (names, status) in [
            ("missing", 71), ("'exit 3|'", 3), ("'exit 3|' missing", 71), ("'kill -9 $$|' f1", 137), ("f1", 0),
            ("'nothing-such 2>&-|'", 127),
        ] {
            try await inFolder(#"exec "$ipc" cat --commands \#(names)"#) { run, _ in
                #expect(run.status == status, "\(names)")
            }
        }
    }

    @Test("Names are bytes; - and -- and names that begin with a dash are told apart")
    func names() async throws {
        try await inFolder(
            #"echo a >"$(printf 'b\377')"; echo d >-d; "$ipc" cat "$(printf 'b\377')" -- -d --json 2>&1; rm b*; cd /; exec "$ipc" cat "$1/-d" - <"$1/f1""#
        ) { run, _ in
            #expect(run.output == "a\nd\nipc: open --json: no such file or directory (ENOENT)\nd\none\ntwo\n")
        }
        for arguments in [["cat", "-x"], ["cat", "--no-such"], ["cat", "--commands=yes"]] {
            #expect(try await Tool.start(Tool.path, arguments).status == 64)
        }
        #expect(try await Tool.run("cat", input: "all of it").output == "all of it")
    }

    @Test("I-3: the output's reader leaves: quiet, with the status of a broken pipe; a full disk is one line and 71")
    func outputFails() async throws {
        let head = try await Tool.script(#"{ "$ipc" cat /dev/zero; echo $? >&2; } | head -c 10 >/dev/null"#)
        #expect(head.error == "141\n")
        let command = try await Tool.script(
            #"{ "$ipc" cat --commands 'echo $$ >&2; while :; do echo x; done|'; echo $? >&2; } | head -1 >/dev/null"#)
        #expect(command.errorLines.count == 2 && command.errorLines.last == "141")
        #expect(ends(Int32(command.errorLines.first ?? "") ?? 0))
        let full = try await Tool.script(#""$ipc" cat - >/dev/full"#, input: "text")
        #expect(full.status == 71)
        #expect(full.error == "ipc: write standard output: no space left on device (ENOSPC)\n")
        let closed = try await Tool.script(#""$ipc" cat - >&-"#, input: "text")
        #expect(closed.status == 71)
        #expect(closed.errorLines.count == 1)
        let json = try await Tool.script(#""$ipc" cat --json - >/dev/full"#, input: "text")
        #expect(json.status == 71)
    }

    @Test("I-6: a signal ends the running command, and ipc with its status", arguments: [SIGINT, SIGTERM, SIGHUP])
    func signals(_ signal: Int32) async throws {
        let script = #"""
            "$ipc" cat --commands 'echo ready; exec sleep 1000|' 'echo never|' >"$1/out" & pid=$!
            until [ -s "$1/out" ]; do :; done
            kill -\#(signal) $pid; wait $pid; echo $?; cat "$1/out"
            """#
        // A shell starts what runs in the background with SIGINT ignored, where nothing else is said.
        try await withTemporaryFolder { folder in
            let words = [
                "--default-signal=INT", "ipc=\(Tool.path)", "sh", "-mc", script, "sh", "\(folder)",
            ]
            let run = try await Tool.start("env", words)
            #expect(run.output == "\(128 + signal)\nready\n")
        }
    }

    @Test func oneObjectWithJSONInFailureToo() async throws {
        try await inFolder(#"exec "$ipc" cat --json --commands f1 missing 'exit 4|' f2"#) { run, _ in
            #expect(run.status == 71)
            #expect(
                run.output == """
                    {"failures":[{"errno":"ENOENT","message":"open missing: no such file or directory (ENOENT)","source":"missing"},\
                    {"message":"exit 4|: exited with status 4","source":"exit 4|","status":4}],"output":"one\\ntwo\\nthree"}

                    """)
        }
        try await inFolder(#"exec "$ipc" cat --json - <tmpfile"#) { run, _ in
            #expect(run.output == #"{"failures":[],"outputBase64":"aW4AcHV0/wo="}"# + "\n")
        }
        let much = try await Tool.run("cat", "--json", "/dev/zero")
        #expect(much.status == 71)
        #expect(much.output.hasPrefix(#"{"failures":[],"message":"#))
    }
}
