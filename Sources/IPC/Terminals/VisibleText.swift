// A terminal's output for people and logs: no byte of it can command the terminal that shows it.

/// Control characters made visible.
enum VisibleText {
    /// The text with every control character but LF and TAB as a caret and a letter; CR LF is an LF; what is not UTF-8 is
    /// shown as `\xHH`.
    static func of(_ bytes: some Collection<UInt8>) -> String {
        var shown = Shower()
        return shown.show(bytes, isEnd: true)
    }

    /// In one line between quotation marks, the last 200 characters.
    static func quoted(_ bytes: [UInt8]) -> String {
        let text = of(bytes).replacing("\n", with: "\\n").replacing("\t", with: "\\t")
        return "\"" + (text.count > 200 ? "..." + text.suffix(200) : text) + "\""
    }

    /// Makes a stream visible piece by piece, whatever the pieces cut through.
    struct Shower {
        private var held: [UInt8] = []

        mutating func show(_ bytes: some Collection<UInt8>, isEnd: Bool = false) -> String {
            held += bytes
            var text = ""
            var place = 0
            held.withUnsafeBytes { all in
                while place < all.count {
                    if all[place] == 13 {
                        guard place + 1 < all.count || isEnd else { break }
                        if place + 1 < all.count, all[place + 1] == 10 {
                            place += 1
                            continue
                        }
                    }
                    let token = TextToken.read(all, at: place, isEnd: isEnd, findingEscapes: false)
                    if token.length == 0 { break }
                    VisibleText.add(token.value, to: &text)
                    place += token.length
                }
            }
            held.removeFirst(place)
            return text
        }
    }

    private static func add(_ value: UInt32, to text: inout String) {
        if value > 0x10FFFF {
            let byte = String(value - 0x110000, radix: 16)
            text += "\\x" + byte
        } else if value < 32, value != 10, value != 9 {
            text += "^" + String(UnicodeScalar(UInt8(value + 64)))
        } else if value == 127 {
            text += "^?"
        } else if 0x80..<0xA0 ~= value || 0x202A...0x202E ~= value || 0x2066...0x2069 ~= value {
            // Control characters of the other set, and those that turn the direction of writing.
            text += "\\u{" + String(value, radix: 16) + "}"
        } else if let scalar = Unicode.Scalar(value) {
            text.unicodeScalars.append(scalar)
        }
    }
}
