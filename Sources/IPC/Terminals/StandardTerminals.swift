// Whether a stream is a person's terminal.
import CIPC

extension ByteReader {
    /// Whether what it reads is a terminal; Perl's and the shell's `-t`. The C function is `isatty`.
    public var isTerminal: Bool { descriptor.isTerminal }
}

extension ByteWriter {
    /// Whether what it writes to is a terminal, so that a person may be looking. The C function is `isatty`.
    public var isTerminal: Bool { descriptor.isTerminal }
}

extension SharedDescriptor {
    /// What is closed is none.
    fileprivate var isTerminal: Bool { (try? use("look at") { ipc_is_terminal($0) == 1 }) ?? false }
}
