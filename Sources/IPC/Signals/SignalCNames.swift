// The C names, so that who writes one is told by the compiler what to write instead.
// swift-format-ignore-file: AlwaysUseLowerCamelCase
// tidy: table

extension Signal {
    /// Write ``hangup``.
    @available(*, unavailable, renamed: "hangup")
    public static var SIGHUP: Signal { hangup }
    /// Write ``interrupt``.
    @available(*, unavailable, renamed: "interrupt")
    public static var SIGINT: Signal { interrupt }
    /// Write ``quit``.
    @available(*, unavailable, renamed: "quit")
    public static var SIGQUIT: Signal { quit }
    /// Write ``illegalInstruction``.
    @available(*, unavailable, renamed: "illegalInstruction")
    public static var SIGILL: Signal { illegalInstruction }
    /// Write ``trap``.
    @available(*, unavailable, renamed: "trap")
    public static var SIGTRAP: Signal { trap }
    /// Write ``abort``.
    @available(*, unavailable, renamed: "abort")
    public static var SIGABRT: Signal { abort }
    /// Write ``busError``.
    @available(*, unavailable, renamed: "busError")
    public static var SIGBUS: Signal { busError }
    /// Write ``arithmeticError``.
    @available(*, unavailable, renamed: "arithmeticError")
    public static var SIGFPE: Signal { arithmeticError }
    /// Write ``kill``.
    @available(*, unavailable, renamed: "kill")
    public static var SIGKILL: Signal { kill }
    /// Write ``user1``.
    @available(*, unavailable, renamed: "user1")
    public static var SIGUSR1: Signal { user1 }
    /// Write ``segmentationFault``.
    @available(*, unavailable, renamed: "segmentationFault")
    public static var SIGSEGV: Signal { segmentationFault }
    /// Write ``user2``.
    @available(*, unavailable, renamed: "user2")
    public static var SIGUSR2: Signal { user2 }
    /// Write ``brokenPipe``.
    @available(*, unavailable, renamed: "brokenPipe")
    public static var SIGPIPE: Signal { brokenPipe }
    /// Write ``alarm``.
    @available(*, unavailable, renamed: "alarm")
    public static var SIGALRM: Signal { alarm }
    /// Write ``terminate``.
    @available(*, unavailable, renamed: "terminate")
    public static var SIGTERM: Signal { terminate }
    /// Write ``stackFault``.
    @available(*, unavailable, renamed: "stackFault")
    public static var SIGSTKFLT: Signal { stackFault }
    /// Write ``childChanged``.
    @available(*, unavailable, renamed: "childChanged")
    public static var SIGCHLD: Signal { childChanged }
    /// Write ``resume``.
    @available(*, unavailable, renamed: "resume")
    public static var SIGCONT: Signal { resume }
    /// Write ``stop``.
    @available(*, unavailable, renamed: "stop")
    public static var SIGSTOP: Signal { stop }
    /// Write ``terminalStop``.
    @available(*, unavailable, renamed: "terminalStop")
    public static var SIGTSTP: Signal { terminalStop }
    /// Write ``terminalInput``.
    @available(*, unavailable, renamed: "terminalInput")
    public static var SIGTTIN: Signal { terminalInput }
    /// Write ``terminalOutput``.
    @available(*, unavailable, renamed: "terminalOutput")
    public static var SIGTTOU: Signal { terminalOutput }
    /// Write ``urgent``.
    @available(*, unavailable, renamed: "urgent")
    public static var SIGURG: Signal { urgent }
    /// Write ``processorTimeLimit``.
    @available(*, unavailable, renamed: "processorTimeLimit")
    public static var SIGXCPU: Signal { processorTimeLimit }
    /// Write ``fileSizeLimit``.
    @available(*, unavailable, renamed: "fileSizeLimit")
    public static var SIGXFSZ: Signal { fileSizeLimit }
    /// Write ``virtualAlarm``.
    @available(*, unavailable, renamed: "virtualAlarm")
    public static var SIGVTALRM: Signal { virtualAlarm }
    /// Write ``profilingAlarm``.
    @available(*, unavailable, renamed: "profilingAlarm")
    public static var SIGPROF: Signal { profilingAlarm }
    /// Write ``windowSizeChanged``.
    @available(*, unavailable, renamed: "windowSizeChanged")
    public static var SIGWINCH: Signal { windowSizeChanged }
    /// Write ``inputOutput``.
    @available(*, unavailable, renamed: "inputOutput")
    public static var SIGIO: Signal { inputOutput }
    /// Write ``powerFailure``.
    @available(*, unavailable, renamed: "powerFailure")
    public static var SIGPWR: Signal { powerFailure }
    /// Write ``badSystemCall``.
    @available(*, unavailable, renamed: "badSystemCall")
    public static var SIGSYS: Signal { badSystemCall }
    /// Write ``childChanged``.
    @available(*, unavailable, renamed: "childChanged")
    public static var SIGCLD: Signal { childChanged }
    /// Write ``abort``.
    @available(*, unavailable, renamed: "abort")
    public static var SIGIOT: Signal { abort }
    /// Write ``inputOutput``.
    @available(*, unavailable, renamed: "inputOutput")
    public static var SIGPOLL: Signal { inputOutput }

    /// Write ``realTime(_:)``.
    @available(*, unavailable, message: "write Signal.realTime(0), which is nil where there are no real-time signals")
    public static var SIGRTMIN: Signal? { realTime(0) }
}

extension ProcessID {
    /// Send a ``Signal``: `send(.terminate)`.
    @available(*, unavailable, message: "send a Signal by its English name, such as .terminate for SIGTERM")
    public func send(_ signal: Int32) throws {}
}
