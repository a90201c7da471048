// Lines: as strings one by one, and as spans of bytes that are nowhere copied.
import CIPC
import SystemPackage

/// How bytes become text.
public enum TextDecoding: Sendable, Hashable {
    /// Bytes that are not UTF-8 are an error that says where they stand.
    case strict
    /// Bytes that are not UTF-8 become U+FFFD.
    case repair
}

/// What a line is, to the calls that read one.
struct LineFormat: Sendable {
    var keepsEnds = false
    var decoding = TextDecoding.strict
    var limit = LineFormat.defaultLimit

    static let defaultLimit = 1 << 20
}

extension ByteReader {
    /// Reads one line, without its LF or CR LF; `nil` is the end. A last line that no LF ends is a line too.
    ///
    /// - Parameters:
    ///   - keepingEnds: whether the line keeps its LF or CR LF.
    ///   - decoding: what becomes of bytes that are not UTF-8. NUL is a character like any other.
    ///   - limit: the most bytes that a line may have, its end not counted.
    ///   - timeout: how long to wait; as long as it takes for `nil`.
    /// - Throws: ``ReadError`` with `lineTooLong` or `invalidText`, ``SystemError``, ``TimeoutError``,
    ///   `CancellationError`. After each of them nothing was taken.
    public func readLine(
        keepingEnds: Bool = false, decoding: TextDecoding = .strict, limit: Int = 1 << 20, timeout: Duration? = nil
    ) async throws -> String? {
        let format = LineFormat(keepsEnds: keepingEnds, decoding: decoding, limit: limit)
        if let line = try lineAtOnce(format) { return line }
        return try await nextLine(format, Deadline.after(timeout))
    }

    /// Reads one line, as ``readLine(keepingEnds:decoding:limit:timeout:)`` does, until a deadline.
    public func readLine(
        keepingEnds: Bool = false, decoding: TextDecoding = .strict, limit: Int = 1 << 20, deadline: Deadline
    ) async throws -> String? {
        let format = LineFormat(keepsEnds: keepingEnds, decoding: decoding, limit: limit)
        return try await nextLine(format, deadline)
    }

    /// The lines of the stream, as they come.
    ///
    /// - Parameters:
    ///   - keepingEnds: whether the lines keep their LF or CR LF.
    ///   - decoding: what becomes of bytes that are not UTF-8.
    ///   - limit: the most bytes that a line may have, its end not counted.
    ///   - timeout: how long to wait for each line; without limit unless given.
    public func lines(
        keepingEnds: Bool = false, decoding: TextDecoding = .strict, limit: Int = 1 << 20, timeout: Duration? = nil
    ) -> LineSequence {
        let format = LineFormat(keepsEnds: keepingEnds, decoding: decoding, limit: limit)
        return LineSequence(reader: self, format: format, timeout: timeout)
    }

    /// Gives every line to a body as a span of bytes, until the end; returns how many there were.
    ///
    /// The fastest form: a line is neither copied nor decoded. The span is valid inside the body only. If the body throws,
    /// the lines up to the one that it was given are taken, the others can still be read.
    ///
    /// - Throws: what the body throws, and as ``readLine(keepingEnds:decoding:limit:timeout:)`` does.
    @discardableResult
    public func forEachLine(
        keepingEnds: Bool = false, limit: Int = 1 << 20, timeout: Duration? = nil, _ body: (RawSpan) throws -> Void
    ) async throws -> Int {
        try await SharedDescriptor.beginCall("read", on: descriptor.subject)
        try begin("read")
        defer { end() }
        let former = lineCount
        while true {
            try giveLines(keepingEnds: keepingEnds, limit: limit, to: body)
            guard try await refill(Deadline.after(timeout)) else { break }
        }
        if !buffer.isEmpty {
            guard buffer.count <= limit else { throw lineTooLong(limit) }
            defer { drop(buffer.count) }
            lineCount += 1
            try body(buffer.bytes.bytes)
        }
        return lineCount - former
    }

    /// The lines that are whole in the buffer.
    private func giveLines(keepingEnds: Bool, limit: Int, to body: (RawSpan) throws -> Void) throws {
        let bytes = buffer.bytes
        guard let base = bytes.baseAddress else { return }
        var (start, from) = (0, searched)
        defer { drop(start) }
        while true {
            let found = ipc_find_byte(base + from, 10, bytes.count &- from)
            guard found >= 0 else { break }
            let line = start
            let next = from &+ found &+ 1
            var length = next &- line &- 1
            if length > 0, base.load(fromByteOffset: next &- 2, as: UInt8.self) == 13 { length &-= 1 }
            guard length <= limit else { throw lineTooLong(limit) }
            if keepingEnds { length = next &- line }
            start = next
            from = next
            lineCount &+= 1
            try body(UnsafeRawBufferPointer(start: base + line, count: length).bytes)
        }
        searched = bytes.count
        guard bytes.count - start - 1 <= limit else { throw lineTooLong(limit) }
    }

    /// The next line if it lies whole in the buffer: what a loop over lines mostly takes, without a call to the kernel.
    @inline(__always)
    func lineAtOnce(_ format: LineFormat) throws -> String? {
        if ipc_task_is_cancelled() != 0 { throw CancellationError() }
        try beginWithoutCall()
        do {
            let line = try bufferedLine(format)
            endWithoutCall()
            return line
        } catch {
            endWithoutCall()
            throw error
        }
    }

    func nextLine(_ format: LineFormat, _ deadline: Deadline?) async throws -> String? {
        if let line = try lineAtOnce(format) { return line }
        try begin("read")
        defer { end() }
        try await SharedDescriptor.beginCall("read", on: descriptor.subject)
        while try await refill(deadline) {
            if let line = try bufferedLine(format) { return line }
        }
        guard !buffer.isEmpty else { return nil }
        guard buffer.count <= format.limit else { throw lineTooLong(format.limit) }
        return try takeLine(content: buffer.count, whole: buffer.count, format)
    }

    /// The first line, if it is whole in the buffer.
    @inline(__always)
    private func bufferedLine(_ format: LineFormat) throws -> String? {
        let bytes = buffer.bytes
        guard let base = bytes.baseAddress else { return nil }
        let found = ipc_find_byte(base + searched, 10, bytes.count &- searched)
        guard found >= 0 else {
            searched = bytes.count
            guard bytes.count - 1 <= format.limit else { throw lineTooLong(format.limit) }  // the last may be CR
            return nil
        }
        let end = searched &+ found
        let content = end > 0 && bytes[end &- 1] == 13 ? end &- 1 : end
        guard content <= format.limit else { throw lineTooLong(format.limit) }
        return try takeLine(content: content, whole: end &+ 1, format)
    }

    private func takeLine(content: Int, whole: Int, _ format: LineFormat) throws -> String {
        let length = format.keepsEnds ? whole : content
        let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<length])
        let text: String
        switch format.decoding {
        case .repair: text = String(decoding: bytes, as: UTF8.self)
        case .strict:
            do { text = try String(strictly: bytes) } catch {
                throw ReadError(.invalidText, subject: descriptor.subject, line: lineCount + 1, offset: error.offset)
            }
        }
        drop(whole)
        lineCount &+= 1
        return text
    }

    private func lineTooLong(_ limit: Int) -> ReadError {
        ReadError(.lineTooLong, subject: descriptor.subject, line: lineCount + 1, offset: limit)
    }
}

/// The first byte that is not UTF-8.
struct InvalidText: Error {
    let offset: Int
}

extension String {
    /// The bytes as text, or where they stop being it.
    @inline(__always)
    init(strictly bytes: UnsafeRawBufferPointer) throws(InvalidText) {
        if ipc_is_ascii(bytes.baseAddress, bytes.count) == 0 {
            do { _ = try UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span) } catch {
                throw InvalidText(offset: error.byteOffsets.lowerBound)
            }
        }
        self = String(decoding: bytes, as: UTF8.self)
    }
}
