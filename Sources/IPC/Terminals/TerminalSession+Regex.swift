// Waiting for a regular expression of Swift's.

/// What a regular expression has found in a terminal's output.
public struct TerminalRegexMatch<Output> {
    /// What was shown before, from the end of the former match on.
    public let before: String

    /// What the expression gives: the match, and its captures.
    public let output: Output
}

extension TerminalSession {
    /// Waits until a regular expression matches what has been shown, and takes the output up to the match's end.
    ///
    /// ```swift
    /// let (_, user) = try await session.expect(/logged in as (\w+)/).output
    /// ```
    ///
    /// Swift's expressions have typed captures and look around; but an expression such as `(a+)+b` can take longer than
    /// anybody waits, **and no time limit ends it**, since nothing else runs on its thread meanwhile. For output or patterns
    /// that are not one's own there is ``TerminalPattern/pattern(_:)``, which always ends.
    ///
    /// The expression is tried where the output pauses, and in between when much has come, on the last `window` bytes of what was
    /// not matched yet. It works on scalars: CR LF are two. A byte that is not UTF-8 is U+001A to it.
    ///
    /// - Parameters:
    ///   - regex: what to look for.
    ///   - window: in bytes; what stands before cannot be part of a match.
    ///   - timeout: how long it may take; as long as it wants for `nil`.
    /// - Throws: as ``expect(_:ignoringEscapes:timeout:)`` does.
    public func expect<Output>(
        _ regex: Regex<Output>, window: Int = 64 * 1024, timeout: Duration? = nil
    ) async throws -> TerminalRegexMatch<Output> {
        let deadline = Deadline.after(timeout)
        let window = max(1, window)
        let regex = regex.matchingSemantics(.unicodeScalar)
        try output.begin("expect")
        defer { output.end() }
        var tried = 0
        do {
            while true {
                try await SharedDescriptor.beginCall("expect", on: name, deadline: deadline)
                let more = try readMore()
                let arrived = output.buffer.count + output.dropped
                if more != true || arrived - tried >= window / 2 {
                    if arrived != tried || more == nil, let match = try take(regex, window, isEnd: more == nil) {
                        return match
                    }
                    tried = arrived
                }
                guard more != nil else {
                    throw TerminalError(
                        .ended, "expect", on: "a regular expression from \(name)", output: tail(), status: status)
                }
                if more == false { try await waitForMore(deadline, "expect") }
            }
        } catch let error as TimeoutError {
            throw TimeoutError("expect", on: "a regular expression from \(name)", limit: error.limit, output: tail())
        }
    }

    private func take<Output>(
        _ regex: Regex<Output>, _ window: Int, isEnd: Bool
    ) throws -> TerminalRegexMatch<Output>? {
        let bytes = output.buffer.bytes
        let start = max(0, bytes.count - window)
        let text = TerminalSession.text(of: UnsafeRawBufferPointer(rebasing: bytes[start...]), isEnd: isEnd)
        guard let match = try regex.firstMatch(in: text) else { return nil }
        // Every byte of the text stands for one that was shown.
        let lower = start + text.utf8.distance(from: text.startIndex, to: match.range.lowerBound)
        let upper = start + text.utf8.distance(from: text.startIndex, to: match.range.upperBound)
        let before = String(decoding: bytes[..<lower], as: UTF8.self)
        output.drop(upper)
        return TerminalRegexMatch(before: before, output: match.output)
    }

    /// The bytes as text of the same length, up to a character that is not whole yet.
    private static func text(of bytes: UnsafeRawBufferPointer, isEnd: Bool) -> String {
        var clean = Array(bytes)
        var place = 0
        while place < bytes.count {
            let token = TextToken.read(bytes, at: place, isEnd: isEnd, findingEscapes: false)
            if token.length == 0 { break }
            if token.value > 0x10FFFF { clean[place] = 0x1A }
            place += token.length
        }
        return String(decoding: clean[..<place], as: UTF8.self)
    }
}
