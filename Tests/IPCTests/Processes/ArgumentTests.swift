// Arguments reach the program byte for byte.
import IPC
import Testing

@Suite(.guarded)
struct ArgumentTests {
    private func received(_ arguments: [any ProgramArgument]) async throws -> [String] {
        let output = try await Command(TestChild.path, arguments: ["args"] + arguments).capture().output.text
        return output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("I-1: every byte but NUL is passed on, alone and in all neighbourhoods")
    func everyByte() async throws {
        let all = [UInt8](1...255)
        var chance = Chance(seed: 7)
        var arguments = all.map { [$0] } + [all, Array(all.reversed()), []]
        for _ in 0..<200 {
            arguments.append(chance.bytes(Int.random(in: 0...40, using: &chance)).filter { $0 != 0 })
        }
        #expect(try await received(arguments) == arguments.map(hexadecimal))
    }

    @Test("I-1: nothing in an argument is special to anybody on the way")
    func hostile() async throws {
        let texts = [
            "", " ", "a b", ";", "$(reboot)", "`id`", "*", "-", "--", "--help", "\n", "'", "\"", "\\", "~", "#", "%s",
            "&&",
            "\u{1b}[31m", "日本", "é", "e\u{301}",
        ]
        #expect(try await received(texts) == texts.map { hexadecimal($0.utf8) })
    }

    @Test func textPathsNumbersAndBytesAreArguments() async throws {
        let received = try await received(["text", "text".dropFirst(), FilePath("/a/b"), -17, [UInt8](0x80...0x82)])
        #expect(received == ["text", "ext", "/a/b", "-17"].map { hexadecimal($0.utf8) } + ["808182"])
        let more = try await Command.testChild("echo", "a").adding("b", 3).read()
        #expect(more == "a b 3")
    }

    @Test("P15: the program's own name is its argument 0, and there is always one")
    func nameOfTheProgram() async throws {
        #expect(try await Command("sh", "-c", "echo $0").read() == "sh")
        let line = try await Command("cat", "/proc/self/cmdline").capture().output.bytes
        #expect(line == Array("cat\0/proc/self/cmdline\0".utf8))
    }

    @Test("P12: the longest argument that the kernel takes is taken, one byte more is an error")
    func longest() async throws {
        let longest = [UInt8](repeating: 97, count: 131_071)
        #expect(try await Command.testChild("args", longest).capture().output.count == 2 * 131_071 + 1)
        let error = try await #require(throws: StartError.self) {
            try await Command.testChild("args", longest + [97]).run()
        }
        #expect(error.kind == .argumentsTooLong)
    }

    @Test func aCommandDescribesItselfAsOneWouldTypeIt() {
        #expect("\(Command("git", "log", "--format=%h %s", "it's", ""))" == #"git log '--format=%h %s' 'it'\''s' ''"#)
    }
}
