// Who wants what done with which signal, and the disposition that follows from it for the process.
import CIPC
import Synchronization
import SystemPackage

/// All wishes of this program's parts about signals.
///
/// For each signal the latest scope counts (hold, ignore, default); where there is none, those who subscribed get it; where
/// there is nobody either, the disposition is what it was before the first wish came. If somebody else has installed a
/// handler over ours meanwhile, that one stays.
final class SignalRegistry: Sendable {
    static let shared = SignalRegistry()

    enum Wish {
        case receive(SignalChannel)
        case hold(SignalChannel)
        case ignore
        case standard
    }

    /// The name of a wish, for taking it back.
    struct Claim: Sendable, Hashable {
        fileprivate let number: UInt64
    }

    private struct Entry {
        let claim: Claim
        let wish: Wish
        let signals: Set<Signal>
    }

    private struct State {
        var entries: [Entry] = []
        var lastNumber: UInt64 = 0
        /// Those that the handler catches, and those that are ignored, as bits.
        var caught: UInt64 = 0
        var ignored: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Adds a wish.
    ///
    /// - Throws: ``SystemError`` with `EINVAL` for signals that cannot be caught; nothing has changed then.
    func add(_ wish: Wish, for signals: Set<Signal>) throws -> Claim {
        try state.withLock { state in
            state.lastNumber += 1
            let claim = Claim(number: state.lastNumber)
            state.entries.append(Entry(claim: claim, wish: wish, signals: signals))
            if case .receive(let channel) = wish { tell(channel, state) }
            do {
                for signal in signals.sorted() { try apply(signal, &state) }
                try accept(state)
            } catch {
                withdraw(claim, &state)
                throw error
            }
            return claim
        }
    }

    /// Takes a wish back; what it held goes to whoever gets such signals now. Once it is gone, nothing happens.
    func remove(_ claim: Claim) {
        state.withLock { withdraw(claim, &$0) }
    }

    private func withdraw(_ claim: Claim, _ state: inout State) {
        guard let index = state.entries.firstIndex(where: { $0.claim == claim }) else { return }
        let entry = state.entries.remove(at: index)
        let caught = entry.signals.filter { isForUs($0, state) }
        for signal in entry.signals.subtracting(caught) { try? apply(signal, &state) }
        var held: [ipc_signal_record] = []
        if case .hold(let channel) = entry.wish { held = release(channel, entry.signals, state) }
        // Only now: what comes to the handler meanwhile comes after what was held.
        for signal in caught { try? apply(signal, &state) }
        if case .receive(let channel) = entry.wish { tell(channel, state) }
        try? accept(state)  // those that another wish has caught again
        for var record in held { _ = ipc_signal_repeat(&record) }
    }

    // MARK: From wishes to dispositions

    private func wish(for signal: Signal, _ state: State) -> Wish? {
        let about = state.entries.filter { $0.signals.contains(signal) }
        let scope = about.last { entry in
            if case .receive = entry.wish { false } else { true }
        }
        return (scope ?? about.last)?.wish
    }

    /// Whether the handler is to catch the signal.
    private func isForUs(_ signal: Signal, _ state: State) -> Bool {
        switch wish(for: signal, state) {
        case .receive, .hold: true
        case .ignore, .standard, nil: false
        }
    }

    /// Brings a signal's disposition in line with the wishes.
    private func apply(_ signal: Signal, _ state: inout State) throws {
        let wish = wish(for: signal, state)
        if state.ignored & signal.bit != 0 {
            _ = ipc_signal_ignore(signal.number)  // what is pending until now is ignored still
            state.ignored &= ~signal.bit
        }
        switch wish {
        case .receive:
            ipc_signal_route(signal.number, nil)
            try catchSignal(signal, &state)
        case .hold(let channel):
            ipc_signal_route(signal.number, channel.slot)
            try catchSignal(signal, &state)
        case .ignore, .standard:
            if signal == .urgent, let nowhere = SignalRegistry.nowhere {
                // Ignored by nobody's getting it: blocking calls of this library are ended by this signal.
                ipc_signal_route(signal.number, nowhere)
                return try catchSignal(signal, &state)
            }
            leaveToOthers(signal, &state)
            if case .ignore = wish {
                try change("ignore", signal, ipc_signal_ignore)
                state.ignored |= signal.bit
            } else {
                try change("set to its default", signal, ipc_signal_standard)
            }
        case nil:
            leaveToOthers(signal, &state)
            _ = ipc_signal_release(signal.number)
            ipc_signal_route(signal.number, nil)
        }
    }

    private func catchSignal(_ signal: Signal, _ state: inout State) throws {
        try change("catch", signal, ipc_signal_catch)
        state.caught |= signal.bit
    }

    private func change(_ operation: String, _ signal: Signal, _ call: (Int32) -> Int32) throws {
        let result = call(signal.number)
        guard result < 0 else { return }
        let name = signal.canBeCaught ? signal.name : "\(signal.name), which no process can"
        throw SystemError(operation, on: name, Errno(rawValue: -result))
    }

    /// Has no thread of ours let the signal through any more, before it means something else again.
    private func leaveToOthers(_ signal: Signal, _ state: inout State) {
        guard state.caught & signal.bit != 0 else { return }
        state.caught &= ~signal.bit
        try? accept(state)
    }

    /// Has the thread for signals let through what is caught now.
    ///
    /// Real-time signals only if the main thread does not: of two threads that are given one each, the second may come
    /// first to the handler, and their order would be lost.
    private func accept(_ state: State) throws {
        let realTime = state.caught & SignalRegistry.realTime
        let accepted = realTime == 0 ? state.caught : state.caught & (~realTime | SignalRegistry.blockedByMainThread)
        let result = ipc_signal_thread_accept(accepted)
        if result < 0 { throw SystemError("start", on: "thread for signals", Errno(rawValue: -result)) }
    }

    private static let realTime: UInt64 = Signal.all.filter(\.isRealTime).reduce(0) { $0 | $1.bit }

    /// The signals that do not reach the main thread: all, if it has ended or cannot be asked.
    ///
    /// An asynchronous program's main thread lets them through where it waits for them (`sigsuspend`), and nowhere else: neither in
    /// the handler nor on the way back to where it waits. What it blocks while it is awake says nothing, then, and the look is
    /// repeated, until it sleeps, or is seen to take one, or has had time enough to come to where it waits.
    private static var blockedByMainThread: UInt64 {
        if ipc_thread_id() == ipc_process_id() { return maskOfMainThread().mask }
        let taken = ipc_signals_of_main_thread()
        var (mask, timesAsleep) = (UInt64.max, 0)
        for look in 0..<500 {
            let (found, isAwake) = maskOfMainThread()
            mask = found
            // Woken between the two parts of one look, it can seem to sleep in the handler; not again and again.
            timesAsleep = isAwake ? 0 : timesAsleep + 1
            if mask & realTime == 0 || timesAsleep == 4 { break }
            if ipc_signals_of_main_thread() != taken { return 0 }
            if look < 100 { ipc_yield_processor() } else { ipc_pause_thread(100_000) }
        }
        return mask
    }

    private static func maskOfMainThread() -> (mask: UInt64, isAwake: Bool) {
        let process = ProcessID.current
        var isAwake = true
        guard let bytes = try? SmallFile.read("/proc/\(process)/task/\(process)/status") else { return (.max, false) }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("State:\tZ") { return (.max, false) }  // it has ended
            if line.hasPrefix("State:\tS") { isAwake = false }
            if line.hasPrefix("SigBlk:\t") { return (UInt64(line.dropFirst(8), radix: 16) ?? .max, isAwake) }
        }
        return (.max, false)
    }

    /// Tells the handler what a channel is to get: all that anybody wishes to receive by it.
    private func tell(_ channel: SignalChannel, _ state: State) {
        var wanted: UInt64 = 0
        for entry in state.entries {
            guard case .receive(let other) = entry.wish, other === channel else { continue }
            for signal in entry.signals { wanted |= signal.bit }
        }
        channel.want(wanted)
    }

    /// A slot that leads nowhere.
    // Safe because slots are never freed and their functions may be called from any thread.
    private nonisolated(unsafe) static let nowhere = ipc_slot_take(-1)

    // MARK: What was held

    /// Gives what was held to whoever gets such signals without the scope, which is no longer among the wishes; what is for
    /// nobody of this program is returned, to be sent again: the disposition is what it was by then.
    ///
    /// It becomes what the kernel makes of signals that are held: standard ones come once each, real-time ones all, in order.
    private func release(
        _ channel: SignalChannel, _ signals: Set<Signal>, _ state: State
    ) -> [ipc_signal_record] {
        for signal in signals {
            var next: OpaquePointer?
            if case .hold(let outer) = wish(for: signal, state) { next = outer.slot }
            ipc_signal_route_after(signal.number, next)
        }
        var (seen, unclaimed): (UInt64, [ipc_signal_record]) = (0, [])
        channel.release { record in
            guard let signal = Signal(record.signal), signal.isRealTime || seen & signal.bit == 0 else { return }
            seen |= signal.bit
            var record = record
            if isForUs(signal, state) {
                _ = ipc_signal_deliver_after(&record)
            } else {
                unclaimed.append(record)
            }
        }
        return unclaimed
    }
}
