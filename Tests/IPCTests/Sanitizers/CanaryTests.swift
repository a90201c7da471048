// Planted faults that the sanitizers must find; `Scripts/sanitize` runs them, and nobody else does.
import Dispatch
import Glibc
import IPC
import Testing

struct CanaryTests {
    static let planted = getenv("IPC_CANARY").map { String(cString: $0) }

    @Test(.enabled(if: planted == "race"))
    func aRaceIsFoundByTheThreadSanitizer() {
        final class Unprotected: @unchecked Sendable {
            // Not safe at all: that is the point.
            var count = 0
            let end = DispatchSemaphore(value: 0)
        }
        let shared = Unprotected()
        for _ in 0..<2 {
            // Nothing orders the two. Both have run a program, after which the sanitizer has to see as well as before.
            startThread(named: "test-canary", Unmanaged.passRetained(shared).toOpaque()) { pointer in
                guard let pointer else { return }
                let shared = Unmanaged<Unprotected>.fromOpaque(pointer).takeRetainedValue()
                let result = try? EventLoop.run { try await Command("true").run() }
                if result != nil { shared.count += 1 }
                shared.end.signal()
            }
        }
        for _ in 0..<2 { shared.end.wait() }
        #expect(shared.count > 0)
    }

    @Test(.enabled(if: planted == "overflow"))
    func anOverflowIsFoundByTheAddressSanitizer() {
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 8)
        defer { bytes.deallocate() }
        let index = getenv("IPC_CANARY").map { strlen($0) } ?? 0  // 8, which no compiler can know
        bytes[Int(index)] = 1
        #expect(bytes[Int(index)] == 1)
    }

    @Test(.enabled(if: planted == "leak"))
    func aLeakIsFoundAtTheEndOfTheRun() {
        // Several, since a stale register may still hold the last.
        for _ in 0..<10 { UnsafeMutablePointer<UInt8>.allocate(capacity: 8).pointee = 1 }
    }
}
