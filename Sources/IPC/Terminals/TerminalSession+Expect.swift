// Waiting for what a program shows: literals, patterns, several at once, the end.
import CIPC

extension TerminalSession {
    /// Waits until one of the patterns has been shown, and takes the output up to its end.
    ///
    /// ```swift
    /// let seen = try await session.expect("password:", .pattern(#"(?i)denied: (.*)$"#), .end, timeout: .seconds(5))
    /// ```
    ///
    /// The search goes over all that was not matched yet, whatever cuts the kernel made in it: also inside a character of several
    /// bytes or an escape sequence. The pattern that matches first in the output counts, of those at one place the first that
    /// is stated. See ``TerminalPattern`` for what a match is.
    ///
    /// - Parameters:
    ///   - patterns: at least one; texts, regular expressions, or the end.
    ///   - ignoringEscapes: whether escape sequences, such as those for colours, are no part of what is compared.
    ///   - timeout: how long it may take; as long as it wants for `nil`.
    /// - Throws: ``TimeoutError`` with the end of what was shown; ``TerminalError`` with `ended` if the output is at its end
    ///   and ``TerminalPattern/end`` is not among the patterns, with `invalidPattern`; ``SystemError`` with `EBUSY` while
    ///   another call reads; `CancellationError`. After each of them nothing was taken.
    @discardableResult
    public func expect(
        _ patterns: TerminalPattern..., ignoringEscapes: Bool = false, timeout: Duration? = nil
    ) async throws -> TerminalMatch {
        try await expect(patterns, ignoringEscapes, Deadline.after(timeout))
    }

    /// Waits until one of the patterns has been shown, as ``expect(_:ignoringEscapes:timeout:)`` does, until a deadline.
    @discardableResult
    public func expect(
        _ patterns: TerminalPattern..., ignoringEscapes: Bool = false, deadline: Deadline
    ) async throws -> TerminalMatch {
        try await expect(patterns, ignoringEscapes, deadline)
    }

    /// Waits until one of an array's patterns has been shown, as ``expect(_:ignoringEscapes:timeout:)`` does.
    @discardableResult
    public func expect(
        anyOf patterns: [TerminalPattern], ignoringEscapes: Bool = false, timeout: Duration? = nil
    ) async throws -> TerminalMatch {
        try await expect(patterns, ignoringEscapes, Deadline.after(timeout))
    }

    private func expect(
        _ list: [TerminalPattern], _ ignoringEscapes: Bool, _ deadline: Deadline?
    ) async throws -> TerminalMatch {
        try output.begin("expect")
        defer { output.end() }
        let patterns: TerminalPatterns
        if let known, known.patterns == list { patterns = known } else { patterns = try TerminalPatterns(list) }
        known = patterns
        do { return try await find(patterns, ignoringEscapes, deadline) } catch let error as TimeoutError {
            throw TimeoutError(
                "expect", on: "\(hiding(patterns.description)) from \(name)", limit: error.limit, output: tail())
        }
    }

    private func find(
        _ patterns: TerminalPatterns, _ ignoringEscapes: Bool, _ deadline: Deadline?
    ) async throws -> TerminalMatch {
        // Places are counted from here; what is dropped while we wait is counted on.
        let origin = output.dropped
        var search = patterns.program.map {
            PatternSearch($0, from: 0, after: former, skippingEscapes: ignoringEscapes)
        }
        var isEnd = false
        // A read that finds nothing has the kernel hand over what is on its way, which is quicker than to be woken by it.
        isDrained = false
        while true {
            try await SharedDescriptor.beginCall("expect", on: name, deadline: deadline)
            let base = output.dropped - origin
            search?.forget(before: base)
            if let found = search?.feed(output.buffer.bytes, at: base, isEnd: isEnd) {
                return try await take(found, patterns, base, isEnd: isEnd, ignoringEscapes, deadline)
            }
            if search?.isUnfinished == true {
                try await letOthersRun(deadline)
                continue
            }
            if isEnd { return try takeEnd(patterns) }
            let candidate = search?.pause(output.buffer.bytes, at: base)
            // What may be a match is one if there is really nothing more; else it is enough to be told of more.
            if candidate == nil, isDrained {
                try await waitForMore(deadline, "expect")
                continue
            }
            switch try readMore() {
            case nil: isEnd = true
            case true?: continue
            case false?:
                if let candidate {
                    return try await take(candidate, patterns, base, isEnd: false, ignoringEscapes, deadline)
                }
            }
        }
    }

    /// A search that takes long ends by its limit like a wait.
    private func letOthersRun(_ deadline: Deadline?) async throws {
        await EventLoop.letOthersRun()
        if ipc_task_is_cancelled() != 0 { throw CancellationError() }
        let limit = Deadline.earliest(deadline, Deadline.ambient)
        if let limit, limit.hasPassed { throw limit.passed("expect", on: name) }
    }

    private func take(
        _ found: PatternSearch.Found, _ patterns: TerminalPatterns, _ base: Int, isEnd: Bool, _ skipping: Bool,
        _ deadline: Deadline?
    ) async throws -> TerminalMatch {
        let range = found.range.lowerBound - base..<found.range.upperBound - base
        var captures: [Range<Int>?] = []
        if let program = patterns.program {
            var look = PatternCaptures(program, found, range, isEnd: isEnd, skippingEscapes: skipping)
            while true {
                if let all = look.find(output.buffer.bytes) {
                    captures = all
                    break
                }
                try await letOthersRun(deadline)
            }
        }
        let bytes = output.buffer.bytes
        let match = TerminalMatch(
            index: patterns.places[found.pattern], bytesBefore: Array(bytes[..<range.lowerBound]),
            bytes: Array(bytes[range]), byteCaptures: captures.map { $0.map { Array(bytes[$0]) } },
            names: patterns.names[found.pattern])
        output.drop(range.upperBound)
        return match
    }

    private func takeEnd(_ patterns: TerminalPatterns) throws -> TerminalMatch {
        guard let end = patterns.end else {
            throw TerminalError(
                .ended, "expect", on: "\(hiding(patterns.description)) from \(name)", output: tail(), status: status)
        }
        let match = TerminalMatch(
            index: end, bytesBefore: Array(output.buffer.bytes), bytes: [], byteCaptures: [], names: [])
        output.drop(output.buffer.count)
        return match
    }

    /// The character before the next one that is shown, as far as its last byte says: one above ASCII is taken for a letter.
    private var former: UInt32 { output.lastTaken < 0x80 ? UInt32(output.lastTaken) : 0xE9 }
}
