// A set of characters, as a class of a pattern names it.

/// Unicode scalars, and perhaps the bytes that are no part of any.
struct ScalarSet: Hashable, Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    /// Above ASCII.
    private var ranges: [ClosedRange<UInt32>] = []
    private var hasWords = false
    private var hasOthersThanWords = false
    /// What is said of scalars above ASCII is said of those that are not meant.
    private var isTurned = false
    /// Bytes that are not UTF-8 are members.
    private(set) var hasStrayBytes = false

    init() {}

    init(_ scalar: Unicode.Scalar) { insert(scalar.value...scalar.value) }

    /// Everything but the end of a line.
    static let anyInLine: ScalarSet = {
        var set = ScalarSet()
        set.insert(10...10)
        set.insert(13...13)
        return set.inverted
    }()
    static let anything = ScalarSet().inverted
    static let digits = ScalarSet(ranges: 48...57)
    static let spaces = ScalarSet(ranges: 9...13, 32...32, 0x85...0x85, 0xA0...0xA0, 0x2028...0x2029)
    static let words: ScalarSet = {
        var set = ScalarSet(ranges: 48...57, 65...90, 95...95, 97...122)
        set.hasWords = true
        return set
    }()

    private init(ranges: ClosedRange<UInt32>...) { for range in ranges { insert(range) } }

    mutating func insert(_ range: ClosedRange<UInt32>) {
        for value in range.clamped(to: 0...127) where range.contains(value) { setBit(value) }
        if range.upperBound > 127 { ranges.append(max(range.lowerBound, 128)...range.upperBound) }
    }

    private mutating func setBit(_ value: UInt32) {
        if value < 64 { low |= 1 << UInt64(value) } else { high |= 1 << UInt64(value - 64) }
    }

    /// Adds another set, which is not turned unless it is one of the standard ones.
    mutating func formUnion(_ other: ScalarSet) {
        low |= other.low
        high |= other.high
        hasStrayBytes = hasStrayBytes || other.hasStrayBytes
        if other.isTurned {
            // The complement of ranges is ranges again.
            var next: UInt32 = 128
            for range in other.ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
                if range.lowerBound > next, !other.hasWords { ranges.append(next...range.lowerBound - 1) }
                next = max(next, range.upperBound + 1)
            }
            if other.hasWords { hasOthersThanWords = true } else if next <= 0x10FFFF { ranges.append(next...0x10FFFF) }
        } else {
            ranges += other.ranges
            hasWords = hasWords || other.hasWords
            hasOthersThanWords = hasOthersThanWords || other.hasOthersThanWords
        }
    }

    /// All that is not in this one; bytes that are not UTF-8 are in one of the two.
    var inverted: ScalarSet {
        var set = self
        set.low = ~low
        set.high = ~high
        set.isTurned.toggle()
        set.hasStrayBytes.toggle()
        return set
    }

    /// The set with the other case of each of its letters.
    var ignoringCase: ScalarSet {
        var set = self
        for value in UInt32(65)...90 where contains(value) || contains(value + 32) {
            set.setBit(value)
            set.setBit(value + 32)
        }
        for range in ranges where range.count <= 4096 {
            for scalar in range.lazy.compactMap(Unicode.Scalar.init) {
                let cases = [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping]
                for other in cases.map(\.unicodeScalars) where other.count == 1 {
                    if let other = other.first { set.insert(other.value...other.value) }
                }
            }
        }
        return set
    }

    /// Whether a token is a member: a scalar's number, or a byte that is none, see ``TextToken``.
    @inline(__always)
    func contains(_ value: UInt32) -> Bool {
        if value < 64 { return low & 1 << UInt64(value) != 0 }
        if value < 128 { return high & 1 << UInt64(value - 64) != 0 }
        return containsAboveASCII(value)
    }

    private func containsAboveASCII(_ value: UInt32) -> Bool {
        if value > 0x10FFFF { return value <= TextToken.lastStrayByte && hasStrayBytes }
        let isNamed =
            ranges.contains { $0.contains(value) }
            || (hasWords || hasOthersThanWords) && (ScalarSet.isWord(value) ? hasWords : hasOthersThanWords)
        return isNamed != isTurned
    }

    /// The first of the ranges above ASCII.
    var firstAboveASCII: Unicode.Scalar? { ranges.first.flatMap { Unicode.Scalar($0.lowerBound) } }

    /// Whether bytes from 128 on can begin a member.
    var hasHighBytes: Bool { hasStrayBytes || isTurned || !ranges.isEmpty || hasWords || hasOthersThanWords }

    /// Whether a token is a letter, a digit or a low line.
    static func isWord(_ value: UInt32) -> Bool {
        if value < 128 { return value == 95 || 48...57 ~= value || 65...90 ~= value || 97...122 ~= value }
        guard let properties = Unicode.Scalar(value)?.properties else { return false }
        return properties.isAlphabetic || properties.numericType != nil
    }
}
