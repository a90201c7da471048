// Colour, where a person sees it: on a terminal, unless NO_COLOR is set or the terminal is dumb.
import Glibc

/// Colours of a terminal (ECMA-48).
enum Colour: Int {
    case red = 31
    case green = 32

    /// A text in this colour, if it goes to a stream that shows colours.
    func text(_ text: String, on stream: StandardStream) -> String {
        stream.showsColours ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
    }
}

/// One of the streams that a person may look at.
enum StandardStream: Int32 {
    case output = 1
    case error = 2

    var isTerminal: Bool { isatty(rawValue) == 1 }

    /// Whether escape sequences mean something there.
    var takesEscapes: Bool { isTerminal && !["", "dumb"].contains(variable("TERM")) }

    /// As <https://no-color.org> has it: a variable that is empty is none.
    var showsColours: Bool { takesEscapes && variable("NO_COLOR").isEmpty }

    private func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
}
