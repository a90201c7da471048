// What a stream's bytes can be wrong with, other than that the kernel refuses to give them.

/// Bytes that came, and are not what was asked for. None of them is lost: they can still be read.
public struct ReadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The ways in which bytes are not what was asked for.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// A line is longer than the limit; its bytes can be read by ``ByteReader/read(upTo:timeout:)``.
        public static let lineTooLong = Kind(description: "lineTooLong")
        /// A line is not UTF-8; it can be read as bytes, or with `decoding: .repair`.
        public static let invalidText = Kind(description: "invalidText")
        /// There is more than the limit of a call that reads everything.
        public static let limitExceeded = Kind(description: "limitExceeded")
    }

    /// What is wrong.
    public let kind: Kind

    /// The stream, to a person.
    public let subject: String

    /// The number of the line, from 1 on; 0 where lines play no part.
    public let line: Int

    /// The first byte that is wrong, counted from the beginning of the line; for limits the limit, in bytes.
    public let offset: Int

    /// Describes bytes that are not what was asked for.
    public init(_ kind: Kind, subject: String, line: Int, offset: Int) {
        self.kind = kind
        self.subject = subject
        self.line = line
        self.offset = offset
    }

    public var description: String {
        switch kind {
        case .lineTooLong: "read \(subject): line \(line) is longer than \(offset) bytes"
        case .invalidText: "read \(subject): line \(line) is not UTF-8 at byte \(offset)"
        case .limitExceeded: "read \(subject): more than \(offset) bytes"
        default: "read \(subject): \(kind)"
        }
    }
}
