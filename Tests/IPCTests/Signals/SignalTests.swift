// The table of signals: names, numbers, aliases; against the shell's.
import Glibc
import IPC
import Testing

@Suite struct SignalTests {
    @Test("The names are the shell's, for every number", .guarded, .enabled(if: ForeignProcess.exists("bash")))
    func againstBash() async throws {
        let text = try await Command("bash", "-c", "for n in {1..64}; do echo $n $(kill -l $n); done").read()
        var names: [Int32: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, let number = Int32(parts[0]) { names[number] = "SIG" + parts[1] }
        }
        #expect(names.count >= 62)
        for signal in Signal.all {
            #expect(signal.name == names[signal.number])
            #expect(Signal(names[signal.number] ?? "") == signal)
        }
    }

    @Test func numbersAreThoseOfTheHost() {
        let table: [(Signal, Int32, String)] = [
            (.hangup, SIGHUP, "SIGHUP"), (.interrupt, SIGINT, "SIGINT"), (.quit, SIGQUIT, "SIGQUIT"),
            (.illegalInstruction, SIGILL, "SIGILL"), (.trap, SIGTRAP, "SIGTRAP"), (.abort, SIGABRT, "SIGABRT"),
            (.busError, SIGBUS, "SIGBUS"), (.arithmeticError, SIGFPE, "SIGFPE"), (.kill, SIGKILL, "SIGKILL"),
            (.user1, SIGUSR1, "SIGUSR1"), (.segmentationFault, SIGSEGV, "SIGSEGV"), (.user2, SIGUSR2, "SIGUSR2"),
            (.brokenPipe, SIGPIPE, "SIGPIPE"), (.alarm, SIGALRM, "SIGALRM"), (.terminate, SIGTERM, "SIGTERM"),
            (.stackFault, 16, "SIGSTKFLT"), (.childChanged, SIGCHLD, "SIGCHLD"), (.resume, SIGCONT, "SIGCONT"),
            (.stop, SIGSTOP, "SIGSTOP"), (.terminalStop, SIGTSTP, "SIGTSTP"), (.terminalInput, SIGTTIN, "SIGTTIN"),
            (.terminalOutput, SIGTTOU, "SIGTTOU"), (.urgent, SIGURG, "SIGURG"),
            (.processorTimeLimit, SIGXCPU, "SIGXCPU"), (.fileSizeLimit, SIGXFSZ, "SIGXFSZ"),
            (.virtualAlarm, SIGVTALRM, "SIGVTALRM"), (.profilingAlarm, SIGPROF, "SIGPROF"),
            (.windowSizeChanged, SIGWINCH, "SIGWINCH"), (.inputOutput, SIGIO, "SIGIO"),
            (.powerFailure, SIGPWR, "SIGPWR"), (.badSystemCall, SIGSYS, "SIGSYS"),
        ]
        for (signal, number, name) in table {
            #expect(signal.number == number)
            #expect(signal.name == name)
            #expect("\(signal)" == name)
            #expect(Signal(number) == signal)
        }
        #expect(Set(table.map(\.0)).count == 31)
    }

    @Test("S14: numbers that no program may use are none")
    func noSignals() {
        for number: Int32 in [0, -1, -15, 32, 33, 65, 128, .max, .min] { #expect(Signal(number) == nil) }
        #expect(Signal.all.map(\.number) == Array(1...31) + Array(34...64))
        #expect(Signal.all == Signal.all.sorted())
    }

    @Test func namesAreTakenWithAndWithoutSIGInWhateverCase() {
        for name in ["TERM", "SIGTERM", "term", "sigterm", "SigTerm"] { #expect(Signal(name) == .terminate) }
        #expect(Signal("CLD") == .childChanged)
        #expect(Signal("15") == .terminate)
        for signal in Signal.all {
            #expect(Signal(signal.description) == signal && Signal("\(signal.number)") == signal)
        }
        for number in ["0", "-1", "65", "32", "9999999999", "15 ", "0x0f", "SIG15"] {
            #expect(Signal(number) == nil, "\(number)")
        }
        #expect(Signal("SIGIOT") == .abort)
        #expect(Signal("poll") == .inputOutput)
        for name in [
            "", "SIG", "SIGSIGTERM", "TERMX", "ZERO", "RTMIN+", "RTMIN+31", "RTMIN-1", "RTMAX+1", "RTMIN+-1", "é",
            "TERM\0",
        ] {
            #expect(Signal(name) == nil, "\(name)")
        }
    }

    @Test func realTimeSignalsAreCountedFromTheFirst() {
        #expect(Signal.realTime(0)?.name == "SIGRTMIN")
        #expect(Signal.realTime(1) == Signal("rtmin+1"))
        #expect(Signal.realTime(30)?.name == "SIGRTMAX")
        #expect(Signal.realTime(29)?.name == "SIGRTMAX-1")
        #expect(Signal.realTime(31) == nil)
        #expect(Signal.realTime(-1) == nil)
        #expect(Signal.realTime(.max) == nil)
        #expect(Signal.realTime(.min) == nil)
        #expect(Signal("RTMIN+30") == Signal.realTime(30))
        #expect(Signal("RTMAX-30") == Signal.realTime(0))
    }

    @Test func eachSignalSaysWhatItMeans() {
        #expect(Signal.terminate.meaning == "Terminated")
        #expect(Signal.realTime(3)?.meaning == "Real-time signal 37")
        #expect(Signal.all.allSatisfy { !$0.meaning.isEmpty })
    }
}
