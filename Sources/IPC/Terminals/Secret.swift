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
        bytes = Array(String(cString: value).utf8)
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

    mutating func add(_ secret: Secret) {
        // Nothing shorter can be told from what any program shows.
        guard secret.bytes.count >= 2, !secrets.contains(secret.bytes) else { return }
        secrets.append(secret.bytes)
        secrets.sort { $0.count > $1.count }
    }

    /// The bytes with dots for secrets. What may be the beginning of one is held back until more has come, or it is the end.
    mutating func pass(_ bytes: some Sequence<UInt8>, isEnd: Bool = false) -> [UInt8] {
        if secrets.isEmpty, held.isEmpty { return Array(bytes) }
        held += bytes
        var passed: [UInt8] = []
        passed.reserveCapacity(held.count)
        var place = 0
        while place < held.count {
            let rest = held[place...]
            if let secret = secrets.first(where: { rest.starts(with: $0) }) {
                passed += Secret.dots
                place += secret.count
            } else if !isEnd, secrets.contains(where: { $0.count > rest.count && $0.starts(with: rest) }) {
                break
            } else {
                passed.append(held[place])
                place += 1
            }
        }
        held.removeFirst(place)
        return passed
    }

    /// A whole text without the secrets.
    func hiding(_ bytes: [UInt8]) -> [UInt8] {
        var filter = self
        filter.held = []
        return filter.pass(bytes, isEnd: true)
    }
}
