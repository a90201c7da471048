// Finds the first message in bytes of which more may come: a value, fed by whoever reads them.
import CIPC

/// The search for one message at the front of a stream.
///
/// To be asked again with more bytes behind the same ones, as long as it says that the message is not whole yet. However the
/// bytes come, the answer is the same, and none but the last few is looked at twice.
struct MessageScanner {
    /// What was found.
    struct Message: Equatable {
        /// Where the message lies.
        var content: Range<Int>
        /// How many bytes it takes with all that frames it.
        var whole: Int
        /// How many of its lines were given a dot, to be taken off.
        var stuffedDots = 0
    }

    /// Why there is no message here. To those who read it becomes a ``FramingError``.
    enum Fault: Error, Equatable {
        case tooLong
        case truncated(after: Int)
    }

    let form: Framing.Form
    /// The most bytes that a message may have, what frames it not counted.
    let limit: Int

    /// So many bytes have been looked at.
    private var searched = 0
    /// Where the line begins that is not whole yet, and what was found in those before it.
    private var lineStart = 0
    private var stuffedDots = 0

    init(_ framing: Framing, limit: Int) {
        form = framing.form
        self.limit = limit
    }

    /// Looks for the next message, at the front of other bytes.
    @inline(__always)
    mutating func restart() { (searched, lineStart, stuffedDots) = (0, 0, 0) }

    /// The message at the front of the bytes; `nil` if it is not whole yet, or, at the end, if there is none.
    @inline(__always)
    mutating func find(in bytes: UnsafeRawBufferPointer, atEnd: Bool) throws(Fault) -> Message? {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return nil }
        switch form {
        case .lines: return try line(in: bytes, base, atEnd)
        case .dotTerminated: return try text(in: bytes, base, atEnd)
        case .lengthPrefixed(let width, let order): return try announced(in: bytes, width, order, atEnd)
        case .delimiter(let delimiter): return try delimited(in: bytes, base, delimiter, atEnd)
        case .untilEnd:
            if bytes.count > limit { throw .tooLong }
            return atEnd ? Message(content: 0..<bytes.count, whole: bytes.count) : nil
        }
    }

    // MARK: The forms

    @inline(__always)
    private mutating func line(
        in bytes: UnsafeRawBufferPointer, _ base: UnsafeRawPointer, _ atEnd: Bool
    ) throws(Fault) -> Message? {
        let found = ipc_find_byte(base + searched, 10, bytes.count &- searched)
        if found >= 0 {
            let end = searched &+ found
            let content = end > 0 && bytes[end &- 1] == 13 ? end &- 1 : end
            if content > limit { throw .tooLong }
            return Message(content: 0..<content, whole: end &+ 1)
        }
        searched = bytes.count
        // The last byte could be the CR of the end that is still to come.
        let content = !atEnd && bytes[bytes.count &- 1] == 13 ? bytes.count &- 1 : bytes.count
        if content > limit { throw .tooLong }
        return atEnd ? Message(content: 0..<bytes.count, whole: bytes.count) : nil
    }

    private mutating func text(
        in bytes: UnsafeRawBufferPointer, _ base: UnsafeRawPointer, _ atEnd: Bool
    ) throws(Fault) -> Message? {
        while true {
            let found = ipc_find_byte(base + searched, 10, bytes.count - searched)
            guard found >= 0 else { break }
            let end = searched + found
            searched = end + 1
            if bytes[lineStart] == 46 {
                let length = end - lineStart
                if length == 1 || length == 2 && bytes[lineStart + 1] == 13 {
                    return Message(content: 0..<lineStart, whole: end + 1, stuffedDots: stuffedDots)
                }
                stuffedDots += 1
            }
            lineStart = end + 1
            if lineStart - stuffedDots > limit { throw .tooLong }
        }
        searched = bytes.count
        // What begins with a dot may be the end, or have one dot too many.
        let begun = bytes.count - lineStart
        if begun > 2 || (begun > 0 && bytes[lineStart] != 46), bytes.count - stuffedDots - 1 > limit { throw .tooLong }
        if atEnd { throw .truncated(after: bytes.count) }
        return nil
    }

    @inline(__always)
    private func announced(
        in bytes: UnsafeRawBufferPointer, _ width: Int, _ order: Framing.ByteOrder, _ atEnd: Bool
    ) throws(Fault) -> Message? {
        var length: UInt64 = 0
        if bytes.count >= width {
            for index in 0..<width {
                let place = order == .bigEndian ? index : width &- 1 &- index
                length = length << 8 | UInt64(bytes[place])
            }
            if length > UInt64(limit) { throw .tooLong }
            let whole = width &+ Int(length)
            if bytes.count >= whole { return Message(content: width..<whole, whole: whole) }
        }
        if atEnd { throw .truncated(after: bytes.count) }
        return nil
    }

    private mutating func delimited(
        in bytes: UnsafeRawBufferPointer, _ base: UnsafeRawPointer, _ delimiter: [UInt8], _ atEnd: Bool
    ) throws(Fault) -> Message? {
        let found =
            delimiter.count == 1
            ? ipc_find_byte(base + searched, Int32(delimiter[0]), bytes.count - searched)
            : ipc_find_bytes(base + searched, bytes.count - searched, delimiter, delimiter.count)
        if found >= 0 {
            let end = searched + found
            if end > limit { throw .tooLong }
            return Message(content: 0..<end, whole: end + delimiter.count)
        }
        // A delimiter can have begun, and the rest of it be still to come.
        searched = max(searched, bytes.count - (delimiter.count - 1))
        if searched > limit { throw .tooLong }
        if atEnd { throw .truncated(after: bytes.count) }
        return nil
    }
}

extension MessageScanner.Message {
    /// The message itself, without the dots that its lines were given.
    func bytes(from buffer: UnsafeRawBufferPointer) -> [UInt8] {
        let framed = UnsafeRawBufferPointer(rebasing: buffer[content])
        guard stuffedDots > 0 else { return [UInt8](framed) }
        return [UInt8](unsafeUninitializedCapacity: framed.count - stuffedDots) { room, count in
            var isAtLineStart = true
            for byte in framed {
                if isAtLineStart, byte == 46 {
                    isAtLineStart = false
                    continue
                }
                room[count] = byte
                count += 1
                isAtLineStart = byte == 10
            }
        }
    }
}
