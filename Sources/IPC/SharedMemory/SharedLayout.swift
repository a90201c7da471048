// What the bytes of a trivial type mean: a number that differs where another program would read them as something else.
import SystemPackage

/// The layout of a value's type, told by its fields.
enum SharedLayout {
    /// A number for the fields of a value's type: their names, types and places.
    ///
    /// - Throws: a ``SharedObjectError`` if there is a pointer among them, which means nothing in another process.
    static func number<Value: BitwiseCopyable>(of value: Value, _ subject: String) throws(SharedObjectError) -> UInt64 {
        var pointer: String?
        let text = describe(value, &pointer) + size(of: Value.self)
        guard let pointer else { return number(of: text) }
        throw SharedObjectError(
            .wrongLayout, "create", on: subject, .invalidArgument,
            "\(Value.self) has a \(pointer) in it, which means nothing in another process")
    }

    /// A number for a type whose values are coded: they say themselves what their parts are.
    static func number<Value: Codable>(ofCoded type: Value.Type) -> UInt64 { number(of: "coded " + name(of: type)) }

    /// Structures and tuples by their parts, all else by name: what an enumeration's value shows depends on the value.
    private static func describe(_ value: Any, _ pointer: inout String?) -> String {
        let mirror = Mirror(reflecting: value)
        let hasParts = !(value is any CustomReflectable) && !mirror.children.isEmpty
        guard hasParts, mirror.displayStyle == .struct || mirror.displayStyle == .tuple else {
            let type = type(of: value)
            let name = name(of: type)
            if isPointer(name) { pointer = "\(type)" }
            return name + cases(of: type)
        }
        var parts: [String] = []
        for child in mirror.children {
            parts.append("\(child.label ?? "_"):\(describe(child.value, &pointer))" + size(of: type(of: child.value)))
        }
        return "{" + parts.joined(separator: ",") + "}"
    }

    private static func isPointer(_ name: String) -> Bool {
        ["Swift.Unsafe", "Swift.OpaquePointer", "Swift.Unmanaged", "@convention"].contains { name.contains($0) }
    }

    /// The name with all that it is inside of. What is private or local is said to be in a context at an address, which is another in
    /// each process.
    static func name(of type: Any.Type) -> String {
        var name = String(reflecting: type)
        while let start = name.firstRange(of: "(unknown context at $"),
            let end = name[start.upperBound...].firstIndex(of: ")")
        {
            name.removeSubrange(start.lowerBound...end)
        }
        return name
    }

    /// The cases of an enumeration that lists them: one more, and an older program would not know it.
    private static func cases(of type: Any.Type) -> String {
        func names<List: CaseIterable>(_ list: List.Type) -> String {
            "[" + list.allCases.map { "\($0)" }.joined(separator: ",") + "]"
        }
        guard let list = type as? any CaseIterable.Type else { return "" }
        return names(list)
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
