// The search for patterns in a stream: every character is looked at once, whatever the patterns, however the bytes come.
//
// All ways to match are followed side by side, each as the instruction that it has come to and the place where it began, in
// the order of their rank: who began earlier goes first, and of those the one that the pattern prefers. Two ways that
// have come to the same instruction go on alike, so the lower one is dropped, and there are never more ways than
// instructions.

/// A search that is fed.
struct PatternSearch {
    /// Where a match stands in the stream, and of which pattern.
    struct Found {
        let pattern: Int
        let range: Range<Int>
        /// The character before it.
        let former: UInt32
    }

    private struct Way {
        let place: Int
        let start: Int
        let former: UInt32
    }

    private let program: PatternProgram
    private let skipsEscapes: Bool
    private var ways: [Way] = []
    private var nextWays: [Way] = []
    private var marks: [UInt32]
    private var round: UInt32 = 0
    private var stack: [Int] = []
    private var best: Found?
    /// The next byte to look at, counted from the beginning of the stream.
    private(set) var position: Int
    private let origin: Int
    private var former: UInt32
    /// The end of the last character, before the escape sequences that may follow it.
    private var lastEnd: Int
    /// So many more instructions before others are to have their turn.
    private var credit = 0
    /// The search was cut short for that, and has more to look at.
    private(set) var isUnfinished = false

    /// About a millisecond's.
    private static let instructionsAtOnce = 100_000

    /// - Parameters:
    ///   - position: where the search begins, in the stream's count.
    ///   - former: the character before that.
    init(_ program: PatternProgram, from position: Int, after former: UInt32, skippingEscapes: Bool) {
        self.program = program
        self.position = position
        self.former = former
        origin = position
        lastEnd = position
        skipsEscapes = skippingEscapes
        marks = [UInt32](repeating: 0, count: program.instructions.count)
    }

    /// Looks at the bytes that were not looked at yet; the match, once nothing that may still come can change it.
    ///
    /// - Parameters:
    ///   - bytes: all that is kept of the stream.
    ///   - base: the place of their first in the stream.
    ///   - isEnd: nothing more will come.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, at base: Int, isEnd: Bool) -> Found? {
        credit = PatternSearch.instructionsAtOnce
        isUnfinished = false
        while position - base < bytes.count {
            guard credit > 0 else {
                isUnfinished = true
                return nil
            }
            if ways.isEmpty, best == nil, !program.canBeEmpty { skip(bytes, at: base) }
            guard position - base < bytes.count else { break }
            let token = TextToken.read(bytes, at: position - base, isEnd: isEnd, findingEscapes: skipsEscapes)
            if token.length == 0 { return settled() }
            if token.value != TextToken.escape {
                step(token.value)
                if ways.isEmpty, let best { return best }
                former = token.value
                lastEnd = position + token.length
            }
            position += token.length
        }
        guard isEnd else { return settled() }
        step(TextToken.end)
        return best
    }

    /// The match of what has come so far, where the stream pauses, as far as no better one is to be waited for.
    ///
    /// A match that holds only because nothing follows yet, as `$` does, counts unless the same way could go on.
    mutating func pause(_ bytes: UnsafeRawBufferPointer, at base: Int) -> Found? {
        // With the beginning of a character behind it nothing is at its end but what is whole.
        let isPause = position - base == bytes.count
        beginRound()
        var couldGoOn = false
        var start: Int?
        for way in ways {
            if way.start != start { couldGoOn = false }
            start = way.start
            if let found = look(from: way.place, way, &couldGoOn, isPause: isPause) { return found }
        }
        couldGoOn = false
        let fresh = Way(place: 0, start: position, former: former)
        if best == nil, isPause, let found = look(from: 0, fresh, &couldGoOn) { return found }
        return best
    }

    /// The oldest bytes are gone: so are the ways that began there.
    mutating func forget(before place: Int) {
        guard place > position || ways.contains(where: { $0.start < place }) || best != nil else { return }
        if place > position { former = TextToken.unknown }
        ways.removeAll { $0.start < place }
        if let best, best.range.lowerBound < place { self.best = nil }
        position = max(position, place)
    }

    /// The match that nothing can change: the way of the highest rank is at its end.
    private mutating func settled() -> Found? {
        guard let first = ways.first else { return nil }
        beginRound()
        var couldGoOn = false
        let found = look(from: first.place, first, &couldGoOn, isPause: false)
        return couldGoOn ? nil : found
    }

    // MARK: One step

    private mutating func beginRound() {
        round &+= 1
        if round == 0 {
            for place in marks.indices { marks[place] = 0 }
            round = 1
        }
    }

    /// Over what no match can begin with.
    private mutating func skip(_ bytes: UnsafeRawBufferPointer, at base: Int) {
        let start = position - base
        var place = start
        let first = program.firstBytes
        while place < bytes.count, !first.contains(bytes[place]), !(skipsEscapes && bytes[place] == 0x1B) { place += 1 }
        guard place > start else { return }
        position = base + place
        lastEnd = position
        former = TextToken.last(before: place, in: bytes)
    }

    private mutating func step(_ token: UInt32) {
        beginRound()
        nextWays.removeAll(keepingCapacity: true)
        var isMatched = false
        for way in ways {
            isMatched = follow(way, token)
            if isMatched { break }
        }
        if !isMatched, best == nil { _ = follow(Way(place: 0, start: position, former: former), token) }
        swap(&ways, &nextWays)
    }

    /// Follows a way to the characters that it wants next; whether it has come to a match, which ends all of lower rank.
    private mutating func follow(_ way: Way, _ token: UInt32) -> Bool {
        func next(_ place: Int) -> Way { Way(place: place + 1, start: way.start, former: way.former) }
        stack.append(way.place)
        while let place = stack.popLast() {
            guard marks[place] != round else { continue }
            marks[place] = round
            credit -= 1
            switch program.instructions[place] {
            case .member(let set): if program.sets[set].contains(token) { nextWays.append(next(place)) }
            case .scalar(let value): if value == token { nextWays.append(next(place)) }
            case .jump(let target): stack.append(target)
            case .split(let one, let other):
                stack.append(other)
                stack.append(one)
            case .save: stack.append(place + 1)
            case .assertion(let assertion):
                if assertion.holds(after: former, before: token, isFirst: position == origin) {
                    stack.append(place + 1)
                }
            case .match(let pattern):
                best = found(pattern, way)
                stack.removeAll(keepingCapacity: true)
                return true
            }
        }
        return false
    }

    /// Looks whether a way has come to a match, with nothing after it so far.
    private mutating func look(
        from place: Int, _ way: Way, _ couldGoOn: inout Bool, isPause: Bool = true
    ) -> Found? {
        var list = [(place: place, isGuess: false)]
        while let (place, isGuess) = list.popLast() {
            guard marks[place] != round else { continue }
            marks[place] = round
            switch program.instructions[place] {
            case .member, .scalar: couldGoOn = true
            case .jump(let target): list.append((target, isGuess))
            case .split(let one, let other): list += [(other, isGuess), (one, isGuess)]
            case .save: list.append((place + 1, isGuess))
            case .assertion(let assertion) where assertion.looksAhead && !isPause: couldGoOn = true
            case .assertion(let assertion):
                if assertion.holds(after: former, before: TextToken.pause, isFirst: position == origin) {
                    list.append((place + 1, isGuess || assertion.looksAhead))
                }
            case .match(let pattern):
                if isGuess, couldGoOn { continue }
                return found(pattern, way)
            }
        }
        return nil
    }

    private func found(_ pattern: Int, _ way: Way) -> Found {
        Found(pattern: pattern, range: way.start..<max(way.start, lastEnd), former: way.former)
    }
}
