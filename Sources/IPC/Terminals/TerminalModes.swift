// What a terminal does with what is typed and what is shown: a value that is read, changed and set.
import CIPC

/// The modes of a terminal. The C structure is `termios`.
public struct TerminalModes: Hashable, Sendable, CustomStringConvertible {
    var kernels: ipc_terminal_modes

    init(_ kernels: ipc_terminal_modes) { self.kernels = kernels }

    /// What is typed is shown (`ECHO`).
    public var echoes: Bool {
        get { has(\.local, ipc_terminal_bits.echo) }
        set { set(\.local, ipc_terminal_bits.echo, newValue) }
    }

    /// What is typed is given to the program line by line, with keys to erase and to end (`ICANON`).
    public var readsLines: Bool {
        get { has(\.local, ipc_terminal_bits.canonical) }
        set { set(\.local, ipc_terminal_bits.canonical, newValue) }
    }

    /// Keys send signals: Ctrl-C, Ctrl-\ and Ctrl-Z (`ISIG`).
    public var sendsSignals: Bool {
        get { has(\.local, ipc_terminal_bits.signals) }
        set { set(\.local, ipc_terminal_bits.signals, newValue) }
    }

    /// The Enter key, which is CR, reads as LF (`ICRNL`).
    public var readsReturnAsNewline: Bool {
        get { has(\.input, ipc_terminal_bits.return_to_newline) }
        set { set(\.input, ipc_terminal_bits.return_to_newline, newValue) }
    }

    /// LF is shown as CR LF (`OPOST` and `ONLCR`).
    public var showsNewlineAsReturn: Bool {
        get { has(\.output, ipc_terminal_bits.process_output) && has(\.output, ipc_terminal_bits.newline_to_return) }
        set {
            if newValue { set(\.output, ipc_terminal_bits.process_output, true) }
            set(\.output, ipc_terminal_bits.newline_to_return, newValue)
        }
    }

    /// The character that ends the input at the beginning of a line, Ctrl-D (`VEOF`).
    public var endOfFile: UInt8 {
        get { character(ipc_terminal_bits.end_of_file) }
        set { setCharacter(ipc_terminal_bits.end_of_file, newValue) }
    }

    /// The character that sends `SIGINT`, Ctrl-C (`VINTR`).
    public var interrupt: UInt8 {
        get { character(ipc_terminal_bits.interrupt) }
        set { setCharacter(ipc_terminal_bits.interrupt, newValue) }
    }

    /// The character that sends `SIGQUIT`, Ctrl-\ (`VQUIT`).
    public var quit: UInt8 {
        get { character(ipc_terminal_bits.quit) }
        set { setCharacter(ipc_terminal_bits.quit, newValue) }
    }

    /// The character that sends `SIGTSTP`, Ctrl-Z (`VSUSP`).
    public var suspend: UInt8 {
        get { character(ipc_terminal_bits.suspend) }
        set { setCharacter(ipc_terminal_bits.suspend, newValue) }
    }

    /// Has every byte pass as it is, at once, both ways: nothing is shown, nothing means anything. The C function is
    /// `cfmakeraw`.
    public mutating func makeRaw() { ipc_terminal_make_raw(&kernels) }

    /// The modes with every byte passing as it is.
    public var raw: TerminalModes {
        var modes = self
        modes.makeRaw()
        return modes
    }

    public var description: String {
        func word(_ isOn: Bool, _ name: String) -> String { isOn ? name : "-\(name)" }
        return [
            word(echoes, "echo"), word(readsLines, "icanon"), word(sendsSignals, "isig"),
            word(readsReturnAsNewline, "icrnl"), word(showsNewlineAsReturn, "onlcr"),
        ].joined(separator: " ")
    }

    public static func == (one: TerminalModes, other: TerminalModes) -> Bool { one.bytes == other.bytes }

    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    // MARK: The kernel's structure

    private var bytes: [UInt8] { withUnsafeBytes(of: kernels) { Array($0) } }

    func has(_ word: KeyPath<ipc_terminal_modes, UInt32>, _ bit: UInt32) -> Bool { kernels[keyPath: word] & bit != 0 }

    mutating func set(_ word: WritableKeyPath<ipc_terminal_modes, UInt32>, _ bit: UInt32, _ isOn: Bool) {
        if isOn { kernels[keyPath: word] |= bit } else { kernels[keyPath: word] &= ~bit }
    }

    func character(_ place: Int32) -> UInt8 {
        withUnsafeBytes(of: kernels.characters) { $0[Int(place)] }
    }

    mutating func setCharacter(_ place: Int32, _ value: UInt8) {
        withUnsafeMutableBytes(of: &kernels.characters) { $0[Int(place)] = value }
    }

    static func of(_ number: Int32, _ subject: String) throws(SystemError) -> TerminalModes {
        var modes = ipc_terminal_modes()
        try SystemCall.perform("modes of", on: subject) { ipc_terminal_get_modes(number, &modes) }
        return TerminalModes(modes)
    }

    func set(_ number: Int32, _ subject: String, _ when: ipc_terminal_when = IPC_MODES_NOW) throws(SystemError) {
        var modes = kernels
        try SystemCall.perform("set modes of", on: subject) {
            ipc_terminal_set_modes(number, &modes, Int32(when.rawValue))
        }
    }
}
