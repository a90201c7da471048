// A body that a signal cancels: by which, how soon, and what a second one does; in processes of their own.
import CIPC
import Glibc
import IPC
import Testing

@Suite struct SignalCancellationTests {
    @Test("A signal cancels the body, and the error says which and from whom", .guarded)
    func cancels() async throws { try await expectInner("bodiesAreCancelled") }

    @Test(.inner) func bodiesAreCancelled() async throws {
        for place in Place.allCases {
            try await place.run {
                let perl = try await PerlSender()
                for signal in [Signal.interrupt, .terminate] {
                    let error = await #expect(throws: SignalCancellationError.self) {
                        try await Signal.cancelling(on: .interrupt, .terminate) {
                            try await perl.send(signal)
                            try await Task.sleep(for: .seconds(1000))
                        }
                    }
                    #expect(error?.event.signal == signal)
                    #expect(error?.event.sender == perl.processID)
                    #expect(error?.underlying == nil)
                    #expect(
                        error.map { "\($0)" }
                            == "cancelled by \(signal) from process \(perl.processID) of user \(getuid())")
                    #expect(disposition(signal) == 0)
                }
                try await withoutSignals()
                try await withOtherErrors()
                try await perl.end()
            }
        }
    }

    private func withoutSignals() async throws {
        #expect(try await Signal.cancelling(on: .interrupt) { 7 } == 7)
        struct Failure: Error {}
        await #expect(throws: Failure.self) { try await Signal.cancelling(on: .interrupt) { throw Failure() } }
        let task = Task {
            try await Signal.cancelling(on: .interrupt) { try await Task.sleep(for: .seconds(1000)) }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    private func withOtherErrors() async throws {
        struct Failure: Error {}
        let error = await #expect(throws: SignalCancellationError.self) {
            try await Signal.cancelling(on: .interrupt) {
                try raiseHere(.interrupt)
                try? await Task.sleep(for: .seconds(1000))
                throw Failure()
            }
        }
        #expect(error?.underlying is Failure)
        // Waits of the library end too, and a body that returns all the same was cancelled all the same.
        let seen = Box<any Error>()
        let other = await #expect(throws: SignalCancellationError.self) {
            try await Signal.cancelling(on: .interrupt) {
                let pipe = try AnonymousPipe()
                try raiseHere(.interrupt)
                do { _ = try await pipe.reader.read(upTo: 1) as [UInt8] } catch { seen.set(error) }
            }
        }
        #expect(other?.underlying == nil)
        #expect(seen.value is CancellationError)
    }

    @Test("A body that computes and never waits is cancelled while it computes", .guarded)
    func computing() async throws { try await expectInner("aComputingBodyIsCancelled") }

    @Test(.inner) func aComputingBodyIsCancelled() async throws {
        for place in Place.allCases {
            let error = try await place.run {
                await #expect(throws: SignalCancellationError.self) {
                    try await Signal.cancelling(on: .interrupt) { try computeUntilCancelled() }
                }
            }
            #expect(error?.event.sender == .current)
        }
    }

    private func computeUntilCancelled() throws {
        try ProcessID.current.send(.interrupt)
        while !Task.isCancelled {}
    }

    @Test("S18: a second SIGINT ends the process on the spot", .guarded)
    func secondInterrupt() async throws {
        try await expectInner("aSecondInterrupt", status: 128 + SIGINT, saying: ["cleaning up"])
    }

    @Test(.inner) func aSecondInterrupt() async throws {
        try await Signal.cancelling(on: .interrupt, .terminate) {
            try raiseHere(.interrupt)
            try? await Task.sleep(for: .seconds(1000))
            say("cleaning up")
            try raiseHere(.interrupt)
            while true {}
        }
    }

    @Test(
        "S18: a second SIGTERM changes nothing, nor does a SIGINT after it; the tool then dies of the first", .guarded)
    func secondTermination() async throws {
        try await expectInner("aSecondTermination", status: 128 + SIGTERM, saying: ["cleaned up"])
    }

    @Test(.inner) func aSecondTermination() async throws {
        do {
            try await Signal.cancelling(on: .interrupt, .terminate) {
                try raiseHere(.terminate)
                try? await Task.sleep(for: .seconds(1000))
                try raiseHere(.terminate, times: 5)
                try raiseHere(.interrupt)
                say("cleaned up")
            }
        } catch let error as SignalCancellationError {
            #expect(error.event.signal == .terminate)
            error.event.signal.endProcess()
        }
    }

    @Test(
        "A process ends by a signal that it blocks, catches or ignores, and with 128 and the number where none ends",
        .guarded)
    func ends() async throws {
        try await expectInner("endsByAnIgnoredSignal", status: 128 + SIGINT)
        try await expectInner("endsByASignalThatEndsNobody", status: 128 + SIGWINCH)
    }

    @Test(.inner) func endsByAnIgnoredSignal() async throws {
        try await Signal.ignoring(.interrupt) {
            if getpid() > 0 { Signal.interrupt.endProcess() }
        }
    }

    @Test("What print has buffered is written before the process ends by a signal", .guarded)
    func flushed() async throws {
        try await expectInner("endsWithWordsInABuffer", status: 128 + SIGTERM, saying: ["a word"])
    }

    @Test(.inner) func endsWithWordsInABuffer() {
        print("a word", terminator: "")  // kept, whether whole lines are or not
        Signal.terminate.endProcess()
    }

    @Test(.inner) func endsByASignalThatEndsNobody() { Signal.windowSizeChanged.endProcess() }
}
