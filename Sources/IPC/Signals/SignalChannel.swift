// A pipe between the handler and one subscriber: bounded, counting what did not fit, never losing the last word.
import CIPC
import Synchronization
import SystemPackage

/// Where the handler puts the signals of one subscriber, and how they come out as events.
///
/// Memory is bounded by the pipe. What finds no room is counted by signal, and becomes one event for each signal once the
/// pipe is empty: after the last arrival there is always one more event.
final class SignalChannel: Sendable {
    let descriptor: SharedDescriptor
    private let intake = Mutex(Intake())
    private let writer: Mutex<Descriptor?>
    // Safe because slots are never freed and their functions may be called from any thread.
    nonisolated(unsafe) let slot: OpaquePointer

    /// For real-time signals, whose values each count: room for 43,000 records.
    private static let largeCapacity = 1 << 20

    init(for signals: Set<Signal>) throws(SystemError) {
        var ends = try PipeEnds()
        // The limit of all pipes of a user may forbid it; then it stays at 64 KiB.
        if signals.contains(where: \.isRealTime) { try? ends.setCapacity(SignalChannel.largeCapacity) }
        let reader = try ends.takeReader()
        let writer = try ends.takeWriter()
        for number in [reader.number, writer.number] {
            try SystemCall.perform("fcntl", on: "pipe") { ipc_set_status_flags(number, IPC_O_NONBLOCK) }
        }
        guard let slot = ipc_slot_take(writer.number) else { throw SystemError("subscribe", on: "signals", .noMemory) }
        self.slot = slot
        self.writer = Mutex(writer)
        descriptor = SharedDescriptor(reader, .nonblocking, subject: Signal.list(signals))
    }

    // MARK: The handler's side

    /// Says which signals the handler is to put here.
    func want(_ signals: UInt64) { ipc_slot_want(slot, signals) }

    /// Closes, once the handler puts nothing more here.
    func close() {
        let own = writer.withLock { $0.take() }
        guard let own else { return }
        ipc_slot_settle(slot)
        _ = consume own
        ipc_slot_give_back(slot)
        descriptor.close()
    }

    /// Hands over everything that is held, in order, those that did not fit last and once each; then nothing is held any more.
    ///
    /// What comes meanwhile is held and handed over too, so that it does not overtake what came before. From then on it goes
    /// where the signals are routed after this.
    func release(_ body: (ipc_signal_record) -> Void) {
        intake.withLock { intake in
            var count = 0
            repeat {
                count = 0
                while intake.fill(descriptor.number) {
                    for record in intake.takeRecords() {
                        count += 1
                        body(record)
                    }
                }
            } while ipc_slot_close(slot, Int64(count)) == 0
            for event in intake.takeMissed(slot) {
                body(
                    ipc_signal_record(
                        signal: event.signal.number, code: event.code, sender: event.sender?.rawValue ?? 0,
                        user: event.user ?? 0, value: 0))
            }
        }
    }

    // MARK: The subscriber's side

    /// The next event, waiting for it.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`, ``SystemError`` with `ECANCELED` once the channel is closed.
    func next(_ deadline: Deadline?) async throws -> SignalEvent {
        try await SharedDescriptor.beginCall("wait for", on: descriptor.subject, deadline: deadline)
        while true {
            guard descriptor.enter() else { throw descriptor.closedError("wait for") }
            defer { descriptor.leave() }
            if let event = take() { return event }
            do { try await descriptor.wait(.reading, deadline: deadline, "wait for") } catch let error as TimeoutError {
                // What has come by now has come in time.
                intake.withLock { $0.isDrained = false }
                guard let event = take() else { throw error }
                return event
            }
            intake.withLock { $0.isDrained = false }
        }
    }

    private func take() -> SignalEvent? {
        intake.withLock { intake in
            while true {
                if let event = intake.popFirst() { return event }
                guard !intake.isDrained else { return nil }
                let hasFilled = intake.fill(descriptor.number)
                // Only what is counted before the pipe was seen empty is sure not to be in it.
                if intake.isDrained { intake.missed += intake.takeMissed(slot) }
                if !hasFilled, intake.missed.isEmpty { return nil }
            }
        }
    }

    /// What was read and not yet taken.
    private struct Intake {
        private var records = [ipc_signal_record](repeating: ipc_signal_record(), count: 64)
        private var position = 0
        private var end = 0
        var missed: [SignalEvent] = []
        /// The pipe was seen empty; whoever wants more waits until it is not.
        var isDrained = false

        mutating func popFirst() -> SignalEvent? {
            while position < end {
                defer { position += 1 }
                if let event = SignalEvent(records[position]) { return event }
            }
            return missed.isEmpty ? nil : missed.removeFirst()
        }

        /// Reads what is there, into the empty buffer; whether there was anything.
        mutating func fill(_ descriptor: Int32) -> Bool {
            let size = MemoryLayout<ipc_signal_record>.stride
            // Records are written whole, and whole ones are read: the buffer's size is a multiple of theirs.
            let count = records.withUnsafeMutableBytes { room in
                SystemCall.retrying { ipc_read(descriptor, room.baseAddress, room.count) }
            }
            position = 0
            end = max(0, count) / size
            isDrained = end < records.count
            return end > 0
        }

        mutating func takeRecords() -> [ipc_signal_record] {
            defer { position = end }
            return records[position..<end].filter { $0.signal != 0 }
        }

        func takeMissed(_ slot: OpaquePointer) -> [SignalEvent] {
            let bits = ipc_slot_take_missed(slot)
            guard bits != 0 else { return [] }
            return Signal.all.filter { bits & $0.bit != 0 }.compactMap { signal in
                var (sender, user): (Int32, UInt32) = (0, 0)
                let count = ipc_slot_take_missed_count(slot, signal.number, &sender, &user)
                return count == 0 ? nil : SignalEvent(missed: signal, count: Int(count), sender: sender, user: user)
            }
        }
    }
}

extension Signal {
    /// The signal's bit in a set of the kernel's.
    var bit: UInt64 { 1 << UInt64(number - 1) }

    var isRealTime: Bool { number >= ipc_first_realtime_signal() }

    /// Names for errors: `SIGINT, SIGTERM`.
    static func list(_ signals: Set<Signal>) -> String { signals.sorted().map(\.name).joined(separator: ", ") }
}
