// The ways in which a stream of bytes says where one message ends and the next begins.

/// How the other side of a stream knows that a message has ended.
///
/// A stream has no messages: what was written by three calls can be read by one, or by thirty. A framing puts them into the
/// stream and finds them again, however the bytes were cut on the way.
///
/// ```swift
/// try await writer.sendMessage("hello", framedBy: .lengthPrefixed(by: UInt32.self))
/// let message = try await reader.receiveMessage(framedBy: .lengthPrefixed(by: UInt32.self))
/// ```
///
/// | framing | a message may contain | its end |
/// |---|---|---|
/// | ``lines`` | all but LF | LF or CR LF, or the end of the stream |
/// | ``dotTerminated`` | lines | a line with nothing but a dot |
/// | ``lengthPrefixed(by:_:)`` | anything | is announced |
/// | ``delimiter(_:)`` | all but the delimiter | the delimiter |
/// | ``untilEnd`` | anything | the end of the stream |
public struct Framing: Hashable, Sendable {
    enum Form: Hashable, Sendable {
        case lines(LineEnd)
        case dotTerminated(LineEnd)
        case lengthPrefixed(width: Int, order: ByteOrder)
        case delimiter([UInt8])
        case untilEnd
    }

    let form: Form

    /// What ends a line that is sent. Both are understood in what is received.
    public enum LineEnd: Hashable, Sendable {
        /// LF, as in files and pipes.
        case lineFeed
        /// CR LF, as in the protocols of the Internet.
        case carriageReturnLineFeed

        var bytes: [UInt8] { self == .lineFeed ? [10] : [13, 10] }
    }

    /// Which byte of a number comes first.
    public enum ByteOrder: Hashable, Sendable {
        /// The most significant one, as protocols have it.
        case bigEndian
        /// The least significant one, as most processors have it.
        case littleEndian
    }

    /// A message is a line. Sent lines end with LF; what is after the last line end of a stream is a line too.
    public static let lines = lines(endingWith: .lineFeed)

    /// A message is a line, as ``lines`` has it, with this end where it is sent.
    public static func lines(endingWith end: LineEnd) -> Framing { Framing(form: .lines(end)) }

    /// A message is a number of lines, and a line with nothing but a dot ends it: as mail is sent. Sent lines end with CR LF.
    ///
    /// A line that begins with a dot is given a second one on the way, so that any text can be sent. In what is received
    /// the lines keep their ends as they came. A text whose last line has no end gets one.
    public static let dotTerminated = dotTerminated(endingWith: .carriageReturnLineFeed)

    /// A message is a number of lines, as ``dotTerminated`` has it, with this end for each line that is sent.
    public static func dotTerminated(endingWith end: LineEnd) -> Framing { Framing(form: .dotTerminated(end)) }

    /// The length of a message, in bytes, stands in front of it: as a number of this type, in this order.
    ///
    /// An announced length beyond the limit is refused at once, and memory is taken for what comes, not for what was announced.
    ///
    /// - Precondition: the type has 64 bits at the most.
    public static func lengthPrefixed<Length: FixedWidthInteger & UnsignedInteger>(
        by length: Length.Type, _ order: ByteOrder = .bigEndian
    ) -> Framing {
        precondition(Length.bitWidth <= 64, "a length of 64 bits at the most")
        return Framing(form: .lengthPrefixed(width: Length.bitWidth / 8, order: order))
    }

    /// These bytes end each message, and stand in none; a stream that ends without them ends in the middle of one.
    ///
    /// - Precondition: there is at least one byte.
    public static func delimiter(_ bytes: [UInt8]) -> Framing {
        precondition(!bytes.isEmpty, "a delimiter of at least one byte")
        return Framing(form: .delimiter(bytes))
    }

    /// A NUL ends each message: as `find -print0` and `xargs -0` have it.
    public static let nullTerminated = delimiter([0])

    /// All that is left in the stream is one message; where nothing is left there is none. Sending one closes the stream.
    public static let untilEnd = Framing(form: .untilEnd)
}
