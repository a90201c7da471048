// Message queues: messages with a type, taken by type, whole or not at all.
import CIPC
public import SystemPackage

extension SystemV {
    /// A System V message queue: messages with a type, each taken once, by whoever asks for its type first.
    ///
    /// ```swift
    /// let queue = try SystemV.MessageQueue(key: .number(1234))
    /// try await queue.send("hello", type: 2)
    /// let message = try await queue.receive(.type(2), timeout: .seconds(3))
    /// ```
    ///
    /// The queue stays in the kernel, with its messages, until ``remove()``; this value may be copied and dropped. The C functions are
    /// `msgget`, `msgsnd`, `msgrcv` and `msgctl`.
    public struct MessageQueue: Hashable, Sendable {
        /// The kernel's number for the queue.
        public let id: Int32
        /// The key that it is found by.
        public let key: Key

        /// A message: its type, and what it holds.
        public struct Message: Hashable, Sendable {
            /// Its type, 1 or more.
            public let type: Int
            /// What it holds; empty is as good as anything.
            public let bytes: [UInt8]

            /// What it holds as text; what is not UTF-8 is replaced by U+FFFD.
            public var text: String { String(decoding: bytes, as: UTF8.self) }
        }

        /// Which message is wanted.
        public struct Selection: Hashable, Sendable {
            /// `nil` for what no type can be.
            let type: Int?
            let isExcept: Bool

            private init(type: Int?, isExcept: Bool) { (self.type, self.isExcept) = (type, isExcept) }

            /// The one that has been there longest.
            public static let any = Selection(type: 0, isExcept: false)

            /// The one of a type, 1 or more, that has been there longest.
            public static func type(_ type: Int) -> Selection {
                Selection(type: type > 0 ? type : nil, isExcept: false)
            }

            /// Of those with the lowest type, as long as that is at most `type`, the one that has been there longest: the lower the
            /// type, the more urgent. To the C function a negative type.
            public static func lowest(upTo type: Int) -> Selection {
                Selection(type: type > 0 ? -type : nil, isExcept: false)
            }

            /// The one of any other type that has been there longest. The C flag is `MSG_EXCEPT`.
            public static func except(_ type: Int) -> Selection {
                Selection(type: type > 0 ? type : nil, isExcept: true)
            }
        }

        /// A queue with a key.
        ///
        /// - Parameters:
        ///   - key: ``Key/private`` always makes a new one.
        ///   - permissions: who may receive (read) and send (write), for a new queue.
        ///   - opening: whether it may be there already, or has to be.
        /// - Throws: ``SystemVError``: `alreadyExists`, `notFound`, `limitReached`. Whether one that is there may be used by us is said when
        ///   it is used.
        public init(key: Key, permissions: FilePermissions = .ownerReadWrite, opening: Opening = .createOrOpen) throws {
            (id, _) = try SystemV.get(.queue, key, opening, size: 0, mode: UInt32(permissions.rawValue))
            self.key = key
        }

        var subject: String { SystemV.name(.queue, id, key) }

        // MARK: Sending

        /// Puts a message into the queue, as soon as there is room.
        ///
        /// If somebody lowers the queue's limit below the message's size while it waits, the kernel lets it wait on: where that can be, say
        /// a limit of time.
        ///
        /// - Parameters:
        ///   - bytes: the message; it may be empty.
        ///   - type: 1 or more.
        ///   - timeout: how long to wait for room; as long as it takes for `nil`.
        /// - Throws: ``SystemVError``: `tooLarge` for more than `kernel.msgmax`, or than the queue takes at all; `outOfRange` for a type
        ///   below 1; `removed`, also while waiting; `notPermitted`. ``TimeoutError``, `CancellationError`, ``SystemError`` with `EAGAIN`
        ///   if too many wait already. The message was not sent then.
        public func send(_ bytes: [UInt8], type: Int = 1, timeout: Duration? = nil) async throws {
            let deadline = Deadline.after(timeout)
            try await SharedDescriptor.beginCall("send to", on: subject, deadline: deadline)
            let message = try packed(bytes, type)
            if try sendAtOnce(message) { return }
            _ = try await BlockingCall.perform("send to", on: subject, deadline: deadline) { [id] in
                message.withUnsafeBytes { MessageQueue.send(id, $0, waits: true) }
            } refused: {
                SystemV.refusal("send to", .queue, id, subject, $0)
            }
        }

        /// Puts a message into the queue on the thread of the caller, which waits for room as long as need be: for programs that are not
        /// asynchronous.
        ///
        /// - Throws: as the asynchronous form does, without cancellation and limit.
        @available(*, noasync, message: "await the asynchronous form")
        public func send(_ bytes: [UInt8], type: Int = 1) throws {
            let message = try packed(bytes, type)
            if try sendAtOnce(message) { return }
            let result = SystemCall.retrying { message.withUnsafeBytes { MessageQueue.send(id, $0, waits: true) } }
            guard result == 0 else {
                throw SystemV.refusal("send to", .queue, id, subject, Errno(rawValue: Int32(-result)))
            }
        }

        /// Puts a text in UTF-8 into the queue.
        ///
        /// - Throws: as for bytes.
        public func send(_ text: String, type: Int = 1, timeout: Duration? = nil) async throws {
            try await send(Array(text.utf8), type: type, timeout: timeout)
        }

        /// Puts a message into the queue if there is room; whether there was. Never waits.
        ///
        /// - Throws: as ``send(_:type:timeout:)-([UInt8],_,_)`` does.
        public func trySend(_ bytes: [UInt8], type: Int = 1) throws -> Bool { try sendAtOnce(try packed(bytes, type)) }

        private func sendAtOnce(_ message: [UInt8]) throws -> Bool {
            let result = SystemCall.retrying { message.withUnsafeBytes { MessageQueue.send(id, $0, waits: false) } }
            if result == 0 { return true }
            let (errno, count) = (Errno(rawValue: Int32(-result)), message.count - MessageQueue.typeSize)
            if errno == .invalidArgument, case let most = MessageQueue.largestMessage, count > most {
                throw tooLarge(count, most, "kernel.msgmax")
            }
            guard errno == .wouldBlock else { throw SystemV.refusal("send to", .queue, id, subject, errno) }
            // What the queue never has room for would be waited for without end.
            if let most = try? status.byteLimit, count > most { throw tooLarge(count, most, "the queue") }
            return false
        }

        private static func send(_ id: Int32, _ message: UnsafeRawBufferPointer, waits: Bool) -> Int {
            message.baseAddress.map { ipc_queue_send(id, $0, message.count - typeSize, waits ? 1 : 0) } ?? 0
        }

        /// The message as the kernel takes it: its type, a `long`, and its bytes.
        private func packed(_ bytes: [UInt8], _ type: Int) throws -> [UInt8] {
            guard type > 0 else {
                throw SystemVError(
                    .outOfRange, "send to", on: subject, .invalidArgument, "a type is 1 or more, not \(type)")
            }
            let size = MessageQueue.typeSize + bytes.count
            return [UInt8](unsafeUninitializedCapacity: size) { space, used in
                let raw = UnsafeMutableRawBufferPointer(space)
                raw.storeBytes(of: type, as: Int.self)
                UnsafeMutableRawBufferPointer(rebasing: raw[MessageQueue.typeSize...]).copyBytes(from: bytes)
                used = size
            }
        }

        private func tooLarge(_ count: Int, _ most: Int, _ limit: String) -> SystemVError {
            SystemVError(
                .tooLarge, "send to", on: subject, .messageTooLong,
                "\(count) bytes are more than the \(most) of \(limit)")
        }

        private static let typeSize = MemoryLayout<Int>.size

        /// The most bytes that a message can have: `kernel.msgmax`.
        public static var largestMessage: Int { SystemV.number("msgmax") ?? 8192 }

        // MARK: Receiving

        /// Takes a message out of the queue, waiting for it.
        ///
        /// - Parameters:
        ///   - selection: which.
        ///   - limit: the most bytes that it may have.
        ///   - timeout: how long to wait; as long as it takes for `nil`.
        /// - Throws: ``SystemVError``: `tooLarge` for a larger message, which stays in the queue; `removed`, also while waiting;
        ///   `notPermitted`. ``TimeoutError``, `CancellationError`, ``SystemError`` with `EAGAIN` if too many wait already. No message was
        ///   taken then.
        public func receive(
            _ selection: Selection = .any, limit: Int = 8192, timeout: Duration? = nil
        ) async throws -> Message {
            let deadline = Deadline.after(timeout)
            try await SharedDescriptor.beginCall("receive from", on: subject, deadline: deadline)
            let limit = MessageQueue.room(limit)
            if let message = try receiveHere(selection, limit, waits: false) { return message }
            let room = MessageRoom(limit)
            let count = try await BlockingCall.perform("receive from", on: subject, deadline: deadline) { [id] in
                room.receive(id, selection, waits: true)
            } refused: {
                failure($0, limit)
            }
            return room.message(count)
        }

        /// Takes a message out of the queue on the thread of the caller, which waits as long as need be: for programs that are not
        /// asynchronous.
        ///
        /// - Throws: as the asynchronous form does, without cancellation and limit.
        @available(*, noasync, message: "await the asynchronous form")
        public func receive(_ selection: Selection = .any, limit: Int = 8192) throws -> Message {
            guard let message = try receiveHere(selection, limit, waits: true) else { throw failure(.noMessage, limit) }
            return message
        }

        /// Takes a message out of the queue if there is one; `nil` if not. Never waits.
        ///
        /// - Throws: as ``receive(_:limit:timeout:)`` does.
        public func tryReceive(_ selection: Selection = .any, limit: Int = 8192) throws -> Message? {
            try receiveHere(selection, limit, waits: false)
        }

        /// On this thread; `nil` if there is none, and that is not waited for.
        private func receiveHere(_ selection: Selection, _ limit: Int, waits: Bool) throws -> Message? {
            let limit = MessageQueue.room(limit)
            guard selection.type != nil else {
                throw SystemVError(.outOfRange, "receive from", on: subject, .invalidArgument, "a type is 1 or more")
            }
            let (message, errno) = withUnsafeTemporaryAllocation(
                byteCount: MessageQueue.typeSize + limit, alignment: MessageQueue.typeSize
            ) { space -> (Message?, Errno) in
                let result = SystemCall.retrying { selection.receive(id, space.baseAddress, limit, waits: waits) }
                guard result >= 0 else { return (nil, Errno(rawValue: Int32(-result))) }
                return (Message(at: UnsafeRawBufferPointer(space), count: result), Errno(rawValue: 0))
            }
            if let message { return message }
            if !waits, errno == .wouldBlock || errno == .noMessage { return nil }
            throw failure(errno, limit)
        }

        /// No message can be larger than what the kernel counts in.
        private static func room(_ limit: Int) -> Int { min(max(0, limit), 1 << 30) }

        private func failure(_ errno: Errno, _ limit: Int) -> SystemVError {
            guard errno == .argListTooLong else { return SystemV.refusal("receive from", .queue, id, subject, errno) }
            return SystemVError(
                .tooLarge, "receive from", on: subject, errno,
                "the message is larger than the \(limit) bytes that there is room for, and stays")
        }

        // MARK: Looking and changing

        /// What the kernel says of the queue.
        ///
        /// - Throws: ``SystemVError`` with `removed`, with `notPermitted`.
        public var status: Object { get throws { try SystemV.status(.queue, id, subject) } }

        /// Changes who may use it, and how many bytes it takes.
        ///
        /// - Parameters:
        ///   - permissions: who may send, the bits for writing, and receive, those for reading.
        ///   - byteLimit: at most `kernel.msgmnb`, except for root.
        /// - Throws: ``SystemVError`` with `removed`, with `notPermitted` if it is another user's, or the limit too high.
        public func set(permissions: FilePermissions? = nil, byteLimit: Int? = nil) throws {
            try SystemV.set(.queue, id, subject, permissions: permissions, limit: byteLimit)
        }

        /// Removes the queue and its messages. Who waits for it is woken with an error.
        ///
        /// - Throws: ``SystemVError`` with `removed` if it is gone already, with `notPermitted` if it is another user's.
        public func remove() throws { try SystemV.remove(.queue, id, subject) }

        /// Makes a queue that nobody else finds by a key, and removes it however the body ends.
        ///
        /// - Throws: what the body throws; ``SystemVError`` with `limitReached`.
        public static func withNew<Result>(_ body: (MessageQueue) async throws -> Result) async throws -> Result {
            let queue = try MessageQueue(key: .private)
            defer { try? queue.remove() }
            return try await body(queue)
        }
    }
}

extension SystemV.MessageQueue.Selection {
    /// msgrcv: the count, or the error number negated.
    fileprivate func receive(_ id: Int32, _ space: UnsafeMutableRawPointer?, _ count: Int, waits: Bool) -> Int {
        space.map { ipc_queue_receive(id, $0, count, Int64(type ?? 0), isExcept ? 1 : 0, waits ? 1 : 0) } ?? 0
    }
}

extension SystemV.MessageQueue.Message {
    /// The message as the kernel gives it: its type, a `long`, and so many bytes behind it.
    fileprivate init(at space: UnsafeRawBufferPointer, count: Int) {
        let start = MemoryLayout<Int>.size
        type = space.load(as: Int.self)
        bytes = [UInt8](UnsafeRawBufferPointer(rebasing: space[start..<(start + count)]))
    }
}

/// Where a call on another thread puts a message.
private final class MessageRoom: @unchecked Sendable {
    // Safe because one call writes to it, and its result is read when it has ended.
    private let space: UnsafeMutableRawBufferPointer
    private let count: Int

    init(_ count: Int) {
        self.count = count
        space = .allocate(byteCount: MemoryLayout<Int>.size + count, alignment: MemoryLayout<Int>.alignment)
    }

    deinit { space.deallocate() }

    func receive(_ id: Int32, _ selection: SystemV.MessageQueue.Selection, waits: Bool) -> Int {
        selection.receive(id, space.baseAddress, count, waits: waits)
    }

    func message(_ count: Int) -> SystemV.MessageQueue.Message {
        SystemV.MessageQueue.Message(at: UnsafeRawBufferPointer(space), count: count)
    }
}
