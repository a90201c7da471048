// A descriptor as a part of a value: it goes to another process with the message that the value becomes.
import Synchronization
import SystemPackage

/// A descriptor in a value that is sent to another process: an open file, a socket, a pipe, handed over as it is.
///
/// The other side gets a descriptor of its own for the same open file, with all rights that it was opened with, whatever
/// it could open itself. The value is `Codable` by this library alone: with any other coder, encoding it throws. The system
/// calls are `sendmsg` and `recvmsg` with `SCM_RIGHTS`.
///
/// The descriptor is closed when the last copy of the value goes, unless it was taken out.
public struct SentDescriptor: Sendable {
    let holder: Holder

    /// A descriptor to be sent, which belongs to the value from now on.
    public init(_ descriptor: consuming Descriptor) { holder = Holder(descriptor) }

    /// Takes the descriptor out of the value; of all copies of it one can do so, once.
    ///
    /// - Throws: ``SystemError`` with `EBADF` if it was taken already.
    public func take() throws -> Descriptor {
        guard let descriptor = holder.descriptor.withLock({ $0.take() }) else {
            throw SystemError("take", on: "sent descriptor", .badFileDescriptor)
        }
        return descriptor
    }

    /// The descriptor, until somebody takes it.
    final class Holder: Sendable {
        let descriptor: Mutex<Descriptor?>

        init(_ descriptor: consuming Descriptor) { self.descriptor = Mutex(consume descriptor) }
    }
}

/// The descriptors of one message, which its values name by their places.
final class DescriptorTable: Sendable {
    static let key = CodingUserInfoKey(rawValue: "IPC.descriptors")

    private let holders: Mutex<[SentDescriptor.Holder]>

    init(_ holders: [SentDescriptor.Holder] = []) { self.holders = Mutex(holders) }

    var all: [SentDescriptor.Holder] { holders.withLock { $0 } }

    /// The place of a descriptor; the same for copies of one value.
    func add(_ holder: SentDescriptor.Holder) -> Int {
        holders.withLock { holders in
            if let place = holders.firstIndex(where: { $0 === holder }) { return place }
            holders.append(holder)
            return holders.count - 1
        }
    }

    /// What a coder is given, so that values find the table.
    var userInfo: [CodingUserInfoKey: any Sendable] { DescriptorTable.key.map { [$0: self] } ?? [:] }

    static func table(in userInfo: [CodingUserInfoKey: Any]) -> DescriptorTable? {
        key.flatMap { userInfo[$0] as? DescriptorTable }
    }
}

extension SentDescriptor: Codable {
    /// The descriptor that came with a message.
    public init(from decoder: any Decoder) throws {
        let index = try decoder.singleValueContainer().decode(Int.self)
        let all = DescriptorTable.table(in: decoder.userInfo)?.all ?? []
        guard all.indices.contains(index) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "no descriptor came with the message"))
        }
        holder = all[index]
    }

    /// Puts the descriptor into the message that is being made.
    public func encode(to encoder: any Encoder) throws {
        guard let table = DescriptorTable.table(in: encoder.userInfo) else {
            throw EncodingError.invalidValue(
                self, .init(codingPath: encoder.codingPath, debugDescription: "no descriptor can travel this way"))
        }
        var container = encoder.singleValueContainer()
        try container.encode(table.add(holder))
    }
}
