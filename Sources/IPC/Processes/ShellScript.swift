// A text for the shell in which values are data: they stand in variables, and the text only names those.
import SystemPackage

extension Command {
    /// A script for `/bin/sh`: the only way to a shell.
    ///
    /// ```swift
    /// let count = try await Command.shell("grep -F \(word) *.txt | wc -l").read()
    /// ```
    ///
    /// The text is the program's own and must be a literal; passing a `String` variable does not compile. Every value that is
    /// interpolated becomes one word, whatever characters it has; see ``ShellScript``. Arguments that ``adding(_:)`` adds are
    /// the script's parameters, from `$1` on.
    ///
    /// What cannot be made safe is refused by the start, with ``StartError`` of kind `invalidArgument`; a script of more than
    /// 131,071 bytes with `argumentsTooLong`. Longer ones go through the shell's input: `Command("sh").input(script.bytes)`.
    public static func shell(_ script: ShellScript) -> Command {
        let rendering = script.rendering
        var command = Command("/bin/sh", "-c", rendering.bytes, "sh")
        command.script = script
        command.scriptDefect = rendering.defect
        return command
    }
}

/// A script for the shell: the literal parts are the program's own text, every interpolated value is one word.
///
/// ```swift
/// let script: ShellScript = "tar -C \(folder) -cf - -- \(words: names) | \(raw: compressor) >\(archive)"
/// ```
///
/// A value may stand wherever the shell expands a variable: in the open, within double or single quotes, in `$(...)`, in a
/// here-document. It is never put into the text. The script begins with assignments of all values to variables, and in each
/// place stands the variable's name, so that the shell has read the script's structure before it meets the value. The
/// variables are called `_ipc_1` and so on, are not exported, and `set --`, `set -u` and `set -e` do not touch them.
///
/// A value is refused where the shell would take it for code in spite of that, as far as the text shows it: in arithmetic,
/// which bash takes for a program (`$((...))`, `((...))`, `[[...]]`, `let`, `name[...]`, `${name:...}`), for `eval`, `trap`,
/// `alias` and `sh -c`, as the name of a variable to `read`, `unset` and the like. Hidden ones cannot be seen: a command
/// that is itself in a variable, another language's program (`awk`, `perl -e`), what another computer's shell gets from
/// `ssh`. Give those the value as a parameter, or the whole ``bytes`` of a script of its own.
///
/// A word that begins with `-` may still be an option to the program that gets it; `--` before it says that it is none.
public struct ShellScript: Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// Literals alone make a script: the type has no value that was made at run time.
    public typealias StringLiteralType = StaticString

    /// A part of a script.
    enum Part: Sendable {
        /// The program's own text.
        case text([UInt8])
        /// Values, one word each.
        case words([[UInt8]])
    }

    let parts: [Part]

    /// Collects the parts of a literal.
    public struct StringInterpolation: StringInterpolationProtocol {
        var parts: [Part] = []

        /// An empty collection, as the compiler makes it for a literal.
        public init(literalCapacity: Int, interpolationCount: Int) { parts.reserveCapacity(2 * interpolationCount + 1) }

        /// The program's own text.
        public mutating func appendLiteral(_ literal: StaticString) { append(literal.bytes) }

        /// One value, which becomes one word: a `String`, a `FilePath`, an `Int`, an array of bytes.
        public mutating func appendInterpolation(_ value: some ProgramArgument) {
            parts.append(.words([value.argumentBytes]))
        }

        /// Several values, a word each, like the shell's own `"$@"`; none for an empty array.
        ///
        /// Within quotes they are one word, with a space between each two.
        public mutating func appendInterpolation(words: [any ProgramArgument]) {
            parts.append(.words(words.map(\.argumentBytes)))
        }

        /// Text that the shell takes as it is, code and all. Nothing that came from outside may be in it.
        public mutating func appendInterpolation(raw text: String) { append(Array(text.utf8)) }

        /// No two texts are neighbours, so that what is read of one needs no other.
        private mutating func append(_ text: [UInt8]) {
            if case .text(let former)? = parts.last {
                parts[parts.count - 1] = .text(former + text)
            } else {
                parts.append(.text(text))
            }
        }
    }

    /// A script without values.
    public init(stringLiteral text: StaticString) { parts = [.text(text.bytes)] }

    /// A script with values.
    public init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }

    /// The script as the shell gets it, for another way to a shell, such as `Command("ssh", host, try script.bytes)`.
    ///
    /// - Throws: ``StartError`` with `invalidArgument` if a value stands where the shell would take it for code, or has a
    ///   NUL inside.
    public var bytes: [UInt8] {
        get throws {
            let rendering = rendering
            if let defect = rendering.defect { throw defect }
            return rendering.bytes
        }
    }

    /// The script as one would have typed it, with each value quoted in its place: for messages, not for a shell.
    public var description: String {
        parts.map { part in
            switch part {
            case .text(let bytes): String(decoding: bytes, as: UTF8.self)
            case .words(let values): values.map(Command.typed).joined(separator: " ")
            }
        }.joined()
    }

    // MARK: Quoting

    /// A value as one word of the shell, for text that is put together by other means.
    ///
    /// The word must stand in the open, outside quotes of the text around it. A NUL stays in it, with which no program can be
    /// started. Proved for dash and bash, with all bytes.
    public static func quoted(_ value: some ProgramArgument) -> [UInt8] {
        let quote = UInt8(ascii: "'")
        var word = [quote]
        for byte in value.argumentBytes {
            word.append(byte)
            if byte == quote { word += [UInt8(ascii: "\\"), quote, quote] }
        }
        return word + [quote]
    }

    /// A text as one word of the shell, as ``quoted(_:)->[UInt8]`` gives it for bytes.
    public static func quoted(_ text: String) -> String {
        // By bytes: as characters, a quote with an accent on it would be another one.
        let bytes: [UInt8] = quoted(Array(text.utf8))
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension StaticString {
    var bytes: [UInt8] { withUTF8Buffer { Array($0) } }
}
