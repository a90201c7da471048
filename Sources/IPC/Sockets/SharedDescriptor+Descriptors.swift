// Sending descriptors over a Unix socket, of whatever kind it is.
import CIPC
import Synchronization
import SystemPackage

extension SharedDescriptor {
    /// Sends bytes, and descriptors with the first of them; how many bytes the kernel took.
    ///
    /// - Throws: ``SystemError``, ``TimeoutError``, `CancellationError`. Nothing was sent then.
    func send(_ bytes: [UInt8], with sent: [SentDescriptor], _ deadline: Deadline?) async throws -> Int {
        // Held by duplicates, so that nobody takes one out of its value under the call.
        let held = try sent.map { value in
            try value.holder.descriptor.withLock { held in
                guard let copy = try held?.duplicate() else {
                    throw SystemError("send", on: "sent descriptor", .badFileDescriptor)
                }
                return DescriptorBox(copy)
            }
        }
        guard enter() else { throw closedError("send") }
        defer { leave() }
        let numbers = held.map(\.number)
        // They are open for as long as this lives, which the compiler would end at its last use.
        defer { withExtendedLifetime(held) {} }
        while true {
            let result = SystemCall.retrying {
                bytes.withUnsafeBytes { all in
                    all.baseAddress.map { ipc_send_descriptors(number, $0, all.count, numbers, Int32(numbers.count)) }
                        ?? 0
                }
            }
            if result >= 0 { return result }
            let errno = Errno(rawValue: Int32(-result))
            guard errno == .wouldBlock else { throw SystemError("send", on: subject, errno) }
            try await wait(.writing, deadline: deadline, "send")
        }
    }
}
