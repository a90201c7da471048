// What nobody but the program that asks may see: kept out of descriptions, recordings and errors.
import CIPC

/// A password or the like.
///
/// Printed, interpolated, dumped or put into an error it is dots. Sent with ``TerminalSession/send(line:timeout:)-(Secret,_)``
/// it goes to the terminal only while that does not show what is typed, and whatever recording or error would have it has
/// dots instead.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let bytes: [UInt8]

    /// A secret that the program has from elsewhere.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// A secret as bytes.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// Takes a secret out of the environment: no program that is started later has the variable, and where other programs see
    /// this one's environment, its value is gone.
    ///
    /// To be called before other threads use the environment: C's `getenv` has no lock. The C function is `unsetenv`.
    ///
    /// - Throws: ``TerminalError`` with `noSecret` if there is no such variable.
    public init(takingFromEnvironment name: String) throws {
        guard let value = ipc_environment_value(name) else {
            throw TerminalError(.noSecret, "take secret from", on: name)
        }
        var (copy, next) = ([UInt8](), value)
        while next.pointee != 0 {
            copy.append(UInt8(bitPattern: next.pointee))
            next += 1
        }
        bytes = copy
        ipc_environment_erase(name)
    }

    /// What stands for it.
    static let dots = Array("••••••".utf8)

    public var description: String { String(decoding: Secret.dots, as: UTF8.self) }
    /// Dots.
    public var debugDescription: String { description }
    /// Nothing to look into.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The secrets that were sent, and a stream of output without them.
struct SecretFilter: Sendable {
    private(set) var secrets: [[UInt8]] = []
    private var held: [UInt8] = []

    /// So much of a secret is hidden too where the text is cut in the middle of it.
    private static let leastPart = 3

    mutating func add(_ secret: Secret) {
        // Nothing shorter can be told from what any program shows.
        guard secret.bytes.count >= 2, !secrets.contains(secret.bytes) else { return }
        secrets.append(secret.bytes)
        secrets.sort { $0.count > $1.count }
    }

    /// The bytes with dots for secrets. What may be the beginning of one is held back until more has come; at the end it is
    /// dots too, but for the first two bytes.
    mutating func pass(_ bytes: some Sequence<UInt8>, isEnd: Bool = false) -> [UInt8] {
        if secrets.isEmpty, held.isEmpty { return Array(bytes) }
        held += bytes
        var passed: [UInt8] = []
        passed.reserveCapacity(held.count)
        var place = 0
        for range in hidden(in: held, isEnd: isEnd, isCutInFront: false) {
            guard range.lowerBound >= place else { continue }
            passed += held[place..<range.lowerBound]
            place = range.upperBound
            if range.isEmpty { break }  // held back from here on
            passed += Secret.dots
        }
        if isEnd || !mayBeginSecret(held[place...]) {
            passed += held[place...]
            place = held.count
        }
        held.removeFirst(place)
        return passed
    }

    private func mayBeginSecret(_ rest: ArraySlice<UInt8>) -> Bool {
        !rest.isEmpty && secrets.contains { $0.count > rest.count && $0.starts(with: rest) }
    }

    /// Where the secrets stand, one behind the other. An empty range says that nothing is known from there on.
    private func hidden(in bytes: [UInt8], isEnd: Bool, isCutInFront: Bool) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var place = 0
        if isCutInFront, let count = longestSuffix(at: bytes) {
            ranges.append(0..<count)
            place = count
        }
        while place < bytes.count {
            let rest = bytes[place...]
            let mayBeLonger = mayBeginSecret(rest)
            if mayBeLonger, !isEnd {
                ranges.append(place..<place)
                return ranges
            }
            if let secret = secrets.first(where: { rest.starts(with: $0) }) {
                ranges.append(place..<place + secret.count)
                place += secret.count
            } else if mayBeLonger, rest.count >= SecretFilter.leastPart {
                ranges.append(place..<bytes.count)
                return ranges
            } else {
                place += 1
            }
        }
        return ranges
    }

    /// How much of the front is the end of a secret whose beginning is gone.
    private func longestSuffix(at bytes: [UInt8]) -> Int? {
        secrets.compactMap { secret in
            (SecretFilter.leastPart..<max(SecretFilter.leastPart, secret.count)).last { count in
                bytes.count >= count && bytes.starts(with: secret.suffix(count))
            }
        }.max()
    }

    /// A piece of output without the secrets, wherever it was cut.
    func hiding(_ bytes: [UInt8]) -> [UInt8] { hiding([bytes], isCutInFront: true)[0] }

    /// Pieces that followed one another, without the secrets, also those that are cut by the pieces.
    func hiding(_ pieces: [[UInt8]], isCutInFront: Bool = false) -> [[UInt8]] {
        guard !secrets.isEmpty else { return pieces }
        let ranges = hidden(in: pieces.flatMap { $0 }, isEnd: true, isCutInFront: isCutInFront)
        var start = 0
        return pieces.map { piece in
            let own = start..<start + piece.count
            start = own.upperBound
            var (clean, place) = ([UInt8](), own.lowerBound)
            for range in ranges where range.overlaps(own) {
                let (from, to) = (max(range.lowerBound, own.lowerBound), min(range.upperBound, own.upperBound))
                clean += piece[(place - own.lowerBound)..<(from - own.lowerBound)]
                // The dots stand where the secret began.
                if range.lowerBound >= own.lowerBound || own.lowerBound == 0 { clean += Secret.dots }
                place = to
            }
            return clean + piece[(place - own.lowerBound)...]
        }
    }
}
