// What a test has to know of the sanitizer that it may run under.
import Glibc

enum Sanitizer {
    /// The address sanitizer keeps memory that was given back, to see whether somebody still uses it. How much memory is in
    /// use then says nothing.
    static let keepsFreedMemory = dlsym(nil, "__asan_init") != nil

    /// The thread sanitizer holds a signal's handler back until its thread makes a call that it knows.
    static let delaysHandlers = dlsym(nil, "__tsan_init") != nil

    /// A sanitizer reports a fault and ends the process by a status of its own, not by the signal.
    static let catchesFaults = delaysHandlers || keepsFreedMemory

    /// Signals of faults that a test sends, where they are not taken for faults of ours.
    static func faults(_ names: String...) -> [String] { catchesFaults ? [] : names }

    /// For strace: leaks are looked for by tracing, and a program can be traced but once.
    static let optionsOfTracer: [String] = {
        let former = getenv("ASAN_OPTIONS").map { String(cString: $0) + ":" } ?? ""
        return ["-E", "ASAN_OPTIONS=\(former)detect_leaks=0"]
    }()
}
