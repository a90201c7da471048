// Whether a stream is a person's terminal.

extension ByteReader {
    /// Whether what it reads is a terminal; Perl's and the shell's `-t`. The C function is `isatty`.
    public var isTerminal: Bool { descriptor.isTerminal }
}

extension ByteWriter {
    /// Whether what it writes to is a terminal, so that a person may be looking. The C function is `isatty`.
    public var isTerminal: Bool { descriptor.isTerminal }
}

extension SharedDescriptor {
    /// Only a terminal has modes. What is closed is none.
    fileprivate var isTerminal: Bool { (try? use("look at") { try TerminalModes.of($0, subject) }) != nil }
}
