// Puts a message into its frame.
import CIPC

extension Framing {
    /// Why a message cannot be sent in a framing. To those who write it becomes a ``FramingError``.
    enum Misfit: Error, Equatable {
        case tooLong(limit: Int)
        case containsItsEnd(at: Int)
    }

    /// The bytes to write for a message.
    func framed(_ message: RawSpan) throws(Misfit) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(message.byteCount + 16)
        switch form {
        case .lines(let end):
            let last = message.byteCount - 1
            let place = Framing.find([10], in: message)
            if place >= 0 { throw .containsItsEnd(at: place) }
            // With a LF behind it, the CR would be taken for a part of the line's end.
            if last >= 0, end == .lineFeed, message.unsafeLoad(fromByteOffset: last, as: UInt8.self) == 13 {
                throw .containsItsEnd(at: last)
            }
            bytes.append(copying: message)
            bytes += end.bytes
        case .dotTerminated(let end): Framing.appendText(message, end, to: &bytes)
        case .lengthPrefixed(let width, let order):
            let most = width == 8 ? UInt64.max : UInt64(1) << (8 * UInt64(width)) - 1
            if UInt64(message.byteCount) > most { throw .tooLong(limit: Int(most)) }
            for index in 0..<width {
                let place = order == .bigEndian ? width - 1 - index : index
                bytes.append(UInt8(truncatingIfNeeded: message.byteCount >> (8 * place)))
            }
            bytes.append(copying: message)
        case .delimiter(let delimiter):
            bytes.append(copying: message)
            bytes += delimiter
            // Not only whole within the message: its last bytes and the delimiter's first can be one as well.
            let place = Framing.find(delimiter, in: bytes.span.bytes)
            if place < message.byteCount { throw .containsItsEnd(at: place) }
        case .untilEnd: bytes.append(copying: message)
        }
        return bytes
    }

    private static func appendText(_ message: RawSpan, _ end: LineEnd, to bytes: inout [UInt8]) {
        var (isAtLineStart, wasReturn) = (true, false)
        message.withUnsafeBytes { message in
            for byte in message {
                if isAtLineStart, byte == 46 { bytes.append(46) }
                if byte == 10 {
                    if wasReturn { bytes.removeLast() }
                    bytes += end.bytes
                } else {
                    bytes.append(byte)
                }
                isAtLineStart = byte == 10
                wasReturn = byte == 13
            }
        }
        if !isAtLineStart { bytes += end.bytes }
        bytes.append(46)
        bytes += end.bytes
    }

    private static func find(_ wanted: [UInt8], in bytes: RawSpan) -> Int {
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return -1 }
            return ipc_find_bytes(base, bytes.count, wanted, wanted.count)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(copying bytes: RawSpan) { bytes.withUnsafeBytes { append(contentsOf: $0) } }
}
