// What is known of a signal that arrived: which, from whom, with what.
import CIPC

/// A signal that arrived, as the kernel reported it.
///
/// The C type is `siginfo_t`.
public struct SignalEvent: Hashable, Sendable, CustomStringConvertible {
    /// Where a signal comes from.
    public enum Cause: Hashable, Sendable {
        /// A process sent it, with `kill` or to a thread with `tgkill`.
        case process
        /// A process sent it with a value, with `sigqueue`.
        case queued
        /// The kernel: a key on the terminal, a limit, a fault.
        case kernel
        /// A child ended, stopped or went on.
        case child
        /// A timer went off.
        case timer
        /// A message came to an empty queue.
        case messageQueue
        /// Something else, such as asynchronous input and output.
        case other
    }

    /// Which signal.
    public let signal: Signal

    /// Where it comes from.
    public let cause: Cause

    /// The process that sent it, or the child that it is about; `nil` if there is none, or none that this process can
    /// see. The process may have ended since.
    public let sender: ProcessID?

    /// The real user of the sender, where there is one.
    public let user: UInt32?

    /// The value that was sent along; `nil` if there was none.
    public let value: Int?

    /// The kernel's code for the origin. The C field is `si_code`.
    public let code: Int32

    /// How many arrivals this event stands for: 1, but for a coalesced one.
    ///
    /// A standard signal that is sent again before it has arrived arrives once; what the kernel merges so, nobody can
    /// count. Real-time signals arrive as often as they are sent.
    public let count: Int

    /// Whether this event stands for signals that came faster than they were taken and found no room to wait in. Its
    /// ``count`` says how many; the sender is that of the last, and values are gone.
    public let isCoalesced: Bool

    init?(_ record: ipc_signal_record) {
        guard let signal = Signal(record.signal) else { return nil }
        self.signal = signal
        code = record.code
        cause = Cause(ipc_signal_cause(record.signal, record.code))
        sender = cause.hasSender ? ProcessID(record.sender) : nil
        user = cause.hasSender ? record.user : nil
        value = cause.hasValue ? Int(record.value) : nil
        count = 1
        isCoalesced = false
    }

    /// Several that did not fit.
    init(missed signal: Signal, count: Int, sender: Int32, user: UInt32) {
        self.signal = signal
        code = 0
        self.sender = ProcessID(sender)
        cause = self.sender == nil ? .kernel : .process
        self.user = self.sender == nil ? nil : user
        value = nil
        self.count = count
        isCoalesced = true
    }

    /// `SIGTERM from process 4711 of user 1000`.
    public var description: String {
        var text = "\(signal)"
        switch (cause, sender) {
        case (.child, let child?): text += " about child \(child)"
        case (_, let sender?): text += " from process \(sender)" + (user.map { " of user \($0)" } ?? "")
        case (.kernel, nil): text += " from the kernel"
        case (.timer, nil): text += " from a timer"
        default: break
        }
        if let value { text += " with value \(value)" }
        return isCoalesced ? text + ", \(count) times" : text
    }
}

extension SignalEvent.Cause {
    fileprivate init(_ cause: Int32) {
        switch ipc_signal_cause(UInt32(cause)) {
        case IPC_CAUSE_PROCESS: self = .process
        case IPC_CAUSE_QUEUED: self = .queued
        case IPC_CAUSE_KERNEL: self = .kernel
        case IPC_CAUSE_CHILD: self = .child
        case IPC_CAUSE_TIMER: self = .timer
        case IPC_CAUSE_MESSAGE_QUEUE: self = .messageQueue
        default: self = .other
        }
    }

    fileprivate var hasSender: Bool {
        switch self {
        case .process, .queued, .child, .messageQueue: true
        case .kernel, .timer, .other: false
        }
    }

    fileprivate var hasValue: Bool { self == .queued || self == .timer || self == .messageQueue }
}
