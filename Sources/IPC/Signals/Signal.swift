// The signals of the host, by English names; the C names are in the comments.
// tidy: table
import CIPC

/// A signal of the host: one of the standard ones, which have names, or a real-time one.
public struct Signal: Hashable, Sendable, Comparable, LosslessStringConvertible {
    /// The number, from 1 to 64.
    public let number: Int32

    /// The signal with a number; `nil` for numbers that are no signal that a program may use.
    public init?(_ number: Int32) {
        let isStandard = ipc_signal_abbreviation(number) != nil
        let isRealTime = number >= ipc_first_realtime_signal() && number <= ipc_last_realtime_signal()
        guard isStandard || isRealTime else { return nil }
        self.number = number
    }

    /// The signal as people write it: by name, with or without `SIG`, in whatever case, or by number: `TERM`, `SIGTERM`,
    /// `rtmin+3`, `15`; `nil` if there is none.
    public init?(_ text: String) {
        if let number = Int32(text) {
            self.init(number)
            return
        }
        var wanted = text.uppercased()
        if wanted.hasPrefix("SIG") { wanted.removeFirst(3) }
        let alias = Signal.aliases[wanted] ?? wanted
        guard let signal = Signal.all.first(where: { $0.name.dropFirst(3) == alias }) ?? Signal(counted: alias) else {
            return nil
        }
        self = signal
    }

    /// Other names that C programs know, and what they mean.
    private static let aliases = ["CLD": "CHLD", "IOT": "ABRT", "POLL": "IO"]

    /// The signal's other names, as C programs know them: `SIGIOT` for `SIGABRT`.
    public var aliases: [String] {
        Signal.aliases.filter { "SIG" + $0.value == name }.map { "SIG" + $0.key }
    }

    /// A real-time signal counted from the end that its ``name`` does not count from.
    private init?(counted name: String) {
        let (first, last) = (ipc_first_realtime_signal(), ipc_last_realtime_signal())
        guard let index = UInt8(name.dropFirst(6)), Int32(index) <= last - first else { return nil }
        switch name.prefix(6) {
        case "RTMIN+": self.init(first + Int32(index))
        case "RTMAX-": self.init(last - Int32(index))
        default: return nil
        }
    }

    init(known number: Int32) { self.number = number }

    /// The C name, such as `SIGTERM` or `SIGRTMIN+3`.
    public var name: String {
        if let text = ipc_signal_abbreviation(number) { return "SIG" + String(cString: text) }
        let (first, last) = (ipc_first_realtime_signal(), ipc_last_realtime_signal())
        if number == first { return "SIGRTMIN" }
        if number == last { return "SIGRTMAX" }
        return number - first <= (last - first) / 2 ? "SIGRTMIN+\(number - first)" : "SIGRTMAX-\(last - number)"
    }

    /// What the signal means, in the C library's words. The C function is `sigdescr_np`.
    public var meaning: String {
        ipc_signal_description(number).map { String(cString: $0) } ?? "Real-time signal \(number)"
    }

    public var description: String { name }

    public static func < (one: Signal, other: Signal) -> Bool { one.number < other.number }

    /// Every signal that a program may use, by number.
    public static let all: [Signal] = (1...64).compactMap { Signal($0) }

    /// A real-time signal, counted from the first; `nil` if there are not so many. The C form is `SIGRTMIN+n`.
    public static func realTime(_ index: Int32) -> Signal? {
        let (first, last) = (ipc_first_realtime_signal(), ipc_last_realtime_signal())
        return index >= 0 && index <= last - first ? Signal(known: first + index) : nil
    }

    /// The terminal is gone; to a daemon: read the configuration again. The corresponding C constant is `SIGHUP`.
    public static let hangup = Signal(known: IPC_SIGHUP)
    /// The interrupt key, Ctrl-C. The corresponding C constant is `SIGINT`.
    public static let interrupt = Signal(known: IPC_SIGINT)
    /// The quit key, Ctrl-\\; ends with a core dump. The corresponding C constant is `SIGQUIT`.
    public static let quit = Signal(known: IPC_SIGQUIT)
    /// An instruction that the processor does not know. The corresponding C constant is `SIGILL`.
    public static let illegalInstruction = Signal(known: IPC_SIGILL)
    /// A breakpoint. The corresponding C constant is `SIGTRAP`.
    public static let trap = Signal(known: IPC_SIGTRAP)
    /// The program gave itself up; `abort`. The corresponding C constant is `SIGABRT`.
    public static let abort = Signal(known: IPC_SIGABRT)
    /// An access to memory that is not there, for example behind the end of a mapped file. The corresponding C constant is `SIGBUS`.
    public static let busError = Signal(known: IPC_SIGBUS)
    /// A division by zero or its like. The corresponding C constant is `SIGFPE`.
    public static let arithmeticError = Signal(known: IPC_SIGFPE)
    /// Ends the process at once; it cannot be caught, blocked or ignored. The corresponding C constant is `SIGKILL`.
    public static let kill = Signal(known: IPC_SIGKILL)
    /// For the program to give a meaning to. The corresponding C constant is `SIGUSR1`.
    public static let user1 = Signal(known: IPC_SIGUSR1)
    /// An access to memory that is not the process's. The corresponding C constant is `SIGSEGV`.
    public static let segmentationFault = Signal(known: IPC_SIGSEGV)
    /// For the program to give a meaning to. The corresponding C constant is `SIGUSR2`.
    public static let user2 = Signal(known: IPC_SIGUSR2)
    /// A write to a pipe that nobody reads. The corresponding C constant is `SIGPIPE`.
    public static let brokenPipe = Signal(known: IPC_SIGPIPE)
    /// The timer of `alarm`. The corresponding C constant is `SIGALRM`.
    public static let alarm = Signal(known: IPC_SIGALRM)
    /// A request to end. The corresponding C constant is `SIGTERM`.
    public static let terminate = Signal(known: IPC_SIGTERM)
    /// Not used by Linux. The corresponding C constant is `SIGSTKFLT`.
    public static let stackFault = Signal(known: IPC_SIGSTKFLT)
    /// A child ended, stopped or went on. The corresponding C constant is `SIGCHLD`.
    public static let childChanged = Signal(known: IPC_SIGCHLD)
    /// Goes on after a stop. The corresponding C constant is `SIGCONT`.
    public static let resume = Signal(known: IPC_SIGCONT)
    /// Stops the process; it cannot be caught, blocked or ignored. The corresponding C constant is `SIGSTOP`.
    public static let stop = Signal(known: IPC_SIGSTOP)
    /// The stop key, Ctrl-Z. The corresponding C constant is `SIGTSTP`.
    public static let terminalStop = Signal(known: IPC_SIGTSTP)
    /// A background process reads from the terminal. The corresponding C constant is `SIGTTIN`.
    public static let terminalInput = Signal(known: IPC_SIGTTIN)
    /// A background process writes to the terminal. The corresponding C constant is `SIGTTOU`.
    public static let terminalOutput = Signal(known: IPC_SIGTTOU)
    /// Urgent data on a socket. The corresponding C constant is `SIGURG`.
    public static let urgent = Signal(known: IPC_SIGURG)
    /// The limit of processor time is used up. The corresponding C constant is `SIGXCPU`.
    public static let processorTimeLimit = Signal(known: IPC_SIGXCPU)
    /// The limit of a file's size is reached. The corresponding C constant is `SIGXFSZ`.
    public static let fileSizeLimit = Signal(known: IPC_SIGXFSZ)
    /// The timer of the process's own processor time. The corresponding C constant is `SIGVTALRM`.
    public static let virtualAlarm = Signal(known: IPC_SIGVTALRM)
    /// The timer of processor time, the kernel's included. The corresponding C constant is `SIGPROF`.
    public static let profilingAlarm = Signal(known: IPC_SIGPROF)
    /// The terminal's window has another size. The corresponding C constant is `SIGWINCH`.
    public static let windowSizeChanged = Signal(known: IPC_SIGWINCH)
    /// A descriptor became ready; also known as `SIGPOLL`. The corresponding C constant is `SIGIO`.
    public static let inputOutput = Signal(known: IPC_SIGIO)
    /// The power supply fails. The corresponding C constant is `SIGPWR`.
    public static let powerFailure = Signal(known: IPC_SIGPWR)
    /// A system call that does not exist, or that a filter forbids. The corresponding C constant is `SIGSYS`.
    public static let badSystemCall = Signal(known: IPC_SIGSYS)
}
