// Values that are coded: what they become as bytes, within a limit, and what bytes become again.
import SystemPackage

/// How the values of one variable are coded.
@usableFromInline
final class SharedCoding<Value: Sendable>: Sendable {
    private let encoding: @Sendable (Value) throws -> [UInt8]
    private let decoding: @Sendable ([UInt8]) throws -> Value
    private let limit: Int

    init(_ type: Value.Type, limit: Int) where Value: Codable {
        self.limit = limit
        encoding = { try BinaryEncoder().encode($0) }
        decoding = { try BinaryDecoder().decode(type, from: $0) }
    }

    func encode(_ value: Value, _ operation: String, _ subject: String) throws -> [UInt8] {
        let bytes = try encoding(value)
        if bytes.count <= limit { return bytes }
        throw SharedObjectError(
            .tooLarge, operation, on: subject, .messageTooLong,
            "the value takes \(bytes.count) bytes, more than the limit of \(limit)")
    }

    @usableFromInline
    func read(_ object: SharedObject) throws -> SharedVariable<Value>.Snapshot {
        let (bytes, version) = try object.read("read")
        do { return .init(value: try decoding(bytes), version: version) } catch let error as DecodingError {
            throw SharedObjectError(
                .damaged, "read", on: object.subject, .badMessage,
                "its value cannot be decoded as \(Value.self): \(error)")
        }
    }

    /// With the lock held.
    @usableFromInline
    func commit(_ value: Value, to object: SharedObject, _ operation: String) throws {
        try object.commit(coded: try encode(value, operation, object.subject), operation)
    }
}
