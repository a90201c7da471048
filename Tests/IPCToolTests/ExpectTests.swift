// ipc expect: steps in their order, the program's status, what was seen when it went wrong, no secret anywhere.
import IPC
import Testing

@testable import IPCTests

@Suite(.guarded)
struct ExpectTests {
    private let asking = #"printf 'name: '; read n; echo "hello $n"; exit 4"#

    @Test("The steps are taken in the order in which they stand; the program's status is ours")
    func steps() async throws {
        let run = try await Tool.run(
            "expect", "--timeout", "20", "--expect", "name: ", "--send", "bo", "--send-line=b", "--expect=hello (bob)",
            "--", "sh", "-c", asking)
        #expect(run.output == "name: hello bob\n")
        #expect(run.error == "")
        #expect(run.status == 4)
    }

    @Test func inJSON() async throws {
        let run = try await Tool.run(
            "expect", "--json", "--expect", "name: ", "--send-line", "x", "--expect", "hello (?<who>.)", "--", "sh",
            "-c",
            asking)
        #expect(
            run.output == #"{"status":4,"steps":[{"before":"","captures":[],"expect":"name: ","text":"name: "},"#
                + #"{"sendLine":"x"},{"before":"","captures":["x"],"expect":"hello (?<who>.)","text":"hello x"},"#
                + #"{"rest":"\r\n"}]}"# + "\n")
        #expect(run.status == 4)
        let late = try await Tool.run(
            "expect", "--json", "--timeout", "0.3", "--expect", "x", "--", "sh", "-c", "echo seen; sleep 1000")
        #expect(late.status == 124)
        #expect(late.output.contains(#""kind":"timeout""#) && late.output.contains(#""output":"seen\r\n""#))
        #expect(late.error == "")
    }

    @Test("T4, T5: what was seen stands in the error; the status tells a limit from an end")
    func failures() async throws {
        let late = try await Tool.run(
            "expect", "--timeout", "0.3", "--expect", "x", "--", "sh", "-c", "echo seen; sleep 1000")
        #expect(late.status == 124)
        #expect(late.error == "ipc: expect /x/ from sh: not done within 300 ms; the last it showed: \"seen\\n\"\n")
        let ended = try await Tool.run("expect", "--expect", "x", "--", "sh", "-c", "echo seen; exit 3")
        #expect(ended.status == 3)
        #expect(ended.error.contains(#"before that; the last it showed: "seen\n""#))
        #expect(try await Tool.run("expect", "--expect", "x", "--", "true").status == 71)
        let silent = try await Tool.run("expect", "--timeout", "0.3", "--", "sleep", "1000")
        #expect(silent.status == 124)
        #expect(try await Tool.run("expect", "--", "/no/such/program").status == 127)
        let bad = try await Tool.run("expect", "--expect", "(a", "--", "true")
        #expect(bad.status == 64)
        #expect(bad.error.contains("an opening parenthesis without a closing one, at character 1"))
        #expect(try await Tool.run("expect", "--expect", "x").status == 64)
    }

    @Test("T3: a secret from the environment is nowhere: not with the program, not in ps, not in what is printed")
    func secret() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("cast").string
            let program = """
                exec </dev/tty; env; stty -echo; printf 'Password: '; read w; stty echo
                tr '\\0' '\\n' </proc/$PPID/environ; ps axeww; echo "it has ${#w}: $w"
                """
            for option in ["--raw", "--json"] {
                let run = try await Tool.script(
                    """
                    IPC_PW="$(printf 'wo%s' nderful)" exec "$ipc" expect --timeout 20 --record "$1" \(option) \
                    --expect word: --send-secret-env IPC_PW -- sh -c "$2"
                    """, file, program)
                #expect(run.status == 0)
                #expect(run.output.contains("it has 9: ••••••"))
                let recorded = try await Tool.start("cat", [file]).output
                for text in [run.output, run.error, recorded] { #expect(!text.contains("wonderful")) }
            }
        }
    }

    @Test("A secret that the program shows in pieces is hidden in the one object that is printed")
    func secretInPieces() async throws {
        let program =
            "read -r p; printf 'you said hunt'; sleep 0.1; echo er2; printf 'h\\303'; sleep 0.1; printf '\\244'"
        let run = try await Tool.script(
            #"IPC_PW=hunter2 exec "$ipc" expect --json --send-secret-env IPC_PW --expect 'said \w+' -- sh -c "$1""#,
            program)
        #expect(!run.output.contains("hunt") && !run.output.contains("er2"))
        #expect(run.output.contains("••••••"))
        #expect(run.output.contains("hä"))
    }

    @Test func controlCharactersAreShownAndNotObeyed() async throws {
        let script = #"printf '\033[31mred\033[0m\tx\r\nend\n'"#
        #expect(try await Tool.run("expect", "--", "sh", "-c", script).output == "^[[31mred^[[0m\tx^M\nend\n")
        #expect(
            try await Tool.run("expect", "--raw", "--", "sh", "-c", script).output
                == "\u{1B}[31mred\u{1B}[0m\tx\r\r\nend\r\n")
        let run = try await Tool.run("expect", "--ignore-escapes", "--expect", "^red\tx", "--", "sh", "-c", script)
        #expect(run.status == 0)
    }

    @Test("Who is ended hangs the program up and leaves nothing")
    func ended() async throws {
        let script = """
            "$ipc" expect --expect 'never' -- sh -c 'set -m; sleep 1000 & echo "$!" >"$0"; wait' "$1" & p=$!
            until [ -s "$1" ]; do sleep 0.01; done; kill -TERM $p; wait $p; echo $?
            while kill -0 "$(cat "$1")" 2>/dev/null && ! grep -q 'State:.Z' "/proc/$(cat "$1")/status"; do sleep 0.01; done
            """
        try await withTemporaryFolder { folder in
            let run = try await Tool.script(script, folder.appending("pid").string)
            #expect(run.output == "143\n")
        }
    }

    @Test("After the steps the terminal can be ours", .enabled(if: Terminal.isThere))
    func interact() async throws {
        let inner = #"printf "one: "; read a; printf "two: "; read b; echo "<$a$b>""#
        let run = try await Terminal.script(
            [("two: ", "lo\r"), ("<hello>", "")],
            #""$ipc" expect --expect one: --send-line hel --interact -- sh -c '\#(inner)'"#)
        #expect(run.status == 0)
        #expect(run.output.contains("two: lo\n<hello>"))
    }
}
