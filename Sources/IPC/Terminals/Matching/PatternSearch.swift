// The search for patterns in a stream: every character is looked at once, whatever the patterns, however the bytes come.
//
// All ways to match are followed side by side, each as the instruction that it has come to and the place where it began, in
// the order of their rank: who began earlier goes first, and of those the one that the pattern prefers. Two ways that
// have come to the same instruction go on alike, so the lower one is dropped, and there are never more ways than
// instructions.

/// A search that is fed.
struct PatternSearch {
    /// Where a match stands in the stream, and of which pattern.
    struct Found: Equatable {
        let pattern: Int
        let range: Range<Int>
    }

    private struct Way {
        let place: Int
        let start: Int
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

    /// - Parameters:
    ///   - position: where the search begins, in the stream's count.
    ///   - former: the character before that.
    init(_ program: PatternProgram, from position: Int, after former: UInt32, skippingEscapes: Bool) {
        self.program = program
        self.position = position
        self.former = former
        origin = position
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
        while position - base < bytes.count {
            if ways.isEmpty, best == nil, !program.canBeEmpty { skip(bytes, at: base) }
            guard position - base < bytes.count else { break }
            let token = TextToken.read(bytes, at: position - base, isEnd: isEnd, findingEscapes: skipsEscapes)
            if token.length == 0 { return nil }
            if token.value != TextToken.escape {
                step(token.value)
                if ways.isEmpty, let best { return best }
                former = token.value
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
        guard position - base == bytes.count else { return best }
        beginRound()
        var couldGoOn = false
        for way in ways {
            if let found = look(from: way.place, way.start, &couldGoOn) { return found }
        }
        if best == nil, let found = look(from: 0, position, &couldGoOn) { return found }
        return best
    }

    /// The oldest bytes are gone: so are the ways that began there.
    mutating func forget(before place: Int) {
        ways.removeAll { $0.start < place }
        if let best, best.range.lowerBound < place { self.best = nil }
        position = max(position, place)
    }

    /// The match that nothing can change: the way of the highest rank is at its end.
    private mutating func settled() -> Found? {
        guard let first = ways.first else { return nil }
        beginRound()
        var couldGoOn = false
        let found = look(from: first.place, first.start, &couldGoOn, isPause: false)
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
        former = TextToken.last(before: place, in: bytes)
    }

    private mutating func step(_ token: UInt32) {
        beginRound()
        nextWays.removeAll(keepingCapacity: true)
        var isMatched = false
        for way in ways {
            isMatched = follow(way.place, way.start, token)
            if isMatched { break }
        }
        if !isMatched, best == nil { _ = follow(0, position, token) }
        swap(&ways, &nextWays)
    }

    /// Follows a way to the characters that it wants next; whether it has come to a match, which ends all of lower rank.
    private mutating func follow(_ place: Int, _ start: Int, _ token: UInt32) -> Bool {
        stack.append(place)
        while let place = stack.popLast() {
            guard marks[place] != round else { continue }
            marks[place] = round
            switch program.instructions[place] {
            case .member(let set):
                if program.sets[set].contains(token) { nextWays.append(Way(place: place + 1, start: start)) }
            case .scalar(let value): if value == token { nextWays.append(Way(place: place + 1, start: start)) }
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
                best = Found(pattern: pattern, range: start..<position)
                stack.removeAll(keepingCapacity: true)
                return true
            }
        }
        return false
    }

    /// Looks whether a way has come to a match, with nothing after it so far.
    private mutating func look(
        from place: Int, _ start: Int, _ couldGoOn: inout Bool, isPause: Bool = true
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
                return Found(pattern: pattern, range: start..<position)
            }
        }
        return nil
    }
}
