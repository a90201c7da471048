// A serial line: a device that bytes go to and come from, raw, with settings of its own.
import CIPC
public import SystemPackage

/// A device on a serial line.
///
/// ```swift
/// let line = try SerialLine(at: "/dev/ttyUSB0", SerialSettings(speed: 115_200))
/// try await line.writer.write("AT\r")
/// let answer = try await line.reader.readLine(timeout: .seconds(2))
/// ```
///
/// Bytes pass as they are, both ways. The device has its former modes back when the line is closed by ``close()``, or nobody
/// holds it any more. See termios(3).
public final class SerialLine: Sendable {
    /// What comes.
    public let reader: ByteReader
    /// What goes out.
    public let writer: ByteWriter
    /// The device.
    public let path: FilePath

    private let device: SharedDescriptor
    private let former: TerminalModes

    /// Opens a device. It does not become the controlling terminal, and nobody else but root can open it meanwhile
    /// (`TIOCEXCL`).
    ///
    /// - Throws: ``SystemError``, with `EBUSY` if somebody else has it for himself, with `EINVAL` for settings that no line has,
    ///   or that this device does not take; ``TerminalError`` with `notATerminal`.
    public init(at path: FilePath, _ settings: SerialSettings = SerialSettings()) throws {
        let name = path.string
        // Without O_NONBLOCK the call waits for a modem's carrier.
        let number = try SystemCall.perform("open", on: name) {
            path.withPlatformString { ipc_open($0, IPC_O_RDWR | IPC_O_NOCTTY | IPC_O_NONBLOCK, 0) }
        }
        let opened = try Descriptor(fresh: number, "open", on: name)
        guard ipc_is_terminal(opened.number) == 1 else { throw TerminalError(.notATerminal, "use", on: name) }
        try SystemCall.perform("open", on: name) { ipc_terminal_exclusive(opened.number, 1) }
        former = try TerminalModes.of(opened.number, name)
        self.path = path
        device = SharedDescriptor(opened, .nonblocking, subject: name)
        reader = ByteReader(device)
        writer = ByteWriter(device)
        do { try set(settings) } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    /// The settings, as the device has them.
    ///
    /// - Throws: ``SystemError`` with `EIO` once the device is gone.
    public var settings: SerialSettings {
        get throws { SerialSettings(try device.use("settings of") { try TerminalModes.of($0, path.string) }) }
    }

    /// Changes the settings at once.
    ///
    /// - Throws: ``SystemError`` with `EINVAL` for settings that no line has, or that this device does not take.
    public func set(_ settings: SerialSettings) throws {
        if let defect = settings.defect { throw SystemError("set \(defect) of", on: path.string, .invalidArgument) }
        try device.use("set") { number in
            var modes = try TerminalModes.of(number, path.string)
            settings.apply(to: &modes)
            try modes.set(number, path.string)
            // The kernel leaves out what the device cannot do, and says nothing.
            guard settings.isMet(by: SerialSettings(try TerminalModes.of(number, path.string))) else {
                throw SystemError("set all settings of", on: path.string, .invalidArgument)
            }
        }
    }

    /// Waits until all that was written has gone out. The C function is `tcdrain`.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`, ``SystemError``.
    public func drain(timeout: Duration? = nil) async throws { try await drain(Deadline.after(timeout)) }

    /// Waits until all that was written has gone out, as ``drain(timeout:)`` does, until a deadline.
    public func drain(deadline: Deadline) async throws { try await drain(.some(deadline)) }

    private func drain(_ deadline: Deadline?) async throws {
        guard device.enter() else { throw device.closedError("drain") }
        defer { device.leave() }
        let number = device.number
        _ = try await BlockingCall.perform("drain", on: path.string, deadline: deadline) {
            Int(ipc_terminal_drain(number))
        }
    }

    /// Holds the line at 0 for a quarter to half a second, which the other side takes for an interruption. The C function is
    /// `tcsendbreak`.
    ///
    /// - Throws: `CancellationError`, ``SystemError``.
    public func sendBreak() async throws {
        guard device.enter() else { throw device.closedError("send break to") }
        defer { device.leave() }
        let number = device.number
        _ = try await BlockingCall.perform("send break to", on: path.string, deadline: nil) {
            Int(ipc_terminal_send_break(number))
        }
    }

    /// Drops what has come and was not read, and what was written and has not gone out. The C function is `tcflush`.
    ///
    /// - Throws: ``SystemError``.
    public func discard(input: Bool = true, output: Bool = true) throws {
        guard input || output else { return }
        try device.use("discard") { number in
            try SystemCall.perform("discard", on: path.string) {
                ipc_terminal_flush(number, input ? 1 : 0, output ? 1 : 0)
            }
        }
    }

    /// The lines beside those for data.
    public struct ControlLines: OptionSet, Sendable {
        /// The lines as bits of our own.
        public let rawValue: Int32
        /// Lines by their bits.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// DTR, which we set: this side is ready.
        public static let terminalReady = ControlLines(rawValue: Int32(IPC_LINE_DTR.rawValue))
        /// RTS, which we set: this side wants to send.
        public static let requestToSend = ControlLines(rawValue: Int32(IPC_LINE_RTS.rawValue))
        /// CTS: the other side lets us send.
        public static let clearToSend = ControlLines(rawValue: Int32(IPC_LINE_CTS.rawValue))
        /// DSR: the other side is ready.
        public static let dataSetReady = ControlLines(rawValue: Int32(IPC_LINE_DSR.rawValue))
        /// DCD: there is a connection.
        public static let carrier = ControlLines(rawValue: Int32(IPC_LINE_DCD.rawValue))
        /// RI: somebody calls.
        public static let ring = ControlLines(rawValue: Int32(IPC_LINE_RI.rawValue))
    }

    /// The lines that are on. The C call is `ioctl` with `TIOCMGET`.
    ///
    /// - Throws: ``SystemError`` with `ENOTTY` or `EINVAL` where a device has none, as a pseudo-terminal.
    public var controlLines: ControlLines {
        get throws {
            try device.use("control lines of") { number in
                ControlLines(
                    rawValue: try SystemCall.perform("control lines of", on: path.string) {
                        ipc_terminal_lines(number)
                    })
            }
        }
    }

    /// Turns lines on or off. The C calls are `ioctl` with `TIOCMBIS` and `TIOCMBIC`.
    ///
    /// - Throws: ``SystemError``.
    public func set(_ lines: ControlLines, on isOn: Bool) throws {
        try device.use("set control lines of") { number in
            try SystemCall.perform("set control lines of", on: path.string) {
                ipc_terminal_set_lines(number, UInt32(bitPattern: lines.rawValue), isOn ? 1 : 0)
            }
        }
    }

    /// Closes the line: the device has its former modes and is free for others. What has not gone out by then is dropped, see
    /// ``drain(timeout:)``. Calls that wait end with `ECANCELED`. Closing again does nothing.
    public func close() {
        if device.enter() {
            // Else the kernel's close waits for it, however long the other side says stop.
            _ = ipc_terminal_flush(device.number, 0, 1)
            try? former.set(device.number, path.string)
            _ = ipc_terminal_exclusive(device.number, 0)
            device.leave()
        }
        device.close()
    }
}
