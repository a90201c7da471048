// What the bytes of a trivial type mean: a number that differs where another program would read them as something else.
import SystemPackage

/// The layout of a value's type, told by its fields.
enum SharedLayout {
    /// A number for the fields of a value's type: their names, types and places.
    ///
    /// - Throws: a ``SharedObjectError`` if there is a pointer among them, which means nothing in another process.
    static func number<Value: BitwiseCopyable>(of value: Value, _ subject: String) throws(SharedObjectError) -> UInt64 {
        let text = describe(value) + size(of: Value.self)
        if text.contains("Pointer") || text.contains("Unmanaged") {
            throw SharedObjectError(
                .wrongLayout, "create", on: subject, .invalidArgument,
                "\(Value.self) has a pointer in it, which means nothing in another process")
        }
        return number(of: text)
    }

    /// A number for a type whose values are coded: they say themselves what their parts are.
    static func number<Value: Codable>(ofCoded type: Value.Type) -> UInt64 { number(of: "coded \(type)") }

    /// Structures and tuples by their parts, all else by name: what an enumeration's value shows depends on the value.
    private static func describe(_ value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        let hasParts = !(value is any CustomReflectable) && !mirror.children.isEmpty
        guard hasParts, mirror.displayStyle == .struct || mirror.displayStyle == .tuple else {
            return String(reflecting: type(of: value))
        }
        let parts = mirror.children.map { "\($0.label ?? "_"):\(describe($0.value))" + size(of: type(of: $0.value)) }
        return "{" + parts.joined(separator: ",") + "}"
    }

    private static func size(of type: Any.Type) -> String {
        func sizes<Part>(_ type: Part.Type) -> String {
            "(\(MemoryLayout<Part>.size),\(MemoryLayout<Part>.alignment))"
        }
        return _openExistential(type, do: sizes)
    }

    static func number(of text: String) -> UInt64 {
        // FNV-1a: no secret is kept by it.
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// Makes one number of two.
    static func mixed(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = (one ^ other) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 32
    }
}
