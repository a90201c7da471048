// The terminal that a person sits at: its modes for the time of a body, its size, a secret asked for.
import CIPC
import Synchronization
import SystemPackage

/// A terminal that this program was given: the one it was started on.
///
/// It is shared with the shell and other programs, so it is never made non-blocking, and modes are changed for the time of a
/// body only, ``withModes(_:_:)``.
public final class Terminal: Sendable {
    /// The keyboard.
    public let input: ByteReader

    /// The screen.
    public let output: ByteWriter

    /// What the terminal is, as errors name it.
    public let name: String

    private let descriptor: SharedDescriptor

    /// The controlling terminal of this process, whatever its standard streams are. It is what `/dev/tty` opens.
    ///
    /// - Throws: ``SystemError`` with `ENXIO` if the process has none.
    public static func controlling() throws -> Terminal {
        let opened = try Descriptor.open("/dev/tty", for: .readWrite)
        return try Terminal(opened, name: "controlling terminal")
    }

    /// The terminal that standard input is.
    ///
    /// - Throws: ``TerminalError`` with `notATerminal`.
    public static func ofStandardInput() throws -> Terminal {
        try Terminal(.borrowing(0, writing: false, subject: "standard input"), borrowing: 0, name: "standard input")
    }

    /// A terminal that belongs to the object from now on.
    ///
    /// - Throws: ``TerminalError`` with `notATerminal`; ``SystemError``.
    public convenience init(_ descriptor: consuming Descriptor) throws {
        let name = "descriptor \(descriptor.number)"
        try self.init(descriptor, name: name)
    }

    private convenience init(_ descriptor: consuming Descriptor, name: String) throws {
        let kept = try descriptor.duplicate()
        try self.init(
            .adopting(descriptor, writing: false, subject: name),
            kept: SharedDescriptor(kept, .immediate, subject: name),
            name: name)
    }

    private convenience init(_ input: SharedDescriptor, borrowing number: Int32, name: String) throws {
        let kept = SharedDescriptor(borrowing: number, .immediate, subject: name)
        try self.init(input, kept: kept, name: name)
    }

    private init(_ input: SharedDescriptor, kept: SharedDescriptor, name: String) throws {
        guard ipc_is_terminal(kept.number) == 1 else { throw TerminalError(.notATerminal, "use", on: name) }
        self.name = name
        self.input = ByteReader(input)
        output = ByteWriter(.borrowing(kept.number, writing: true, subject: name))
        descriptor = kept
    }

    /// The modes. The C function is `tcgetattr`.
    ///
    /// - Throws: ``SystemError`` with `EIO` once the terminal is hung up.
    public var modes: TerminalModes { get throws { try TerminalModes.of(descriptor.number, name) } }

    /// The size of the window. The C call is `ioctl` with `TIOCGWINSZ`; `SIGWINCH` tells of another.
    ///
    /// - Throws: ``SystemError`` with `EIO` once the terminal is hung up.
    public var size: TerminalSize { get throws { try TerminalSize.of(descriptor.number, name) } }

    /// Runs a body while the terminal has other modes.
    ///
    /// ```swift
    /// try await terminal.withModes(terminal.modes.raw) { ... }
    /// ```
    ///
    /// Afterwards it has its former ones, however the body ends. So it has if a signal ends or stops the process, a fault of its
    /// own included; continued, it has the body's modes again. Left alone are signals that somebody handles or ignores, and
    /// a terminal whose foreground another program has by then.
    ///
    /// - Throws: what `body` throws; ``SystemError``, with `EBUSY` for more than 16 such bodies inside each other.
    public func withModes<Result>(
        _ modes: TerminalModes, _ body: () async throws -> Result
    ) async throws -> Result {
        let scope = try ModesScope(descriptor, try self.modes, name: name)
        defer { scope.end() }
        try scope.set(modes)
        return try await body()
    }

    /// Asks for a secret: what is typed is not shown. `nil` is the end of the input.
    ///
    /// - Parameters:
    ///   - prompt: what to show before; nothing is added to it.
    ///   - timeout: how long it may take; as long as it wants for `nil`.
    /// - Throws: ``TimeoutError``, ``SystemError``, `CancellationError`, ``ReadError``.
    public func readSecret(prompt: String = "Password: ", timeout: Duration? = nil) async throws -> Secret? {
        var modes = try modes
        modes.echoes = false
        modes.readsLines = true
        modes.sendsSignals = true
        return try await withModes(modes) {
            // What was typed before the question is no answer; what is left of an unfinished one is nobody's.
            _ = ipc_terminal_flush(descriptor.number, 1, 0)
            var isWhole = false
            defer { if !isWhole { _ = ipc_terminal_flush(descriptor.number, 1, 0) } }
            try await output.write(prompt)
            let line = try await input.readLine(limit: 4096, timeout: timeout)
            isWhole = true
            try await output.write("\n")
            return line.map { Secret($0) }
        }
    }
}

/// Modes for some time, and the guard that ends them with the process.
private struct ModesScope {
    private let descriptor: SharedDescriptor
    private let former: TerminalModes
    private let name: String
    private let number: Int32

    init(_ descriptor: SharedDescriptor, _ former: TerminalModes, name: String) throws(SystemError) {
        // So that a stack's overflow can be handled too.
        _ = ipc_fault_stack()
        (self.descriptor, self.former, self.name) = (descriptor, former, name)
        var modes = former.kernels
        number = try SystemCall.perform("guard modes of", on: name) {
            ExitGuard.turn.withLock { _ in ipc_guard_terminal_enter(descriptor.number, &modes, &modes) }
        }
    }

    func set(_ modes: TerminalModes) throws {
        try modes.set(descriptor.number, name)
        var own = try TerminalModes.of(descriptor.number, name).kernels
        ipc_guard_terminal_update(number, &own)
    }

    func end() {
        // In the background it is another's, and has been put in order when we were stopped.
        if ipc_terminal_is_ours(descriptor.number) == 1 { try? former.set(descriptor.number, name) }
        ExitGuard.turn.withLock { _ in ipc_guard_terminal_leave(number) }
    }
}
