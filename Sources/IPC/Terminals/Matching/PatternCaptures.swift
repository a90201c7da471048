// What the groups of a pattern have matched, once it is known where the match stands.

/// The look at a match for its groups, which can be cut short and go on.
struct PatternCaptures {
    private let range: Range<Int>
    private let isEnd: Bool
    private let skipsEscapes: Bool
    private var walk: Walk?
    private var place: Int
    private var lastEnd: Int
    private var former: UInt32
    private let count: Int

    /// - Parameters:
    ///   - range: the match, as indices into the bytes.
    ///   - isEnd: no more bytes follow, ever.
    init(
        _ program: PatternProgram, _ found: PatternSearch.Found, _ range: Range<Int>, isEnd: Bool, skippingEscapes: Bool
    ) {
        (self.range, self.isEnd, skipsEscapes) = (range, isEnd, skippingEscapes)
        (place, lastEnd, former) = (range.lowerBound, range.lowerBound, found.former)
        count = program.slotCounts[found.pattern]
        guard count > 0 else { return }
        walk = Walk(program, slots: count, origin: range.lowerBound)
        walk?.begin(program.starts[found.pattern])
    }

    /// The ranges of the groups, `nil` for those that took no part; `nil` as a whole if there is more to do.
    mutating func find(_ bytes: UnsafeRawBufferPointer, instructionsAtOnce: Int = 100_000) -> [Range<Int>?]? {
        guard walk != nil else { return [] }
        walk?.credit = instructionsAtOnce
        while place < range.upperBound {
            guard let credit = walk?.credit, credit > 0 else { return nil }
            let token = TextToken.read(bytes, at: place, isEnd: true, findingEscapes: skipsEscapes)
            if token.value != TextToken.escape {
                walk?.step(token.value, at: place, lastEnd, after: former)
                former = token.value
                lastEnd = place + token.length
            }
            place += token.length
        }
        let following = next(bytes)
        let slots = walk?.matched(before: following, at: place, lastEnd, after: former)
        return stride(from: 0, to: count, by: 2).map { index in
            guard let slots, slots[index] >= 0, slots[index + 1] >= slots[index] else { return nil }
            return slots[index]..<slots[index + 1]
        }
    }

    /// The character behind the match.
    private func next(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var place = place
        while place < bytes.count {
            let token = TextToken.read(bytes, at: place, isEnd: true, findingEscapes: skipsEscapes)
            if token.value != TextToken.escape { return token.value }
            place += token.length
        }
        return isEnd ? TextToken.end : TextToken.pause
    }

    /// As ``PatternSearch``, from one place on, with what each way has saved.
    private struct Walk {
        let program: PatternProgram
        let origin: Int
        var ways: [(place: Int, slots: [Int])] = []
        var next: [(place: Int, slots: [Int])] = []
        var marks: [UInt32]
        var round: UInt32 = 0
        var credit = 0
        let none: [Int]

        init(_ program: PatternProgram, slots: Int, origin: Int) {
            self.program = program
            self.origin = origin
            none = [Int](repeating: -1, count: slots)
            marks = [UInt32](repeating: 0, count: program.instructions.count)
        }

        mutating func begin(_ place: Int) { ways = [(place, none)] }

        mutating func step(_ token: UInt32, at position: Int, _ lastEnd: Int, after former: UInt32) {
            round += 1
            next.removeAll(keepingCapacity: true)
            for way in ways { _ = follow(way.place, way.slots, token, position, lastEnd, former, toMatch: false) }
            swap(&ways, &next)
        }

        mutating func matched(
            before token: UInt32, at position: Int, _ lastEnd: Int, after former: UInt32
        ) -> [Int]? {
            round += 1
            for way in ways {
                if let slots = follow(way.place, way.slots, token, position, lastEnd, former, toMatch: true) {
                    return slots
                }
            }
            return nil
        }

        private mutating func follow(
            _ place: Int, _ slots: [Int], _ token: UInt32, _ position: Int, _ lastEnd: Int, _ former: UInt32,
            toMatch: Bool
        ) -> [Int]? {
            var stack = [(place: place, slots: slots)]
            while let (place, slots) = stack.popLast() {
                guard marks[place] != round else { continue }
                marks[place] = round
                credit -= 1 + slots.count / 8
                switch program.instructions[place] {
                case .member(let set):
                    if !toMatch, program.sets[set].contains(token) { next.append((place + 1, slots)) }
                case .scalar(let value): if !toMatch, value == token { next.append((place + 1, slots)) }
                case .jump(let target): stack.append((target, slots))
                case .split(let one, let other): stack += [(other, slots), (one, slots)]
                case .save(let slot):
                    var saved = slots
                    // A group ends with its last character, before the escape sequences that may follow.
                    saved[slot] = slot % 2 == 0 ? position : max(lastEnd, saved[slot - 1])
                    stack.append((place + 1, saved))
                case .assertion(let assertion):
                    if assertion.holds(after: former, before: token, isFirst: position == origin) {
                        stack.append((place + 1, slots))
                    }
                case .match: if toMatch { return slots }
                }
            }
            return nil
        }
    }
}
