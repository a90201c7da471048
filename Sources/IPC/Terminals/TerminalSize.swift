// How large a terminal's window is.
import CIPC

/// The size of a terminal's window. The C structure is `winsize`.
public struct TerminalSize: Hashable, Sendable {
    /// In characters.
    public var rows: Int
    /// In characters.
    public var columns: Int
    /// In pixels; 0 where that is not known.
    public var width: Int
    /// In pixels; 0 where that is not known.
    public var height: Int

    /// A size; what is beyond 65,535 or below 0 is brought there.
    public init(rows: Int, columns: Int, width: Int = 0, height: Int = 0) {
        (self.rows, self.columns, self.width, self.height) = (rows, columns, width, height)
    }

    /// 24 rows of 80 columns.
    public static let standard = TerminalSize(rows: 24, columns: 80)

    init(_ window: ipc_window) {
        self.init(
            rows: Int(window.rows), columns: Int(window.columns), width: Int(window.width), height: Int(window.height))
    }

    var window: ipc_window {
        ipc_window(
            rows: UInt16(clamping: rows), columns: UInt16(clamping: columns), width: UInt16(clamping: width),
            height: UInt16(clamping: height))
    }

    static func of(_ number: Int32, _ subject: String) throws(SystemError) -> TerminalSize {
        var window = ipc_window()
        try SystemCall.perform("size of", on: subject) { ipc_terminal_get_window(number, &window) }
        return TerminalSize(window)
    }

    func set(_ number: Int32, _ subject: String) throws(SystemError) {
        var window = window
        try SystemCall.perform("set size of", on: subject) { ipc_terminal_set_window(number, &window) }
    }
}
