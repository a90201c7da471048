// Colour, where a person sees it: on a terminal, unless NO_COLOR is set or the terminal is dumb.
import FoundationEssentials
import IPC

/// How texts look on a terminal (ECMA-48).
enum Look {
    /// The number of a colour.
    enum Colour: Int {
        case red = 31
        case green = 32
    }

    /// A text in a colour, if it goes to a stream that shows colours.
    static func text(_ text: String, in colour: Colour, on stream: ByteWriter) -> String {
        showsColours(stream) ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Whether escape sequences mean something there.
    static func takesEscapes(_ stream: ByteWriter) -> Bool {
        stream.isTerminal && !["", "dumb"].contains(variable("TERM"))
    }

    /// As <https://no-color.org> has it: a variable that is empty is none.
    private static func showsColours(_ stream: ByteWriter) -> Bool {
        takesEscapes(stream) && variable("NO_COLOR").isEmpty
    }

    private static func variable(_ name: String) -> String { ProcessInfo.processInfo.environment[name] ?? "" }
}
