// How a person's turn at a program's terminal ended.

/// Why a person no longer has the program's terminal, see ``TerminalSession/interact(on:escape:)``.
public enum InteractionEnd: Hashable, Sendable {
    /// The escape key was pressed; the program runs on.
    case escaped
    /// The program has closed the terminal.
    case ended
    /// The person's terminal was hung up.
    case disconnected
}
