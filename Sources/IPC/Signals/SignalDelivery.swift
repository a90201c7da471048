// From the handler's pipe to whoever wants to know: signals become events of the process-wide loop.
import CIPC
import Synchronization
import SystemPackage

/// Receives signals for the whole process. The C handler writes a record to a pipe; a task of the process-wide loop reads
/// it and calls the subscribers there.
final class SignalDelivery: Sendable {
    static let shared = SignalDelivery()

    private struct State {
        var isRunning = false
        var lastSubscription: UInt64 = 0
        var subscribers: [UInt64: (signals: Set<Signal>, body: @Sendable (Signal) -> Void)] = [:]
    }

    private let state = Mutex(State())

    /// Calls `body` on the process-wide loop's thread for each arrival of the signals, until the subscription ends.
    func subscribe(_ signals: Set<Signal>, _ body: @escaping @Sendable (Signal) -> Void) throws -> SignalSubscription {
        try startOnce()
        return try state.withLock { state in
            state.lastSubscription += 1
            let number = state.lastSubscription
            state.subscribers[number] = (signals, body)
            for signal in signals {
                let result = ipc_signal_catch(signal.number)
                guard result < 0 else { continue }
                state.subscribers[number] = nil
                releaseUnwanted(signals, state)
                throw SystemError("catch", on: signal.name, Errno(rawValue: -result))
            }
            return SignalSubscription(delivery: self, number: number)
        }
    }

    fileprivate func end(_ number: UInt64) {
        state.withLock { state in
            guard let former = state.subscribers.removeValue(forKey: number) else { return }
            releaseUnwanted(former.signals, state)
        }
    }

    /// Gives signals that nobody waits for any more back to whoever had them before.
    private func releaseUnwanted(_ signals: Set<Signal>, _ state: State) {
        for signal in signals where !state.subscribers.values.contains(where: { $0.signals.contains(signal) }) {
            _ = ipc_signal_release(signal.number)
        }
    }

    private func startOnce() throws {
        try state.withLock { state in
            guard !state.isRunning else { return }
            var ends = try PipeEnds()
            let writer = try ends.takeWriter()
            let reader = ByteReader(try .pipeEnd(ends.takeReader(), writing: false, subject: "signals"))
            let loop = try EventLoop.shared
            let number = writer.release()  // for as long as the process lives: the handler may run at any time
            _ = ipc_set_status_flags(number, IPC_O_NONBLOCK)
            ipc_signal_set_pipe(number)
            Task.detached(executorPreference: loop) { await self.deliver(from: reader) }
            state.isRunning = true
        }
    }

    private func deliver(from reader: ByteReader) async {
        let size = MemoryLayout<ipc_signal_record>.size
        var bytes = [UInt8](repeating: 0, count: size * 64)
        // Records are written whole, and whole ones are read: 64 of them fit into the array and less than that into a page.
        while let count = try? await reader.read(into: &bytes), count > 0 {
            for start in stride(from: 0, to: count, by: size) {
                let record = bytes.withUnsafeBytes {
                    $0.loadUnaligned(fromByteOffset: start, as: ipc_signal_record.self)
                }
                guard let signal = Signal(record.signal) else { continue }
                let bodies = state.withLock { state in
                    state.subscribers.values.filter { $0.signals.contains(signal) }.map(\.body)
                }
                for body in bodies { body(signal) }
            }
        }
    }
}

/// A subscription, which ends with ``end()`` or with its owner.
final class SignalSubscription: Sendable {
    private let delivery: SignalDelivery
    private let number: UInt64

    init(delivery: SignalDelivery, number: UInt64) {
        self.delivery = delivery
        self.number = number
    }

    func end() { delivery.end(number) }

    deinit { delivery.end(number) }
}
