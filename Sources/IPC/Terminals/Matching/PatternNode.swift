// What a pattern says, as a tree.

/// A part of a pattern.
indirect enum PatternNode {
    case empty
    /// Characters one after the other.
    case text(String)
    case member(ScalarSet)
    case assertion(PatternAssertion)
    case sequence([PatternNode])
    case alternatives([PatternNode])
    case capture(Int, PatternNode)
    case repeated(PatternNode, atLeast: Int, atMost: Int?, isLazy: Bool)
}

/// What has to hold between two characters.
enum PatternAssertion: Int32 {
    case lineStart, lineEnd, searchStart, streamEnd, wordBoundary, noWordBoundary

    /// Whether it holds between two tokens.
    @inline(__always)
    func holds(after former: UInt32, before next: UInt32, isFirst: Bool) -> Bool {
        switch self {
        case .lineStart: former == 10 || former == 13 && next != 10
        case .lineEnd: next == 10 || next == 13 || next >= TextToken.pause
        case .searchStart: isFirst
        case .streamEnd: next == TextToken.end
        case .wordBoundary: ScalarSet.isWord(former) != ScalarSet.isWord(next)
        case .noWordBoundary: ScalarSet.isWord(former) == ScalarSet.isWord(next)
        }
    }

    /// Whether it may hold only because nothing more has come so far.
    var looksAhead: Bool {
        switch self {
        case .lineEnd, .wordBoundary, .noWordBoundary: true
        case .lineStart, .searchStart, .streamEnd: false
        }
    }
}
