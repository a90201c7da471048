// Arrays of numbers, which are copied as they lie in memory instead of one by one.

/// The value as one of a type that it has; `nil` if it has another. Without a dynamic cast, which looks into arrays.
@inline(__always)
func identical<Value, Wanted>(_ value: Value, _ type: Wanted.Type) -> Wanted? {
    Value.self == Wanted.self ? unsafeBitCast(value, to: Wanted.self) : nil
}

enum BinaryPacking {
    /// Writes an array of numbers; `false` for everything else.
    static func write<Value>(_ value: Value, to node: BinaryNode) -> Bool {
        func pack<Element: BinaryPackable>(_: Element.Type) -> Bool {
            guard let array = identical(value, [Element].self) else { return false }
            node.write(array)
            return true
        }
        return pack(UInt8.self) || pack(Int.self) || pack(Double.self) || pack(Float.self) || pack(UInt16.self)
            || pack(UInt32.self) || pack(UInt64.self) || pack(UInt.self) || pack(Int8.self) || pack(Int16.self)
            || pack(Int32.self) || pack(Int64.self)
    }

    /// Reads an array of numbers that was packed as such; `nil` for everything else.
    static func read<Value>(_ type: Value.Type, _ message: BinaryMessage, at position: Int, _ end: Int) throws -> Value?
    {
        func unpack<Element: BinaryPackable>(_: Element.Type) throws -> Value? {
            guard Value.self == [Element].self else { return nil }
            return try message.packed(Element.self, at: position, end).flatMap { identical($0, Value.self) }
        }
        if let array = try unpack(UInt8.self) { return array }
        if let array = try unpack(Int.self) { return array }
        if let array = try unpack(Double.self) { return array }
        if let array = try unpack(Float.self) { return array }
        if let array = try unpack(UInt16.self) { return array }
        if let array = try unpack(UInt32.self) { return array }
        if let array = try unpack(UInt64.self) { return array }
        if let array = try unpack(UInt.self) { return array }
        if let array = try unpack(Int8.self) { return array }
        if let array = try unpack(Int16.self) { return array }
        if let array = try unpack(Int32.self) { return array }
        if let array = try unpack(Int64.self) { return array }
        return nil
    }
}
