// The terminal's foreground, lent to a program for the time of its run.
import CIPC

/// The terminal that this process's group holds the foreground of, through its standard input.
struct ForegroundTerminal {
    let number: Int32 = 0
    private let ours: Int32

    /// `nil` if the program is not to read from the terminal, there is none, or its foreground is not ours to lend.
    init?(for input: Command.Input) {
        guard case .inherit = input.source, ipc_is_terminal(0) == 1 else { return nil }
        ours = ipc_process_group(0)
        guard ours > 0, ipc_get_foreground_group(0) == ours else { return nil }
    }

    /// Takes the foreground back from the program's group.
    func takeBack() { _ = ipc_set_foreground_group(number, ours) }
}
