// What a signal does to a process that has made no other arrangement.

extension Signal {
    /// What a signal does to a process that neither catches nor ignores it; see `signal(7)`.
    public enum Action: Hashable, Sendable, CustomStringConvertible {
        /// The process ends.
        case end
        /// The process ends and leaves a core dump, if its limits allow one.
        case endWithCoreDump
        /// The process stops until it is resumed.
        case stop
        /// The process goes on, if it was stopped.
        case resume
        /// Nothing happens.
        case nothing

        public var description: String {
            switch self {
            case .end: "end"
            case .endWithCoreDump: "end, core dump"
            case .stop: "stop"
            case .resume: "resume"
            case .nothing: "nothing"
            }
        }
    }

    /// What the signal does to a process that neither catches nor ignores it.
    public var defaultAction: Action {
        switch self {
        case .quit, .illegalInstruction, .trap, .abort, .busError, .arithmeticError, .segmentationFault,
            .processorTimeLimit, .fileSizeLimit, .badSystemCall:
            .endWithCoreDump
        case .stop, .terminalStop, .terminalInput, .terminalOutput: .stop
        case .resume: .resume
        case .childChanged, .urgent, .windowSizeChanged: .nothing
        default: .end
        }
    }

    /// Whether a process can catch, hold or ignore the signal: all but `SIGKILL` and `SIGSTOP`.
    public var canBeCaught: Bool { self != .kill && self != .stop }
}
