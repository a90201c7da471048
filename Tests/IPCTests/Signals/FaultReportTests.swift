// One line before a death by a fault, and the limit of a file's size as an error; in processes of their own.
import CIPC
import Glibc
import IPC
import Testing

@Suite(.disabled(if: Sanitizer.catchesFaults)) struct FaultReportTests {
    /// Without the runtime's own reports, which take seconds.
    private static let script = #"ulimit -c 0; export SWIFT_BACKTRACE=enable=no; exec "$@""#

    private func expectDeath(_ test: String, by signal: Int32, _ words: String...) async throws {
        try await expectInner(test, status: 128 + signal, saying: words, script: FaultReportTests.script)
    }

    @Test("S-03: a stack that overflows: one line, then death by SIGSEGV", .guarded)
    func overflow() async throws {
        try await expectDeath(
            "recursionWithoutEnd", by: SIGSEGV, ": ended by SIGSEGV (Segmentation fault), stack overflow at 0x",
            "(test-deep) of process ")
    }

    @Test("P-03: other faults: one line, then death by the same signal", .guarded)
    func faults() async throws {
        try await expectDeath("aNullPointer", by: SIGSEGV, ": ended by SIGSEGV (Segmentation fault) at 0x10, in thread")
        try await expectDeath("anAbort", by: SIGABRT, ": ended by SIGABRT (Aborted), by its own call, in thread")
        try await expectDeath("aFaultSentByAnother", by: SIGBUS, ": ended by SIGBUS (Bus error), sent by process ")
    }

    @Test(
        "A fault of the program's own is no event: it ends the process though a stream waits for the signal", .guarded)
    func subscribed() async throws {
        try await expectDeath("aFaultWithAStream", by: SIGSEGV, ": ended by SIGSEGV (Segmentation fault) at 0x10")
    }

    @inline(never)
    private func touchNothing() {
        let address = UnsafeMutablePointer<UInt8>(bitPattern: Int(getpid() > 0 ? 16 : 32))
        address?.pointee = 1
    }

    @Test(.inner) func recursionWithoutEnd() async throws {
        let thread = OwnThread(named: "test-deep")
        try await thread.run {
            try Signal.reportFaults()
            #expect(deep(1) > 0)
        }
    }

    @Test(.inner) func aNullPointer() async throws {
        try Signal.reportFaults()
        touchNothing()
    }

    @Test(.inner) func anAbort() async throws {
        try Signal.reportFaults()
        abort()
    }

    @Test(.inner) func aFaultSentByAnother() async throws {
        try Signal.reportFaults()
        try Signal.reportFaults()
        try await PerlSender().send(.busError)
        try await Task.sleep(for: .seconds(10))
    }

    @Test(.inner) func aFaultWithAStream() async throws {
        try Signal.reportFaults()
        let stream = try Signal.stream(.segmentationFault)
        touchNothing()
        stream.end()
    }

    @Test func killAndStopCannotBeReported() {
        #expect(throws: SystemError.self) { try Signal.reportFaults([.kill]) }
    }

    @Test("S-03: a file that reaches the limit of its size is EFBIG, thrown, and no death by SIGXFSZ", .guarded)
    func fileSize() async throws {
        try await expectInner("fileSizeIsLimited", script: #"ulimit -c 0; ulimit -f 8; exec "$@""#)
    }

    @Test(.inner) func fileSizeIsLimited() async throws {
        for place in Place.allCases {
            try await withTemporaryFolder { folder in
                try await place.run {
                    let writer = try ByteWriter(Descriptor.open(folder.appending("file"), for: .create))
                    let error = await #expect(throws: SystemError.self) {
                        try await writer.write([UInt8](repeating: 7, count: 100_000))
                    }
                    #expect(error?.errno == .fileTooLarge)
                    #expect(error?.transferred == 8 * 512 || error?.transferred == 8 * 1024)
                    #expect(disposition(.fileSizeLimit) == 0)
                    #expect(!isPending(.fileSizeLimit))
                }
            }
        }
    }
}

/// Recursion without end.
@inline(never)
private func deep(_ number: Int) -> Int {
    var room = [number, number + 1, number + 2]
    if getpid() > 0 { room[number % 3] = deep(number + 1) + 1 }  // always, which no compiler knows
    return room.reduce(0, &+)
}
