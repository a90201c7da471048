// What was found in a terminal's output.

/// What a conversation was waiting for, found.
///
/// Text that is not UTF-8 has U+FFFD in the strings; the bytes are as they came.
public struct TerminalMatch: Sendable, Hashable {
    /// Which of the patterns it was, from 0 on.
    public let index: Int

    /// What was shown before, from the end of the former match on.
    public let bytesBefore: [UInt8]

    /// What matched; empty for the end.
    public let bytes: [UInt8]

    /// What the pattern's groups matched, from the first on; `nil` for those that took no part.
    public let byteCaptures: [[UInt8]?]

    let names: [String?]

    /// What was shown before, from the end of the former match on.
    public var before: String { String(decoding: bytesBefore, as: UTF8.self) }

    /// What matched.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// What the pattern's groups matched, from the first on.
    public var captures: [String?] { byteCaptures.map { $0.map { String(decoding: $0, as: UTF8.self) } } }

    /// What the group with a name matched; `nil` if it took no part, or there is none.
    public subscript(name: String) -> String? {
        names.firstIndex(of: name).flatMap { place in place < captures.count ? captures[place] : nil }
    }
}
