// What a program wrote, as far as it was kept: its beginning, its end, and how much lies between.

/// How much of a program's output is kept, in bytes.
public struct CaptureLimit: Hashable, Sendable {
    let head: Int
    let tail: Int
    let isError: Bool

    /// All of it, up to so many bytes; more than that is an error, and ends the program.
    ///
    /// The error, ``CommandError`` with `outputLimitExceeded`, has what was kept.
    public static func failing(beyond bytes: Int) -> CaptureLimit {
        CaptureLimit(head: max(0, bytes), tail: 0, isError: true)
    }

    /// The first and the last bytes; those between are counted and dropped, and the program runs on.
    public static func keeping(head: Int, tail: Int) -> CaptureLimit {
        CaptureLimit(head: max(0, head), tail: max(0, tail), isError: false)
    }

    /// All of it, whatever it takes.
    public static let unlimited = CaptureLimit(head: .max, tail: 0, isError: false)

    static let errorTail = CaptureLimit.keeping(head: 0, tail: 8 * 1024)
}

/// What a program wrote to one of its streams.
public struct CapturedOutput: Hashable, Sendable {
    /// The first bytes: all of them, unless ``dropped`` says otherwise.
    public internal(set) var head: [UInt8] = []

    /// The last bytes, where some were dropped before them.
    public internal(set) var tail: [UInt8] = []

    /// How many bytes between ``head`` and ``tail`` were not kept.
    public internal(set) var dropped = 0

    /// The bytes that were kept.
    public var bytes: [UInt8] { tail.isEmpty ? head : head + tail }

    /// How many bytes the program wrote.
    public var count: Int { head.count + dropped + tail.count }

    /// The bytes as text. Those that are not UTF-8 appear as U+FFFD, those that were dropped as a note in their place;
    /// ``bytes`` has what came, as it came.
    public var text: String {
        let first = String(decoding: head, as: UTF8.self)
        guard dropped > 0 else { return first + String(decoding: tail, as: UTF8.self) }
        let last = String(decoding: tail.drop { $0 & 0xC0 == 0x80 }, as: UTF8.self)
        return first + "[... \(dropped) bytes dropped ...]" + last
    }
}

/// Takes a program's output as it comes and keeps what the limit says; the memory is bounded by it.
struct CaptureBuffer {
    private var kept = CapturedOutput()
    private let limit: CaptureLimit
    /// The last bytes in the order of a ring, once there is a tail.
    private var ring: [UInt8] = []
    private var next = 0
    private var beyond = 0

    init(_ limit: CaptureLimit) { self.limit = limit }

    /// More has come than the limit allows, and that is an error.
    var isExceeded: Bool { limit.isError && beyond > 0 }

    /// Room for more of the beginning; 0 when it is full.
    private var roomInHead: Int { limit.head - kept.head.count }

    /// Adds bytes that have come.
    mutating func append(_ bytes: ArraySlice<UInt8>) {
        let first = bytes.prefix(roomInHead)
        kept.head += first
        var rest = bytes.dropFirst(first.count)
        beyond += rest.count
        guard limit.tail > 0, !rest.isEmpty else { return }
        rest = rest.suffix(limit.tail)
        let fresh = rest.prefix(limit.tail - ring.count)
        ring += fresh
        for byte in rest.dropFirst(fresh.count) {
            ring[next] = byte
            next = next + 1 == ring.count ? 0 : next + 1
        }
    }

    /// What was kept, whole.
    func finished() -> CapturedOutput {
        var output = kept
        output.tail = Array(ring[next...] + ring[..<next])
        output.dropped = beyond - output.tail.count
        return output
    }
}

extension CapturedOutput {
    /// The output as a shell's `$(...)` gives it: without the line ends at its end.
    ///
    /// - Throws: ``ReadError`` with `invalidText`, saying the line, if it is not UTF-8.
    func trimmedText(of subject: String) throws -> String {
        var bytes = self.bytes[...]
        while bytes.last == UInt8(ascii: "\n") || bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        do { return try bytes.withUnsafeBytes { try String(strictly: $0) } } catch let invalid as InvalidText {
            let before = bytes.prefix(invalid.offset)
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            throw ReadError(.invalidText, subject: "output of \(subject)", line: line, offset: invalid.offset - start)
        }
    }
}
