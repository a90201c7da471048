// One line about what kills the program, before it dies of it.
import CIPC
import SystemPackage

extension Signal {
    /// The signals by which a program dies of its own faults.
    public static let faults: Set<Signal> = [
        .segmentationFault, .busError, .illegalInstruction, .arithmeticError, .trap, .abort, .badSystemCall,
    ]

    /// Has the program say in one line on standard error what kills it, before it dies of it as it would have anyway: by the
    /// same signal, with a core dump where one is made.
    ///
    ///     tool: ended by SIGSEGV (Segmentation fault), stack overflow at 0x7ffc1d2e3ff8, in thread 12 (tool) of process 12
    ///
    /// To be called once, early. What was installed before, such as the Swift runtime's backtraces, comes after the line.
    /// An overflow of the stack can be reported on threads that have a second one: the thread that calls this, and those
    /// of the library that are started later; each other thread may call it too.
    ///
    /// - Throws: ``SystemError`` with `EINVAL` for `SIGKILL` and `SIGSTOP`, with `ENOMEM`. The C functions are `sigaction` and
    ///   `sigaltstack`.
    public static func reportFaults(_ signals: Set<Signal> = Signal.faults) throws {
        try SystemCall.perform("make", on: "stack for fault reports") { ipc_fault_stack() }
        let bits = signals.reduce(0) { $0 | $1.bit }
        try SystemCall.perform("catch", on: Signal.list(signals)) { ipc_fault_reports(bits) }
    }
}
