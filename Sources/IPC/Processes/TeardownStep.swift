// How a program is asked to end before it is killed.

/// One step of ending a program: a signal, and how long it may take to comply.
///
/// After the last step comes SIGKILL, always.
public struct TeardownStep: Hashable, Sendable {
    let signal: Signal
    let allowance: Duration

    /// Sends the program's tree a signal, and waits for its end so long at most.
    public static func send(_ signal: Signal, allowing allowance: Duration) -> TeardownStep {
        TeardownStep(signal: signal, allowance: allowance)
    }

    /// What is done unless told otherwise: SIGTERM, and so long; nothing for zero.
    static func standard(_ grace: Duration) -> [TeardownStep] {
        grace > .zero ? [TeardownStep(signal: .terminate, allowance: grace)] : []
    }
}
