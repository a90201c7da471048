// Message queues with a name: whole messages, the most urgent first.
import CIPC
public import SystemPackage

extension POSIX {
    /// A message queue that processes share by its name. Of several messages the one of the highest priority comes first, of those the
    /// oldest.
    ///
    /// ```swift
    /// let queue = try POSIX.MessageQueue(named: "/jobs")
    /// try await queue.send("build", priority: 1)
    /// let message = try await queue.receive(timeout: .seconds(3))
    /// ```
    ///
    /// Who waits for a message or for room waits on the event loop, without a thread. The queue stays in the kernel, with its messages,
    /// until ``remove()``; it is closed when the last reference goes. The C functions are `mq_open`, `mq_send` and `mq_receive`.
    public final class MessageQueue: Sendable {
        /// The name, with its slash.
        public let name: String
        /// Whether this call has made it.
        public let wasCreated: Bool
        /// How many messages it takes.
        public let capacity: Int
        /// The most bytes that a message can have.
        public let messageSize: Int

        private var subject: String { descriptor.subject }
        private let descriptor: SharedDescriptor

        /// A message: how urgent it is, and what it holds.
        public struct Message: Hashable, Sendable {
            /// 0 to 32,767; the higher, the more urgent.
            public let priority: Int
            /// What it holds; empty is as good as anything.
            public let bytes: [UInt8]

            /// What it holds as text; what is not UTF-8 is replaced by U+FFFD.
            public var text: String { String(decoding: bytes, as: UTF8.self) }
        }

        /// What a queue is opened for.
        public enum Use: Hashable, Sendable {
            /// Sending and receiving.
            case both
            /// Receiving alone.
            case receiving
            /// Sending alone.
            case sending

            var flags: Int32 {
                switch self {
                case .both: IPC_O_RDWR
                case .receiving: IPC_O_RDONLY
                case .sending: IPC_O_WRONLY
                }
            }
        }

        /// The queue of a name.
        ///
        /// - Parameters:
        ///   - name: a slash and a word of at most 255 bytes; the slash may be missing.
        ///   - capacity: how many messages it takes. `nil`: what is there has, or the kernel's usual number, 10.
        ///   - messageSize: the most bytes of a message. `nil`: what is there has, or the kernel's usual number, 8,192.
        ///   - permissions: who may receive (read) and send (write), for a new queue, whatever the umask is. One that is there must not let
        ///     in others.
        ///   - owner: whose one that is there has to be, by number; `nil` for ours, or root's.
        ///   - opening: whether it may be there already, or has to be.
        ///   - use: what for; the right to do the other is not needed then.
        /// - Throws: ``SharedObjectError``: `alreadyExists`, `notFound`, `notPermitted`, `badName`, `wrongSize` if one that is there has
        ///   other numbers, `outOfRange` for numbers above the kernel's limits, `limitReached`; each names the limits.
        public convenience init(
            named name: String, capacity: Int? = nil, messageSize: Int? = nil,
            permissions: FilePermissions = .ownerReadWrite, ownedBy owner: UInt32? = nil,
            opening: Opening = .createOrOpen, for use: Use = .both
        ) throws {
            let name = try SharedName(name, .queue, opening == .open ? "open" : "create")
            while true {
                if opening != .create {
                    let number = SystemCall.retrying { ipc_posix_queue_open(name.text, use.flags, 0, 0, 0, 0) }
                    if number >= 0 {
                        let descriptor = try Descriptor(fresh: number, "open", on: name.subject)
                        if let status = FileStatus(of: number) {
                            try SharedFile.Demands(permissions: permissions, owner: owner).check(
                                status, name, isFile: false)
                        }
                        try self.init(descriptor, name, wasCreated: false)
                        try check(capacity, messageSize)
                        return
                    }
                    guard opening == .createOrOpen, number == -Errno.noSuchFileOrDirectory.rawValue else {
                        throw MessageQueue.opening(name, Errno(rawValue: -number))
                    }
                }
                let mode = UInt32(permissions.rawValue)
                let (count, size) = (
                    Int64(capacity ?? MessageQueue.usual("msg")), Int64(messageSize ?? MessageQueue.usual("msgsize"))
                )
                let number = SystemCall.retrying { ipc_posix_queue_open(name.text, use.flags, 1, mode, count, size) }
                if number >= 0 {
                    let descriptor = try Descriptor(fresh: number, "create", on: name.subject)
                    do {
                        let result = ipc_posix_queue_set_mode(descriptor.number, mode)
                        if result < 0 { throw SharedObjectError("create", on: name.subject, Errno(rawValue: -result)) }
                        try self.init(descriptor, name, wasCreated: true)
                    } catch {
                        _ = ipc_posix_queue_remove(name.text)
                        throw error
                    }
                    return
                }
                if opening == .createOrOpen, number == -Errno.fileExists.rawValue { continue }
                throw MessageQueue.creating(name, count, size, Errno(rawValue: -number))
            }
        }

        private init(_ descriptor: consuming Descriptor, _ name: SharedName, wasCreated: Bool) throws {
            var status = ipc_posix_queue()
            let result = ipc_posix_queue_status(descriptor.number, &status)
            guard result == 0 else {
                throw SharedObjectError("open", on: name.subject, Errno(rawValue: -result))
            }
            (self.name, self.wasCreated) = (name.text, wasCreated)
            (capacity, messageSize) = (Int(status.capacity), Int(status.message_size))
            self.descriptor = SharedDescriptor(descriptor, .blocking, subject: name.subject)
        }

        private func check(_ capacity: Int?, _ messageSize: Int?) throws {
            guard capacity ?? self.capacity == self.capacity, messageSize ?? self.messageSize == self.messageSize else {
                throw SharedObjectError(
                    .wrongSize, "open", on: subject, .invalidArgument,
                    "it takes \(self.capacity) messages of up to \(self.messageSize) bytes")
            }
        }

        // MARK: Sending

        /// Puts a message into the queue, as soon as there is room.
        ///
        /// - Parameters:
        ///   - bytes: the message; it may be empty.
        ///   - priority: 0 to 32,767; the higher, the sooner it is received.
        ///   - timeout: how long to wait for room; as long as it takes for `nil`.
        /// - Throws: ``SharedObjectError``: `tooLarge`, `outOfRange`; ``TimeoutError``, `CancellationError`; ``SystemError`` with `ECANCELED`
        ///   if it was closed. The message was not sent then.
        public func send(_ bytes: [UInt8], priority: Int = 0, timeout: Duration? = nil) async throws {
            let deadline = Deadline.after(timeout)
            try await SharedDescriptor.beginCall("send to", on: subject, deadline: deadline)
            while try !trySend(bytes, priority: priority) {
                try await descriptor.wait(.writing, deadline: deadline, "send to")
            }
        }

        /// Puts a text in UTF-8 into the queue.
        ///
        /// - Throws: as for bytes.
        public func send(_ text: String, priority: Int = 0, timeout: Duration? = nil) async throws {
            try await send(Array(text.utf8), priority: priority, timeout: timeout)
        }

        /// Puts a message into the queue on the thread of the caller, which waits for room as long as need be: for programs that are not
        /// asynchronous.
        ///
        /// - Throws: as the asynchronous form does, without cancellation.
        @available(*, noasync, message: "await the asynchronous form")
        public func send(_ bytes: [UInt8], priority: Int = 0, timeout: Duration? = nil) throws {
            guard let deadline = Deadline.after(timeout) else {
                _ = try put(bytes, priority, waits: true)
                return
            }
            while try !put(bytes, priority, waits: false) { try wait(.writing, deadline, "send to") }
        }

        /// Puts a message into the queue if there is room; whether there was. Never waits.
        ///
        /// - Throws: as `send` does, without waiting.
        public func trySend(_ bytes: [UInt8], priority: Int = 0) throws -> Bool {
            try put(bytes, priority, waits: false)
        }

        private func put(_ bytes: [UInt8], _ priority: Int, waits: Bool) throws -> Bool {
            guard 0..<32_768 ~= priority else {
                throw SharedObjectError(
                    .outOfRange, "send to", on: subject, .invalidArgument, "a priority is 0 to 32767, not \(priority)")
            }
            let result = try descriptor.use("send to") { number in
                bytes.withUnsafeBytes { bytes in
                    withUnsafePointer(to: UInt8(0)) { none in
                        SystemCall.retrying {
                            ipc_posix_queue_send(
                                number, bytes.baseAddress ?? UnsafeRawPointer(none), bytes.count, UInt32(priority),
                                waits ? 1 : 0)
                        }
                    }
                }
            }
            if result == 0 { return true }
            switch Errno(rawValue: -result) {
            case .wouldBlock: return false
            case .messageTooLong:
                throw SharedObjectError(
                    .tooLarge, "send to", on: subject, .messageTooLong,
                    "\(bytes.count) bytes are more than the \(messageSize) of the queue")
            case let errno: throw SharedObjectError("send to", on: subject, errno)
            }
        }

        // MARK: Receiving

        /// Takes the most urgent message out of the queue, waiting for it.
        ///
        /// - Throws: ``TimeoutError``, `CancellationError`; ``SystemError`` with `ECANCELED` if it was closed; ``SharedObjectError``. No
        ///   message was taken then.
        public func receive(timeout: Duration? = nil) async throws -> Message {
            let deadline = Deadline.after(timeout)
            try await SharedDescriptor.beginCall("receive from", on: subject, deadline: deadline)
            while true {
                if let message = try tryReceive() { return message }
                try await descriptor.wait(.reading, deadline: deadline, "receive from")
            }
        }

        /// Takes the most urgent message out of the queue on the thread of the caller, which waits as long as need be: for programs that
        /// are not asynchronous.
        ///
        /// - Throws: as the asynchronous form does, without cancellation.
        @available(*, noasync, message: "await the asynchronous form")
        public func receive(timeout: Duration? = nil) throws -> Message {
            if let deadline = Deadline.after(timeout) {
                while true {
                    if let message = try get(waits: false) { return message }
                    try wait(.reading, deadline, "receive from")
                }
            }
            guard let message = try get(waits: true) else {
                throw SharedObjectError("receive from", on: subject, .wouldBlock)
            }
            return message
        }

        /// Takes the most urgent message out of the queue if there is one; `nil` if not. Never waits.
        ///
        /// - Throws: as `receive` does, without waiting.
        public func tryReceive() throws -> Message? { try get(waits: false) }

        private func get(waits: Bool) throws -> Message? {
            try descriptor.use("receive from") { number -> Message? in
                try withUnsafeTemporaryAllocation(byteCount: max(1, messageSize), alignment: 1) { room -> Message? in
                    guard let start = room.baseAddress else { return nil }
                    var priority: UInt32 = 0
                    let count = SystemCall.retrying {
                        ipc_posix_queue_receive(number, start, room.count, &priority, waits ? 1 : 0)
                    }
                    if count >= 0 { return Message(priority: Int(priority), bytes: [UInt8](room[..<count])) }
                    if count == -Int(Errno.wouldBlock.rawValue) { return nil }
                    throw SharedObjectError("receive from", on: subject, Errno(rawValue: Int32(-count)))
                }
            }
        }

        /// Waits on this thread, by the monotonic clock, which the kernel's own limits do not go by.
        private func wait(_ direction: Direction, _ deadline: Deadline, _ operation: String) throws {
            let left = Int64(clamping: deadline.remaining.nanosecondsRoundedUp)
            if left == 0 { throw deadline.passed(operation, on: subject) }
            try descriptor.use(operation) { _ = ipc_poll_wait($0, direction == .writing ? 1 : 0, left) }
        }

        // MARK: Looking and removing

        /// How many messages wait in the queue. The C function is `mq_getattr`.
        ///
        /// - Throws: ``SystemError`` with `ECANCELED` if it was closed.
        public var count: Int {
            get throws {
                var status = ipc_posix_queue()
                try descriptor.use("look at") { number in
                    try SystemCall.perform("look at", on: subject) { ipc_posix_queue_status(number, &status) }
                }
                return Int(status.count)
            }
        }

        /// Closes it here, as dropping the last reference does; tasks of this process that wait for it are woken with an error, threads
        /// that do so in calls which are not asynchronous are not. The queue and its messages stay.
        public func close() { descriptor.close() }

        /// Takes its name away; those who have it open keep it, and who waits is not woken.
        ///
        /// The name goes even if it means another queue by now: the kernel cannot be asked for that.
        ///
        /// - Throws: ``SharedObjectError`` with `notFound` if it has no name any more, with `notPermitted`.
        public func remove() throws { try MessageQueue.remove(named: name) }

        /// Takes a name away from the queue that has it, whosever it is, without opening it.
        ///
        /// - Throws: ``SharedObjectError`` with `notFound`, `notPermitted`, `badName`.
        public static func remove(named name: String) throws {
            let name = try SharedName(name, .queue, "remove")
            let result = ipc_posix_queue_remove(name.text)
            if result < 0 { throw SharedObjectError("remove", on: name.subject, Errno(rawValue: -result)) }
        }

        /// Makes a queue with a name, and takes the name away however the body ends.
        ///
        /// - Throws: what the body throws; as ``init(named:capacity:messageSize:permissions:ownedBy:opening:for:)`` does.
        public static func withNew<Result>(
            named name: String, capacity: Int? = nil, messageSize: Int? = nil,
            permissions: FilePermissions = .ownerReadWrite, _ body: (MessageQueue) async throws -> Result
        ) async throws -> Result {
            let queue = try MessageQueue(
                named: name, capacity: capacity, messageSize: messageSize, permissions: permissions, opening: .create)
            defer {
                try? queue.remove()
                queue.close()
            }
            return try await body(queue)
        }
    }
}
