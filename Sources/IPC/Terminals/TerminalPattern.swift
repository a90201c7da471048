// What to look for in a terminal's output.

/// What a conversation on a terminal waits for: a text, a pattern, or the end.
///
/// A string literal is the text itself. A pattern given as text, ``pattern(_:)``, is searched for in time that grows with the
/// output alone, whatever the pattern: each character is looked at once. It has classes (`[a-z]`, `\d`, `\w`, `\s`,
/// `[[:alpha:]]`), groups with and without names, alternatives, repetitions (`*`, `+`, `?`, `{2,5}`, lazy with `?` behind), the
/// anchors `^`, `$`, `\b`, `\B`, `\A` and `\z`, and `(?i)`, `(?s)`. It has no back references and does not look around.
///
/// Of several possible matches the one that begins first counts, of those the one that the pattern prefers. What comes later
/// is waited for only as far as it is on its way: where the output pauses, the best match of what is there is taken. `$` is the
/// end of a line (before CR or LF) or of the input; it also matches where the output pauses, unless what it ends could
/// still become longer. `^` is the beginning of a line, `\z` the end of the output. `.` is any character but CR and LF.
public struct TerminalPattern: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    enum Kind: Sendable, Hashable {
        case text(String)
        case pattern(String)
        case end
    }

    let kind: Kind

    /// A text, which is looked for as it is.
    public init(stringLiteral text: String) { kind = .text(text) }

    init(_ kind: Kind) { self.kind = kind }

    /// A text, which is looked for as it is.
    public static func text(_ text: String) -> TerminalPattern { TerminalPattern(.text(text)) }

    /// A pattern. One that cannot be read is an error of the call that looks for it, ``TerminalError`` with
    /// `invalidPattern`.
    public static func pattern(_ pattern: String) -> TerminalPattern { TerminalPattern(.pattern(pattern)) }

    /// The end of the output: no program has the terminal open any more.
    public static let end = TerminalPattern(.end)

    public var description: String {
        switch kind {
        case .text(let text): VisibleText.quoted(Array(text.utf8))
        case .pattern(let pattern): "/\(pattern)/"
        case .end: "the end"
        }
    }

    /// Checks that the pattern can be read.
    ///
    /// - Throws: ``TerminalError`` with `invalidPattern`, which says what is wrong and where.
    public func validate() throws { _ = try TerminalPatterns([self]) }
}

/// Several patterns, ready for the search.
struct TerminalPatterns: Sendable {
    let program: PatternProgram?
    /// For each of the program's patterns its place among all.
    let places: [Int]
    let names: [[String?]]
    let end: Int?
    let patterns: [TerminalPattern]

    /// For errors alone: it takes as long as all the rest.
    var description: String { patterns.map(\.description).joined(separator: " or ") }

    init(_ patterns: [TerminalPattern]) throws {
        var nodes: [(node: PatternNode, groups: Int)] = []
        var places: [Int] = []
        var names: [[String?]] = []
        var end: Int?
        for (place, pattern) in patterns.enumerated() {
            switch pattern.kind {
            case .end: end = end ?? place
            case .text(let text):
                nodes.append((.text(text), 0))
                names.append([])
                places.append(place)
            case .pattern(let text):
                do {
                    var parser = PatternParser(text)
                    nodes.append((try parser.parse(), parser.names.count))
                    names.append(parser.names)
                    places.append(place)
                } catch { throw TerminalPatterns.error(of: pattern, error) }
            }
        }
        do { program = nodes.isEmpty ? nil : try PatternProgram(nodes) } catch {
            throw TerminalPatterns.error(of: patterns[places.last ?? 0], error)
        }
        (self.places, self.names, self.end) = (places, names, end)
        self.patterns = patterns
    }

    private static func error(of pattern: TerminalPattern, _ defect: PatternDefect) -> TerminalError {
        TerminalError(
            .invalidPattern, "expect", on: pattern.description,
            detail: "\(defect.reason), at character \(defect.position)")
    }
}
