// No value is ever run: refused where a shell would, and data in every other script, however it is put together.
import Glibc
import IPC
import Testing

@Suite(.guarded(limit: .seconds(300)))
struct ShellSafetyTests {
    private static let value = "a[$(touch owned)]"

    private func refusal(_ script: ShellScript) async -> StartError? {
        await failure { _ = try await Command.shell(script).run() } as? StartError
    }

    @Test("S-38: a value that the shell would calculate with, or run, is refused, with the reason")
    func refused() async {
        let v = Self.value
        let scripts: [(ShellScript, String)] = [
            ("echo $((\(v)))", "arithmetic"), ("echo $(( 1 + $(echo \(v)) ))", "arithmetic"),
            ("((x = \(v)))", "arithmetic"),
            ("echo \"$((\(v)))\"", "arithmetic"), ("echo $[\(v)]", "arithmetic"),
            ("for ((i=\(v);;)); do :; done", "arithmetic"),
            ("cat <<E\n$((\(v)))\nE\n", "arithmetic"), ("let x=\(v)", "let"), ("let \"x=\(v)\"", "let"),
            ("[[ \(v) -eq 0 ]]", "[["), ("if true && [[ -n x && \(v) -eq 0 ]]; then :; fi", "[["),
            ("a[\(v)]=1", "index"), ("echo ${a[\(v)]}", "${"), ("echo ${x:\(v)}", "${"), ("echo \"${x:0:\(v)}\"", "${"),
            ("echo ${x/\(v)/y}", "${"), ("echo ${\(v)}", "${"), ("echo ${!\(v)}", "${"), ("echo ${#\(v)}", "${"),
            ("echo \"${x:-\"\(v)\"}\"", "quotes"), ("eval \(v)", "eval"), ("eval \"echo \(v)\"", "eval"),
            ("e'v'al \(v)", "eval"), ("\\eval \(v)", "eval"), ("true; command eval \(v)", "eval"),
            ("x=1 eval \(v)", "eval"),
            ("! time -p eval \(v)", "eval"), ("$none eval \(v)", "eval"), ("\(words: []) eval \(v)", "eval"),
            ("> /dev/null eval \(v)", "eval"), ("2>&1 eval \(v)", "eval"), ("for x do eval \(v); done", "eval"),
            ("case x in x) eval \(v);; esac", "eval"), ("echo $(eval \(v))", "eval"), ("f() { eval \(v); }", "eval"),
            ("eval \"$(echo \(v))\"", "eval"), ("cat <<E\n$x\nE\neval \(v)", "eval"), ("`:` eval \(v)", "eval"),
            ("${none}eval \(v)", "eval"),
            ("\("")eval \(v)", "eval"), ("cat <<E\n`:`$(:)\nE\neval \(v)", "eval"), ("${none}a[\(v)]=1", "index"),
            ("trap \(v) EXIT", "trap"), ("alias x=\(v)", "alias"),
            ("read \(v)", "name"), ("unset \(v)", "name"), ("printf -v \(v) x", "name"), ("[ -v \(v) ]", "name"),
            ("test -v \(v)", "name"), ("declare \(v)", "more than a text"), ("declare -i x=\(v)", "more than a text"),
            ("local -n x=\(v)", "more than a text"), ("export \(v)", "more than a text"),
            ("typeset x[\(v)]=1", "index"),
            ("sh -c \(v)", "another shell"), ("sh -c 'echo \(v)'", "another shell"),
            ("bash -ec \"\(v)\" x", "another shell"),
            ("find . -exec /bin/sh -c 'x \(v)' ';'", "another shell"), ("su -c \(v)", "another shell"),
            ("echo \\\(v)", "backslash"), ("echo \"\\\(v)\"", "backslash"), ("echo $\(v)", "dollar"),
            ("echo \"$\(v)\"", "dollar"),
            ("cat <<\(v)\n", "delimiter"), ("cat <<E\(v)\n", "delimiter"), ("cat <<'E'\n\(v)\nE\n", "here-document"),
            ("cat <<\\E\n\(v)\nE\n", "here-document"), ("echo `echo \\`echo \(v)\\``", "backquotes"),
            ("echo $'a\\'b' \(v)", "$'"), ("echo \([65, 0] as [UInt8])", "NUL"),
        ]
        for (script, reason) in scripts {
            let error = await refusal(script)
            #expect(error?.kind == .invalidArgument, "\(script)")
            #expect(error?.detail.contains(reason) == true, "\(script): \(error?.detail ?? "")")
            #expect(throws: StartError.self) { try script.bytes }
        }
        let error = await refusal("echo \("fine") $((\("1")))")
        #expect(
            error?.description
                == "start sh with value 2 of its script: invalid argument (EINVAL): it stands in arithmetic, "
                + "where bash would run a part of it")
    }

    @Test("S-38: what only looks like that is not refused, and means what it says")
    func allowed() async throws {
        let v = "a $x ' \" \\ b"
        let scripts: [(ShellScript, String)] = [
            ("printf '%s %s' eval \(v)", "eval " + v), ("printf %s 'let x='\(v)", "let x=" + v),
            ("echo $((1 + 1)); printf %s \(v)", "2\n" + v), ("(printf %s \(v))", v), ("( (printf %s \(v)) )", v),
            ("sh -c 'printf %s \"$1\"' sh \(v)", v), ("x=\(v); printf %s \"$x\"", v),
            ("export X=\(v); sh -c 'printf %s \"$X\"'", v),
            ("X=\(v) sh -c 'printf %s \"$X\"'", v), ("case \(v) in \(v)) printf %s yes;; esac", "yes"),
            ("for x in \(v) 1; do printf '%s;' \"$x\"; done", v + ";1;"), ("printf %s \"\\$\(v)\"", "$" + v),
            ("printf %s \"$$\(v)\" | sed 's/^[0-9]*//'", v), ("printf %s \"\\\\\(v)\"", "\\" + v),
            ("if [ \(v) = \(v) ]; then echo; fi", "\n"),
            ("x=a.b; printf %s \"${x%\(".b")}\"", "a"), ("x='a*'; printf %s \"${x%\("*")}\"", "a"),
            ("printf %s 'it'\\''s '\(v)", "it's " + v),
            ("cat <<E\n\(v) $((1+1))\nE\nprintf %s \(v)", v + " 2\n" + v),
            ("cat <<-E\n\t\(v)\n\tE\nprintf %s '\(v)'", v + "\n" + v),
            ("cat <<A <<'B'; printf %s \(v)\nA\n$(\nB\n", "$(\n" + v), ("printf %s x#\(v)", "x#" + v),
            ("printf %s \(v) # it's \(v)", v),
            ("printf '%s\n' \(v) | { read -r x; printf %s \"$x\"; }", v), ("printf %s a\\ \\\"\(v)", "a \"" + v),
            ("printf %s \"`printf %s \(v)`\"", v), ("f() { printf %s \"$1\"; }; f \(v)", v), ("printf %s \\\n\(v)", v),
            (
                """
                # it's a comment
                printf '%s' \(v) \\
                    2>&1
                """, v
            ),
        ]
        for (script, expected) in scripts {
            for shell in Shell.present {
                let seen = try await shell.command(script).capture().output.text
                #expect(seen == expected, "\(shell.rawValue): \(script)")
            }
        }
    }

    @Test(
        "P47: in 2,000 scripts of random pieces no value is run, and none finds its way into a file",
        arguments: Shell.present)
    func randomScripts(_ shell: Shell) async throws {
        let pieces = [
            "\"", "\"", "'", "'", "`", "$(", ")", "${y:-", "${y#", "${y:", "}", "\\", "#", "\n", "\n", " ", " ", " ",
            ";", "&&", "|",
            "echo", "printf %s", ":", "x=", "$", "$y", "cat <<E\n", "<<'E'\n", "\nE\n", "$((", "((", "))", "[[ ", " ]]",
            "-eq 0", "let ",
            "a[", "]", "eval ", "trap ", "unset ", "declare ", "declare -i z=", "read ", "case x in ", "in ", "esac",
            ";;", "if ", "then ",
            "fi", "{ ", "; }", "!", "f()", "$'", "$\"", "$[", "test -v ", "sh -c ", "exit", "<", ">&2 ", "&",
        ]
        let hostile = [
            "$(touch owned)", "`touch owned`", ";touch owned;", "\n:\ntouch owned\n", "\";touch owned;\"",
            "';touch owned;'",
            "a[$(touch owned)]", "a[`touch owned`]=1", ")$(touch owned)", "}$(touch owned)", "\nE\n$(touch owned)\n",
            "x\\", "E", "EXIT",
            "|touch owned", "&& touch owned", "0+a[$(touch owned)]", "\\\";touch owned #", "\\';touch owned #", "-c",
            "-v", "-i", "y",
        ]
        try await withTemporaryFolder { folder in
            var chance = Chance(seed: 38)
            var (ran, refused) = (0, 0)
            for _ in 0..<2000 {
                var text = ShellScript.StringInterpolation(literalCapacity: 0, interpolationCount: 8)
                for _ in 0..<Int.random(in: 2...14, using: &chance) {
                    if Int.random(in: 0..<3, using: &chance) == 0 {
                        text.appendInterpolation(hostile.randomElement(using: &chance)!)
                    } else {
                        text.appendInterpolation(raw: pieces.randomElement(using: &chance)!)
                    }
                }
                let script = ShellScript(stringInterpolation: text)
                guard let command = try? shell.command(script) else {
                    refused += 1
                    continue
                }
                do {
                    _ = try await command.directory(folder).unchecked().capture(timeout: .seconds(20))
                    ran += 1
                } catch let error as StartError where error.kind == .invalidArgument {
                    refused += 1
                }
                if access("\(folder)/owned", F_OK) == 0 {
                    Issue.record("\(shell.rawValue) ran a value: \(script)")
                    unlink("\(folder)/owned")
                }
            }
            #expect(ran > 500 && refused > 200, "\(ran) ran, \(refused) were refused")
        }
    }

    @Test func valuesAreNotExportedAndThePlaceOfALineStays() async throws {
        #expect(try await Command.shell("env | grep -c _ipc_ || true; : \("x")").read() == "0")
        let error = try await #require(throws: CommandError.self) {
            try await Command.shell("echo \("a\nb") >/dev/null\n\nnot-a-command-at-all").capture()
        }
        #expect(error.result.error.text.contains("not-a-command-at-all"))
        #expect(error.status == .exited(127))
    }

    @Test func wordsAreOneEachAndNoneForNone() async throws {
        let names = ["a b", "", "*", "-n"]
        #expect(try await Command.shell("printf '[%s]' \(words: names)").read() == "[a b][][*][-n]")
        #expect(try await Command.shell("printf '[%s]' x\(words: names)y").read() == "[xa b][][*][-ny]")
        #expect(
            try await Command.shell("printf '[%s]' \"\(words: names)\" '\(words: names)'").read()
                == "[a b  * -n][a b  * -n]")
        #expect(try await Command.shell("set -- \(words: []); echo $#").read() == "0")
        #expect(
            try await Command.shell("echo \(3) \(FilePath("/a b")) \("sub".dropFirst()) \([UInt8](65...67))").read()
                == "3 /a b ub ABC")
    }

    @Test func rawTextIsTheProgramsOwnAndTakesPartInTheQuotes() async throws {
        #expect(try await Command.shell("\(raw: "printf %s '")\("it's $x")\(raw: "'")").read() == "it's $x")
        #expect(await refusal("\(raw: "ev")\(raw: "al ")\(Self.value)")?.kind == .invalidArgument)
        let inner: ShellScript = "printf %s \("in ' ner")"
        let text = String(decoding: try inner.bytes, as: UTF8.self)
        #expect(
            try await Command.shell("printf %s \("outer "); \(raw: text); printf %s \(" again")").read()
                == "outer in ' ner again")
        #expect(try await Command.shell("sh -s <<E\n\(text)\nE\n").read() == "in ' ner")
    }

    @Test func aScriptIsACommandLikeAnyOther() async throws {
        #expect(try await Command.shell("printf %s \"$0 $1\"").adding("a b").read() == "sh a b")
        #expect(try await Command.shell("cat; exit 0").input("text").read() == "text")
        #expect(try await Command.shell("-x 2>/dev/null; echo next").read() == "next")
        var lines: [String] = []
        for try await line in Command.shell("printf '%s\n' \("b") \("a") | sort").lines() { lines.append(line) }
        #expect(lines == ["a", "b"])
        let error = try await #require(throws: CommandError.self) { try await Command.shell("exit \(3)").run() }
        #expect(error.status == .exited(3))
        let script: ShellScript = "grep -F \("it's") \("plain") *.txt | wc -l"
        #expect("\(Command.shell(script))" == "grep -F 'it'\\''s' plain *.txt | wc -l")
        #expect("\(Command.shell("echo \("a b")").adding("c"))" == "/bin/sh -c 'echo '\\''a b'\\''' sh c")
    }
}
