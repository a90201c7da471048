// Ends a run whose test hangs, and says which one it was. A hang is a failure like others, but cannot report itself.
import Dispatch
import Glibc
import Synchronization

final class Watchdog: Sendable {
    static let shared = Watchdog()

    private struct Watch {
        let name: String
        let limit: Duration
        let end: ContinuousClock.Instant
    }

    private let watch = Mutex<Watch?>(nil)
    private let stage = Mutex("")
    private let change = DispatchSemaphore(value: 0)

    /// Makes all limits so many times longer: for runs under a sanitizer or a tracer.
    static let patience: Int = {
        guard let text = getenv("IPC_TEST_PATIENCE").map({ String(cString: $0) }) else { return 1 }
        return max(1, Int(text) ?? 1)
    }()

    private init() {
        startThread(named: "test-watchdog", Unmanaged.passRetained(self).toOpaque()) { pointer in
            guard let pointer else { return }
            Unmanaged<Watchdog>.fromOpaque(pointer).takeUnretainedValue().stayAwake()
        }
    }

    /// From now on this test is the one that may hang, for so long and no longer.
    func guardAgainstHang(of name: String, limit: Duration) {
        let limit = limit * Watchdog.patience
        watch.withLock { $0 = Watch(name: name, limit: limit, end: .now + limit) }
        change.signal()
    }

    /// How far the test is, for the report.
    func note(_ text: String) { stage.withLock { $0 = text } }

    /// The test has ended.
    func rest() {
        watch.withLock { $0 = nil }
        note("")
        change.signal()
    }

    private func stayAwake() {
        while true {
            let left = watch.withLock { $0.map { max(.zero, $0.end - .now) } }
            if let left {
                _ = change.wait(timeout: .now() + .milliseconds(Int(left / .milliseconds(1)) + 1))
            } else {
                change.wait()
            }
            if let late = watch.withLock({ $0 }), late.end <= .now { bark(late) }
        }
    }

    /// The runtime would write a page for each thread and bury the name of the test, so the process just ends.
    private func bark(_ watch: Watch) -> Never {
        var threads: [String: Int] = [:]
        for thread in Folder.names(in: "/proc/self/task") {
            let name = Folder.text(of: "/proc/self/task/\(thread)/comm")?.dropLast() ?? "?"
            let place = Folder.text(of: "/proc/self/task/\(thread)/wchan") ?? "?"
            threads["\(name) in \(place == "0" ? "user code" : place)", default: 0] += 1
        }
        var text = "\n!! hangs: \(watch.name), not done within \(watch.limit)\n"
        text += stage.withLock { $0.isEmpty ? "" : "   at: \($0)\n" }
        text += threads.sorted { $0.key < $1.key }.map { "   \($0.value) x \($0.key)\n" }.joined()
        text += Leftovers.now().entries.filter { !$0.description.hasPrefix("thread") }.sorted()
            .map { "   there now: \($0)\n" }.joined()
        text += Watchdog.descendants().joined()
        _ = text.withCString { write(2, $0, strlen($0)) }
        _exit(Watchdog.status)
    }

    /// The processes below this one, each with where its threads are: what a test waits for is mostly there.
    private static func descendants() -> [String] {
        var (lines, ancestors) = ([String](), [getpid()])
        let processes = Leftovers.processes()
        while let ancestor = ancestors.popLast() {
            for process in processes where process.parent == ancestor {
                ancestors.append(process.pid)
                let folder = "/proc/\(process.pid)"
                let words = (Folder.text(of: "\(folder)/cmdline") ?? "").split(separator: "\0").joined(separator: " ")
                let places = Folder.names(in: "\(folder)/task")
                    .map { Folder.text(of: "\(folder)/task/\($0)/wchan") ?? "?" }.sorted()
                lines.append(
                    "   below: \(process.pid) of \(ancestor): \(words.prefix(200)): \(places.joined(separator: ", "))\n"
                )
            }
        }
        return lines
    }

    /// The status of a run that was ended.
    static let status: Int32 = 99
}
