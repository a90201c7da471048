// What a framing makes of bytes that come in pieces; for the tests and, built by Scripts/fuzz, for the fuzzer.
#if canImport(IPC)
@testable import IPC
#endif

extension Framing {
    /// The messages, and how it ends: with the fault's name, if there is one.
    func messages(in pieces: [ArraySlice<UInt8>], limit: Int) -> [String] {
        var (buffer, found): ([UInt8], [String]) = ([], [])
        var scanner = MessageScanner(self, limit: limit)
        for (index, piece) in (pieces + [[]]).enumerated() {
            buffer += piece
            do {
                while let message = try buffer.withUnsafeBytes({
                    bytes throws(MessageScanner.Fault) -> ([UInt8], Int)? in
                    guard let message = try scanner.find(in: bytes, atEnd: index == pieces.count) else { return nil }
                    return (message.bytes(from: bytes), message.whole)
                }) {
                    found.append("\(message.0)")
                    buffer.removeFirst(message.1)
                    scanner = MessageScanner(self, limit: limit)
                }
            } catch {
                return found + ["\(error)"]
            }
        }
        return found
    }
}
