// One JSON object on standard output.
import FoundationEssentials
import IPC

/// Writes a value as one JSON object and a line end, and closes the stream.
func printJSON(_ value: some Encodable, to stream: ByteWriter = .standardOutput) async throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let bytes = [UInt8](try encoder.encode(value))
    do {
        try await stream.write(bytes + [UInt8(ascii: "\n")])
        try stream.close()
    } catch let error as SystemError {
        // Who asks for an object wants all of it: that he has left is a failure here.
        throw NotPrinted(error: error)
    }
}

/// The object could not be written.
private struct NotPrinted: Error, CustomStringConvertible {
    let error: SystemError

    var description: String { "\(error)" }
}

/// Bytes for JSON: as text where they are UTF-8, in Base64 where they are not.
struct JSONBytes {
    let text: String?
    let base64: String?

    init(_ bytes: [UInt8]) {
        text = String(validating: bytes, as: UTF8.self)
        base64 = text == nil ? Data(bytes).base64EncodedString() : nil
    }
}

extension Duration {
    /// The duration as a number of seconds.
    var seconds: Double {
        let (whole, fraction) = components
        return Double(whole) + Double(fraction) * 1e-18
    }
}
