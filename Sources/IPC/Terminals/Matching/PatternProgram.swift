// Patterns as a program for the search: each instruction either looks at one character or says where to go on.

/// Some patterns, as one program that looks for all of them at once; the earlier ones go first.
struct PatternProgram: Sendable {
    enum Instruction {
        /// Goes on at the next one with the next character, if this one is in the set.
        case member(Int)
        /// The same for one character.
        case scalar(UInt32)
        case jump(Int)
        /// Goes on at both; what comes of the first counts more.
        case split(Int, Int)
        case assertion(PatternAssertion)
        case save(Int)
        case match(Int)
    }

    private(set) var instructions: [Instruction] = []
    private(set) var sets: [ScalarSet] = []
    /// Where each pattern begins.
    private(set) var starts: [Int] = []
    /// For each pattern the places of its groups' beginnings and ends.
    private(set) var slotCounts: [Int] = []
    /// The bytes that a match can begin with.
    private(set) var firstBytes = ByteSet()
    private(set) var canBeEmpty = false

    /// Larger programs than any pattern that a person writes.
    static let mostInstructions = 20_000
    /// How many parts were added, those without an instruction too.
    private var parts = 0

    init(_ patterns: [(node: PatternNode, groups: Int)]) throws(PatternDefect) {
        for (index, pattern) in patterns.enumerated() {
            let isLast = index == patterns.count - 1
            let choice = instructions.count
            if !isLast { instructions.append(.split(choice + 1, 0)) }
            starts.append(instructions.count)
            slotCounts.append(2 * pattern.groups)
            try add(pattern.node)
            instructions.append(.match(index))
            if !isLast { instructions[choice] = .split(choice + 1, instructions.count) }
        }
        findFirstBytes()
    }

    private mutating func add(_ node: PatternNode) throws(PatternDefect) {
        parts += 1
        guard instructions.count < PatternProgram.mostInstructions, parts < 10 * PatternProgram.mostInstructions else {
            throw PatternDefect(reason: "a pattern that is too large once its repetitions are written out", position: 1)
        }
        switch node {
        case .empty: break
        case .text(let text): for scalar in text.unicodeScalars { instructions.append(.scalar(scalar.value)) }
        case .member(let set):
            let known = sets.firstIndex(of: set)
            if known == nil { sets.append(set) }
            instructions.append(.member(known ?? sets.count - 1))
        case .assertion(let assertion): instructions.append(.assertion(assertion))
        case .sequence(let parts): for part in parts { try add(part) }
        case .capture(let number, let inner):
            instructions.append(.save(2 * number - 2))
            try add(inner)
            instructions.append(.save(2 * number - 1))
        case .alternatives(let choices): try addAlternatives(choices)
        case .repeated(let inner, let least, let most, let isLazy):
            for _ in 0..<least { try add(inner) }
            if let most {
                try addOptional(inner, times: most - least, isLazy)
            } else {
                try addLoop(inner, isLazy)
            }
        }
    }

    private mutating func addAlternatives(_ choices: [PatternNode]) throws(PatternDefect) {
        var jumps: [Int] = []
        for (index, choice) in choices.enumerated() {
            let isLast = index == choices.count - 1
            let split = instructions.count
            if !isLast { instructions.append(.split(split + 1, 0)) }
            try add(choice)
            guard !isLast else { break }
            jumps.append(instructions.count)
            instructions.append(.jump(0))
            instructions[split] = .split(split + 1, instructions.count)
        }
        for jump in jumps { instructions[jump] = .jump(instructions.count) }
    }

    private mutating func addOptional(_ inner: PatternNode, times: Int, _ isLazy: Bool) throws(PatternDefect) {
        var splits: [Int] = []
        for _ in 0..<times {
            splits.append(instructions.count)
            instructions.append(.jump(0))
            try add(inner)
        }
        for split in splits { instructions[split] = choice(split + 1, instructions.count, isLazy) }
    }

    private mutating func addLoop(_ inner: PatternNode, _ isLazy: Bool) throws(PatternDefect) {
        let split = instructions.count
        instructions.append(.jump(0))
        try add(inner)
        instructions.append(.jump(split))
        instructions[split] = choice(split + 1, instructions.count, isLazy)
    }

    private func choice(_ inner: Int, _ after: Int, _ isLazy: Bool) -> Instruction {
        isLazy ? .split(after, inner) : .split(inner, after)
    }

    private mutating func findFirstBytes() {
        var isSeen = [Bool](repeating: false, count: instructions.count)
        var stack = [0]
        while let place = stack.popLast() {
            guard !isSeen[place] else { continue }
            isSeen[place] = true
            switch instructions[place] {
            case .member(let index):
                let set = sets[index]
                for byte in UInt8(0)..<128 where set.contains(UInt32(byte)) { firstBytes.insert(byte) }
                if set.hasHighBytes { firstBytes.insertAllAboveASCII() }
            case .scalar(let value):
                if value < 128 { firstBytes.insert(UInt8(value)) } else { firstBytes.insertAllAboveASCII() }
            case .jump(let target): stack.append(target)
            case .split(let one, let other): stack += [one, other]
            case .assertion, .save: stack.append(place + 1)
            case .match: canBeEmpty = true
            }
        }
    }
}

/// A set of bytes, those above ASCII all or none.
struct ByteSet: Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private var hasAllAboveASCII = false

    /// Inserts one below 128.
    mutating func insert(_ byte: UInt8) {
        let bit = UInt64(1) << UInt64(byte & 63)
        if byte < 64 { low |= bit } else { high |= bit }
    }

    mutating func insertAllAboveASCII() { hasAllAboveASCII = true }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        if byte >= 128 { return hasAllAboveASCII }
        return (byte < 64 ? low : high) & 1 << UInt64(byte & 63) != 0
    }
}
