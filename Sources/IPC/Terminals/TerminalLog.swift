// A session's output for a log or a screen that is not to obey it.

/// Makes what a program has shown fit for a log, piece by piece: without the secrets that were sent, and, as
/// ``text(of:)`` gives it, with control characters made visible.
///
/// What may be the beginning of a secret or of a character is held back until the next piece, or ``finish()``.
public struct TerminalLog: Sendable {
    private let session: TerminalSession
    private var filter = SecretFilter()
    private var shower = VisibleText.Shower()

    init(_ session: TerminalSession) { self.session = session }

    /// The next piece, with control characters other than the ends of lines and TAB as `^X`, and LF for CR LF.
    public mutating func text(of bytes: [UInt8]) -> String { shower.show(self.bytes(of: bytes)) }

    /// The next piece as it is, but for the secrets.
    public mutating func bytes(of bytes: [UInt8]) -> [UInt8] {
        session.addSecrets(to: &filter)
        return filter.pass(bytes)
    }

    /// What was held back of ``text(of:)``.
    public mutating func finish() -> String { shower.show(filter.pass([UInt8](), isEnd: true), isEnd: true) }
}

extension TerminalSession {
    /// Makes what this session gives out fit for a log.
    public func log() -> TerminalLog { TerminalLog(self) }

    /// Bytes with dots in place of the secrets that were sent, and of what may be parts of them at both ends.
    public func hidingSecrets(in bytes: [UInt8]) -> [UInt8] { filterOfSecrets.hiding(bytes) }

    /// Pieces of output that followed one another, with dots in place of the secrets that were sent, also those that are cut by
    /// the pieces.
    public func hidingSecrets(in pieces: [[UInt8]]) -> [[UInt8]] { filterOfSecrets.hiding(pieces) }
}
