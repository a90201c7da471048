// What tests of shell scripts need: hostile values, scripts put together at run time, the shells of this machine.
import IPC

extension Chance {
    private static let hostile: [String] = [
        "'", "\"", "\\", "`", "$", "$(touch owned)", "`touch owned`", ";touch owned;", "\n", "\r", "\t", " ", "*", "?",
        "[a-z]", "~",
        "-", "--", "-n", "#", "!", "&", "|", "<", ">", "(", ")", "{", "}", "$'", "$\"", "${_ipc_1}", "$_ipc_1",
        "$((1))", "'\"'\"'",
        "\"'\"'\"", "E", "\nE\n", "=", "%s", "%n", "\\0", "\\c", "\u{1}", "\u{7f}", "é", "e\u{301}", "'\u{301}", "日本",
        "a[$(touch owned)]",
    ]

    /// A value: bytes, some of them with a meaning to shells, none of them NUL.
    mutating func value() -> [UInt8] {
        switch Int.random(in: 0..<8, using: &self) {
        case 0: return bytes(Int.random(in: 0...60, using: &self)).map { max($0, 1) }
        case 1: return Array(Chance.hostile.randomElement(using: &self)!.utf8)
        case 2: return []
        default:
            return (0..<Int.random(in: 1...6, using: &self)).flatMap { _ in
                Bool.random(using: &self)
                    ? Array(Chance.hostile.randomElement(using: &self)!.utf8)
                    : bytes(Int.random(in: 0...8, using: &self)).map { max($0, 1) }
            }
        }
    }
}

extension ShellScript {
    /// A script with the same text around each value, and once before and after them all.
    init(_ values: [[UInt8]], before: String, prefix: String, suffix: String, after: String = "") {
        var text = StringInterpolation(literalCapacity: 0, interpolationCount: values.count)
        text.appendInterpolation(raw: before)
        for value in values {
            text.appendInterpolation(raw: prefix)
            text.appendInterpolation(value)
            text.appendInterpolation(raw: suffix)
        }
        text.appendInterpolation(raw: after)
        self.init(stringInterpolation: text)
    }
}

/// A shell to try scripts with.
enum Shell: String, CaseIterable, Sendable {
    case sh, dash, bash
    case bashAsSh = "bash --posix"

    static let present = allCases.filter { ForeignProcess.exists($0.words[0]) }

    private var words: [String] { rawValue.split(separator: " ").map(String.init) }

    /// The command that runs a script, with `/bin/sh` as the library does it.
    func command(_ script: ShellScript) throws -> Command {
        self == .sh ? .shell(script) : command(try script.bytes)
    }

    func command(_ bytes: [UInt8]) -> Command {
        Command(words[0], arguments: Array(words.dropFirst())).adding("-c", bytes, "sh")
    }
}
