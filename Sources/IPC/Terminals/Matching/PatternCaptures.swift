// What the groups of a pattern have matched, once it is known where the match stands.

enum PatternCaptures {
    /// The ranges of a pattern's groups in a match, `nil` for those that took no part.
    ///
    /// - Parameters:
    ///   - range: the match, as indices into the bytes.
    ///   - former: the character before the first byte.
    ///   - isEnd: no more bytes follow, ever.
    static func find(
        _ program: PatternProgram, _ pattern: Int, _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>,
        former: UInt32, isEnd: Bool, skippingEscapes: Bool
    ) -> [Range<Int>?] {
        let count = program.slotCounts[pattern]
        guard count > 0 else { return [] }
        var walk = Walk(program, slots: count, origin: range.lowerBound)
        walk.begin(program.starts[pattern])
        var place = range.lowerBound
        var former = range.lowerBound > 0 ? TextToken.last(before: range.lowerBound, in: bytes) : former
        func token() -> TextToken {
            guard place < bytes.count else {
                return TextToken(value: isEnd ? TextToken.end : TextToken.pause, length: 0)
            }
            return TextToken.read(bytes, at: place, isEnd: true, findingEscapes: skippingEscapes)
        }
        while place < range.upperBound {
            let token = token()
            if token.value != TextToken.escape {
                walk.step(token.value, at: place, after: former)
                former = token.value
            }
            place += token.length
        }
        let slots = walk.matched(before: token().value, at: place, after: former)
        return stride(from: 0, to: count, by: 2).map { index in
            guard let slots, slots[index] >= 0, slots[index + 1] >= slots[index] else { return nil }
            return slots[index]..<slots[index + 1]
        }
    }

    /// As ``PatternSearch``, from one place on, with what each way has saved.
    private struct Walk {
        let program: PatternProgram
        let origin: Int
        var ways: [(place: Int, slots: [Int])] = []
        var next: [(place: Int, slots: [Int])] = []
        var marks: [UInt32]
        var round: UInt32 = 0
        let none: [Int]

        init(_ program: PatternProgram, slots: Int, origin: Int) {
            self.program = program
            self.origin = origin
            none = [Int](repeating: -1, count: slots)
            marks = [UInt32](repeating: 0, count: program.instructions.count)
        }

        mutating func begin(_ place: Int) { ways = [(place, none)] }

        mutating func step(_ token: UInt32, at position: Int, after former: UInt32) {
            round += 1
            next.removeAll(keepingCapacity: true)
            for way in ways { _ = follow(way.place, way.slots, token, position, former, toMatch: false) }
            swap(&ways, &next)
        }

        mutating func matched(before token: UInt32, at position: Int, after former: UInt32) -> [Int]? {
            round += 1
            for way in ways {
                if let slots = follow(way.place, way.slots, token, position, former, toMatch: true) { return slots }
            }
            return nil
        }

        private mutating func follow(
            _ place: Int, _ slots: [Int], _ token: UInt32, _ position: Int, _ former: UInt32, toMatch: Bool
        ) -> [Int]? {
            var stack = [(place: place, slots: slots)]
            while let (place, slots) = stack.popLast() {
                guard marks[place] != round else { continue }
                marks[place] = round
                switch program.instructions[place] {
                case .member(let set):
                    if !toMatch, program.sets[set].contains(token) { next.append((place + 1, slots)) }
                case .scalar(let value): if !toMatch, value == token { next.append((place + 1, slots)) }
                case .jump(let target): stack.append((target, slots))
                case .split(let one, let other): stack += [(other, slots), (one, slots)]
                case .save(let slot):
                    var saved = slots
                    saved[slot] = position
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
