// Planted faults that the sanitizers must find; `Scripts/sanitize` runs them, and nobody else does.
import Glibc
import Testing

struct CanaryTests {
    static let planted = getenv("IPC_CANARY").map { String(cString: $0) }

    @Test(.enabled(if: planted == "race"))
    func aRaceIsFoundByTheThreadSanitizer() async {
        final class Unprotected: @unchecked Sendable {
            // Not safe at all: that is the point.
            var count = 0
        }
        let shared = Unprotected()
        await withTaskGroup { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<10_000 { shared.count += 1 } }
            }
        }
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
}
