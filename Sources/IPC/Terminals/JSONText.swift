// The little of JSON that recordings of terminals need.

/// A value of JSON, as far as it matters here.
enum JSONText {
    case string(String)
    case number(Double)
    case array([JSONText])
    case object([String: JSONText])
    /// `true`, `false` and `null`.
    case other

    /// A text as JSON writes it.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\0"..."\u{1F}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// The value that a line holds; `nil` if it holds none.
    static func parse(_ line: String) -> JSONText? {
        var reader = JSONReader(Array(line.unicodeScalars))
        guard let value = reader.value(depth: 0), reader.isAtEnd else { return nil }
        return value
    }
}

private struct JSONReader {
    private let text: [Unicode.Scalar]
    private var place = 0

    init(_ text: [Unicode.Scalar]) { self.text = text }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return place == text.count
        }
    }

    private mutating func skipSpace() {
        while place < text.count, [" ", "\t", "\r", "\n"].contains(text[place]) { place += 1 }
    }

    private mutating func takes(_ scalar: Unicode.Scalar) -> Bool {
        skipSpace()
        guard place < text.count, text[place] == scalar else { return false }
        place += 1
        return true
    }

    mutating func value(depth: Int) -> JSONText? {
        guard depth < 20 else { return nil }
        if takes("\"") { return string().map { .string($0) } }
        if takes("[") {
            return list(closing: "]") { $0.value(depth: depth + 1) }.map { .array($0) }
        }
        if takes("{") {
            let pairs = list(closing: "}") { reader -> (String, JSONText)? in
                guard reader.takes("\""), let name = reader.string(), reader.takes(":") else { return nil }
                return reader.value(depth: depth + 1).map { (name, $0) }
            }
            return pairs.map { .object(Dictionary($0) { _, last in last }) }
        }
        let word = text[place...].prefix { $0.properties.isAlphabetic || "+-.0123456789".unicodeScalars.contains($0) }
        place += word.count
        let name = String(String.UnicodeScalarView(word))
        if ["true", "false", "null"].contains(name) { return .other }
        return Double(name).map { .number($0) }
    }

    private mutating func list<Element>(
        closing: Unicode.Scalar, _ element: (inout JSONReader) -> Element?
    ) -> [Element]? {
        var list: [Element] = []
        if takes(closing) { return list }
        repeat {
            guard let next = element(&self) else { return nil }
            list.append(next)
        } while takes(",")
        return takes(closing) ? list : nil
    }

    /// A string, its opening quotation mark taken.
    private mutating func string() -> String? {
        var units: [UInt16] = []
        while place < text.count {
            let scalar = text[place]
            place += 1
            if scalar == "\"" { return String(decoding: units, as: UTF16.self) }
            guard scalar == "\\" else {
                units += String(scalar).utf16
                continue
            }
            guard place < text.count else { return nil }
            let escape = text[place]
            place += 1
            switch escape {
            case "n": units.append(10)
            case "r": units.append(13)
            case "t": units.append(9)
            case "b": units.append(8)
            case "f": units.append(12)
            case "u":
                let digits = String(String.UnicodeScalarView(text[place...].prefix(4)))
                guard digits.utf8.count == 4, let unit = UInt16(digits, radix: 16) else { return nil }
                units.append(unit)
                place += 4
            default: units += String(escape).utf16
            }
        }
        return nil
    }
}
