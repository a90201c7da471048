// The characters of a terminal's output one by one: scalars, stray bytes, escape sequences; each whole, or not yet there.

/// What stands at a place in the bytes.
struct TextToken {
    /// A scalar's number; 0x110000 and a byte's value for one that is no part of a scalar; or one of those below.
    let value: UInt32
    /// In bytes; 0 if more has to come first.
    let length: Int

    static let lastStrayByte: UInt32 = 0x1100FF
    /// For a character that is not known: neither the end of a line nor a letter.
    static let unknown: UInt32 = 0x110000
    /// An escape sequence, where those are told apart.
    static let escape: UInt32 = 0xFFFF_FFFD
    /// Nothing more has come so far.
    static let pause: UInt32 = 0xFFFF_FFFE
    /// Nothing more will come.
    static let end: UInt32 = 0xFFFF_FFFF

    /// Longer than any sequence in use; what goes on beyond is no sequence.
    private static let longestEscape = 4096

    /// The token at a place that is not behind the last byte.
    @inline(__always)
    static func read(
        _ bytes: UnsafeRawBufferPointer, at place: Int, isEnd: Bool, findingEscapes: Bool
    ) -> TextToken {
        let first = bytes[place]
        if first < 0x80 {
            if findingEscapes, first == 0x1B { return readEscape(bytes, at: place, isEnd: isEnd) }
            return TextToken(value: UInt32(first), length: 1)
        }
        return readScalar(bytes, at: place, isEnd: isEnd)
    }

    private static func readScalar(_ bytes: UnsafeRawBufferPointer, at place: Int, isEnd: Bool) -> TextToken {
        let first = bytes[place]
        let stray = TextToken(value: 0x110000 + UInt32(first), length: 1)
        let count: Int
        var value: UInt32
        var lowest: UInt8 = 0x80
        var highest: UInt8 = 0xBF
        switch first {
        case 0xC2...0xDF: (count, value) = (2, UInt32(first & 0x1F))
        case 0xE0...0xEF:
            (count, value) = (3, UInt32(first & 0x0F))
            if first == 0xE0 { lowest = 0xA0 }
            if first == 0xED { highest = 0x9F }
        case 0xF0...0xF4:
            (count, value) = (4, UInt32(first & 0x07))
            if first == 0xF0 { lowest = 0x90 }
            if first == 0xF4 { highest = 0x8F }
        default: return stray
        }
        for index in 1..<count {
            guard place + index < bytes.count else { return isEnd ? stray : TextToken(value: 0, length: 0) }
            let byte = bytes[place + index]
            guard lowest...highest ~= byte else { return stray }
            value = value << 6 | UInt32(byte & 0x3F)
            (lowest, highest) = (0x80, 0xBF)
        }
        return TextToken(value: value, length: count)
    }

    private static func readEscape(_ bytes: UnsafeRawBufferPointer, at place: Int, isEnd: Bool) -> TextToken {
        let plain = TextToken(value: 0x1B, length: 1)
        let unfinished = isEnd ? plain : TextToken(value: 0, length: 0)
        let limit = min(bytes.count, place + longestEscape)
        guard place + 1 < limit else { return unfinished }
        func ended(at end: Int) -> TextToken { TextToken(value: escape, length: end + 1 - place) }
        var next = place + 2
        switch bytes[place + 1] {
        case UInt8(ascii: "["):
            while next < limit, 0x20...0x3F ~= bytes[next] { next += 1 }
            if next < limit { return 0x40...0x7E ~= bytes[next] ? ended(at: next) : plain }
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "X"):
            while next < limit {
                if bytes[next] == 0x07 { return ended(at: next) }
                if bytes[next] == UInt8(ascii: "\\"), bytes[next - 1] == 0x1B { return ended(at: next) }
                next += 1
            }
        case 0x20...0x2F:
            while next < limit, 0x20...0x2F ~= bytes[next] { next += 1 }
            if next < limit { return 0x30...0x7E ~= bytes[next] ? ended(at: next) : plain }
        case 0x30...0x7E: return ended(at: place + 1)
        default: return plain
        }
        return limit < bytes.count ? plain : unfinished
    }

    /// The last scalar or byte before a place; a line's end at the beginning.
    static func last(before place: Int, in bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard place > 0 else { return 10 }
        let last = bytes[place - 1]
        if last < 0x80 { return UInt32(last) }
        for length in 2...4 where place >= length && bytes[place - length] >= 0xC0 {
            let token = readScalar(bytes, at: place - length, isEnd: true)
            if token.length == length { return token.value }
        }
        return 0x110000 + UInt32(last)
    }
}
