// What is wrong with a message, whichever way it goes.

/// Bytes that are no message, or a message that cannot be sent in this framing. Nothing of it was taken or sent.
public struct FramingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The ways in which bytes and messages do not fit together.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// A message is longer than the limit, or than its framing can say; ``FramingError/position`` is the limit.
        public static let messageTooLong = Kind(description: "messageTooLong")
        /// The stream ends in the middle of a message, after ``FramingError/position`` bytes, which can still be read.
        public static let truncated = Kind(description: "truncated")
        /// The message to be sent contains what would end it, at ``FramingError/position``.
        public static let notRepresentable = Kind(description: "notRepresentable")
        /// Bytes that are no record of ``RecordReader``'s, or one of which a part was lost; so many were skipped.
        public static let torn = Kind(description: "torn")
    }

    /// What is wrong.
    public let kind: Kind

    /// The stream, to a person.
    public let subject: String

    /// A number of bytes, as the kind says.
    public let position: Int

    /// Describes what is wrong with a message.
    public init(_ kind: Kind, on subject: String, at position: Int) {
        self.kind = kind
        self.subject = subject
        self.position = position
    }

    public var description: String {
        switch kind {
        case .messageTooLong: "message on \(subject): longer than \(position) bytes"
        case .truncated: "message on \(subject): the stream ends in the middle of it, after \(position) bytes"
        case .notRepresentable: "message on \(subject): contains what would end it, at byte \(position)"
        case .torn: "record on \(subject): torn, \(position) bytes skipped"
        default: "message on \(subject): \(kind)"
        }
    }
}
