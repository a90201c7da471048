// Values reach a shell's commands byte for byte, wherever they stand in the script.
import IPC
import Testing

@Suite(.guarded(limit: .seconds(300)))
struct ShellQuotingTests {
    /// Where values stand: the text before all, before each, after each, after all. Each is printed with a NUL behind it.
    struct Context: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let before: String
        let prefix: String
        let suffix: String
        var after = ""
        var isEnclosed = true
    }

    static let contexts = [
        Context(
            testDescription: "in the open", before: #"printf '%s\0'"#, prefix: " ", suffix: "", isEnclosed: false),
        Context(testDescription: "in double quotes", before: #"printf '%s\0'"#, prefix: #" "["#, suffix: #"]""#),
        Context(testDescription: "in single quotes", before: #"printf '%s\0'"#, prefix: " '[", suffix: "]'"),
        Context(testDescription: "between letters", before: #"printf '%s\0'"#, prefix: " [", suffix: "]"),
        Context(
            testDescription: "in $(...) in double quotes", before: #"printf '%s\0'"#, prefix: #" "$(printf %s "["#,
            suffix: #"]")""#),
        Context(
            testDescription: "in $(...) in $(...)", before: #"printf '%s\0'"#,
            prefix: #" "$(printf %s "$(printf %s ["#, suffix: #"])")""#),
        Context(
            testDescription: "in backquotes in double quotes", before: #"printf '%s\0'"#, prefix: #" "`printf %s ["#,
            suffix: #"]`""#),
        Context(testDescription: "as a default", before: #"printf '%s\0'"#, prefix: #" "${none:-["#, suffix: #"]}""#),
        Context(
            testDescription: "as a default in the open", before: #"printf '%s\0'"#, prefix: #" ${none-["#,
            suffix: #"]}"#),
        Context(
            testDescription: "behind a pattern's removal", before: #"x=yz; printf '%s\0'"#, prefix: #" "${x#y}["#,
            suffix: #"]""#),
        Context(
            testDescription: "in a function, with parameters of its own and all options",
            before: """
                set -- other "parameters"; set -eu; show() { printf '%s\\0' "$@"; }
                f() { show
                """,
            prefix: #" "["#, suffix: #"]""#, after: "; }; f a b"),
        Context(
            testDescription: "in a pipeline and a subshell", before: #"(printf '%s\0'"#, prefix: #" "["#,
            suffix: #"]""#, after: ") | cat | (cat)"),
        Context(
            testDescription: "in case patterns in $(...)", before: "",
            prefix: #"printf '%s\0' "$(case "$(:)" in a) ;; *) printf %s "["#, suffix: "]\";; esac)\"\n"),
        Context(
            testDescription: "in a here-document", before: "", prefix: "cat <<E; printf '\\0'\n[",
            suffix: "]\nE\n", isEnclosed: true),
        Context(
            testDescription: "in an assignment and behind a comment with quotes", before: "",
            prefix: "# it's \"\nx=[", suffix: #"]; printf '%s\0' "$x""# + "\n"),
    ]

    private func run(_ values: [[UInt8]], _ context: Context) async throws {
        let script = ShellScript(
            values, before: context.before, prefix: context.prefix, suffix: context.suffix, after: context.after)
        let bytes = try script.bytes
        check(bytes.count < 131_072, "a script of \(bytes.count) bytes")
        let isHereDocument = context.prefix.hasPrefix("cat")
        let isRemoval = context.prefix.contains("#y")
        let expected = values.flatMap { value -> [UInt8] in
            let enclosed = context.isEnclosed ? Array("[".utf8) + value + Array("]".utf8) : value
            return (isRemoval ? [UInt8(ascii: "z")] : []) + enclosed + (isHereDocument ? [10, 0] : [0])
        }
        for shell in Shell.present {
            let output = try await shell.command(bytes).capture().output.bytes
            expectSame(output, expected, "\(shell.rawValue), \(context.testDescription)")
        }
    }

    @Test("P47, S-38: 100,000 random values through each shell, byte for byte")
    func hundredThousand() async throws {
        var chance = Chance(seed: 47)
        for _ in 0..<125 { try await run((0..<800).map { _ in chance.value() }, Self.contexts[0]) }
    }

    @Test("P47, S-38: in every place that a value can stand in", arguments: contexts)
    func everyPlace(_ context: Context) async throws {
        var chance = Chance(seed: 48)
        let all = [UInt8](1...255)
        let values = all.map { [$0] } + [all, Array(all.reversed()), []] + (0..<300).map { _ in chance.value() }
        for start in stride(from: 0, to: values.count, by: 100) {
            try await run(Array(values[start..<min(values.count, start + 100)]), context)
        }
    }

    @Test(
        "P47: the quoting function's word is the value, for every byte and 20,000 random values",
        arguments: Shell.present)
    func quotedWords(_ shell: Shell) async throws {
        var chance = Chance(seed: 49)
        for round in 0..<40 {
            let values = round == 0 ? (1...255).map { [$0] } : (0..<500).map { _ in chance.value() }
            let words: [UInt8] = Array(values.map { ShellScript.quoted($0) as [UInt8] }.joined(separator: [32]))
            let text = Array("printf '%s\\0' ".utf8) + words
            let program = shell == .bashAsSh ? "bash" : shell.rawValue
            let output = try await Command(program, "-c", text, "sh").capture().output.bytes
            expectSame(output, values.flatMap { $0 + [0] }, "\(shell.rawValue)")
        }
        let accented = "a'\u{301}; echo no"
        #expect(ShellScript.quoted(accented) == "'a'\\''\u{301}; echo no'")
        #expect(ShellScript.quoted("") == "''")
        #expect(ShellScript.quoted(FilePath("/a b")) == Array("'/a b'".utf8))
    }

    @Test func aVeryLongValueGoesThroughTheShellsInput() async throws {
        let value = [UInt8](repeating: UInt8(ascii: "'"), count: 300_000) + [0x81, 0xFF]
        let script: ShellScript = "printf %s \(value)"
        let error = try await #require(throws: StartError.self) { try await Command.shell(script).run() }
        #expect(error.kind == .argumentsTooLong)
        for program in ["sh", "bash"] where ForeignProcess.exists(program) {
            expectSame(try await Command(program).input(try script.bytes).capture().output.bytes, value)
        }
    }
}
