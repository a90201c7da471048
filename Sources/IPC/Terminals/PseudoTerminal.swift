// A terminal that is a program: one side for us, the other for a child that takes it for a screen and a keyboard.
import CIPC
import SystemPackage

/// A pseudo-terminal, held by its master side.
///
/// What a program on the other side shows is read from ``output``; what it reads is written to ``input``. When the last
/// program there has closed its side, ``output`` is at its end, after all that was written. See pty(7).
///
/// It closes with ``close()``, or when nobody holds it any more; programs that have it as their controlling terminal are then
/// sent `SIGHUP` by the kernel.
public final class PseudoTerminal: Sendable {
    /// What is shown on the terminal.
    public let output: ByteReader

    /// The keyboard. What is written is typed: control characters do what they do when typed, unless the modes are raw.
    public let input: ByteWriter

    /// The other side's path, such as `/dev/pts/3`.
    public let path: FilePath

    private let master: SharedDescriptor

    /// Makes a terminal, with the kernel's standard modes unless they are changed.
    ///
    /// - Parameters:
    ///   - size: of the window.
    ///   - change: changes the modes before anybody uses them.
    /// - Throws: ``SystemError``, with `ENOSPC` if there are no more terminals and `ENOENT` where the system has none.
    public init(size: TerminalSize = .standard, modes change: (inout TerminalModes) -> Void = { _ in }) throws {
        let subject = "pseudo-terminal"
        let number = try SystemCall.perform("open", on: subject) { ipc_terminal_master() }
        let master = try Descriptor(fresh: number, "open", on: subject)
        let place = try SystemCall.perform("number of", on: subject) { ipc_terminal_number(master.number) }
        path = FilePath("/dev/pts/\(place)")
        let name = path.string
        try size.set(master.number, name)
        var modes = try TerminalModes.of(master.number, name)
        change(&modes)
        try modes.set(master.number, name)
        // A second descriptor: a write that waits has what is shown read into memory meanwhile.
        let keyboard = try master.duplicate()
        self.master = SharedDescriptor(master, .terminal, subject: "terminal \(name)")
        output = ByteReader(self.master)
        let writing = SharedDescriptor(keyboard, .terminal, subject: "terminal \(name)")
        writing.relief = output
        input = ByteWriter(writing)
    }

    deinit { close() }

    /// The size of the window. Setting another sends the programs there `SIGWINCH`. The C call is `ioctl` with `TIOCSWINSZ`.
    ///
    /// - Throws: ``SystemError``, with `ECANCELED` once the terminal is closed.
    public func setSize(_ size: TerminalSize) throws {
        try master.use("set size of") { try size.set($0, path.string) }
    }

    /// The size of the window. The C call is `ioctl` with `TIOCGWINSZ`.
    ///
    /// - Throws: ``SystemError`` once it is closed.
    public var size: TerminalSize {
        get throws { try master.use("size of") { try TerminalSize.of($0, path.string) } }
    }

    /// The modes, which are the same on both sides; programs change them too. The C function is `tcgetattr`.
    ///
    /// - Throws: ``SystemError`` once it is closed.
    public var modes: TerminalModes {
        get throws { try master.use("modes of") { try TerminalModes.of($0, path.string) } }
    }

    /// Sets the modes. The C function is `tcsetattr`.
    ///
    /// - Throws: ``SystemError``.
    public func setModes(_ modes: TerminalModes) throws {
        try master.use("set modes of") { try modes.set($0, path.string) }
    }

    /// Sends a signal to the programs in the foreground, as its key does. The C call is `ioctl` with `TIOCSIG`.
    ///
    /// - Throws: ``SystemError``.
    public func send(_ signal: Signal) throws {
        try master.use("send \(signal)") { number in
            // The kernel's call knows the three signals that have keys.
            if ipc_terminal_signal(number, signal.number) == 0 { return }
            let group = ipc_get_foreground_group(number)
            guard group > 1 else { throw SystemError("send \(signal)", on: path.string, .noSuchProcess) }
            try SystemCall.perform("send \(signal)", on: path.string) { ipc_kill(-group, signal.number) }
        }
    }

    /// The group of processes that has the foreground; `nil` if there is none.
    ///
    /// The C function is `tcgetpgrp`.
    ///
    /// - Throws: ``SystemError`` once it is closed.
    public var foregroundGroup: ProcessGroupID? {
        get throws { try master.use("foreground of") { ProcessGroupID(max(0, ipc_get_foreground_group($0))) } }
    }

    /// Opens the other side. It does not become this process's controlling terminal. The C call is `ioctl` with
    /// `TIOCGPTPEER`, which needs no path and so reaches no other terminal.
    ///
    /// - Throws: ``SystemError``.
    public func openOtherSide() throws -> Descriptor {
        try master.use("open") { number in
            let peer = try SystemCall.perform("open", on: path.string) { ipc_terminal_peer(number) }
            return try Descriptor(fresh: peer, "open", on: path.string)
        }
    }

    /// Closes our side: calls that wait end with `ECANCELED`, and the kernel hangs the other side up. Closing again does
    /// nothing.
    public func close() {
        output.close()
        input.descriptor.close()
    }
}

extension Command {
    /// The command whose program leads a session on a terminal: it is its controlling terminal, and its standard streams as
    /// far as the command does not say otherwise.
    ///
    /// ```swift
    /// let terminal = try PseudoTerminal()
    /// let child = try await Command("vi", "notes").onTerminal(terminal).start()
    /// ```
    ///
    /// The program, and what it starts in whichever group of its session, is the child's tree. For a conversation there is
    /// ``withTerminal(size:echo:bufferLimit:recording:timeout:grace:_:)``.
    public func onTerminal(_ terminal: PseudoTerminal) -> Command {
        changed {
            $0.setup.session = .leading
            $0.setup.terminal = { DescriptorBox(try terminal.openOtherSide()) }
        }
    }
}
