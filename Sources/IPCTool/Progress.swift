// How far a long transfer is: a line on the terminal that is written over and over.
import FoundationEssentials
import IPC
import Synchronization

/// What has gone through so far, at which rate, and for how long.
///
/// It is drawn only where it disturbs nobody: on a terminal whose foreground is ours, if nobody else writes there; nothing for the first
/// second, and nothing while nothing comes, so that what a program asks for meanwhile stays to be seen.
enum Progress {
    /// Whether the line is on the terminal, so that whoever else writes there takes it away first.
    private static let isShown = Mutex(false)

    /// Does a transfer that goes to standard output, and to another stream too. It has to go into a file: of what goes into a pipe, others
    /// may show something.
    static func ofOutput<Result: Sendable>(
        and other: ByteWriter? = nil, _ transfer: () async throws -> Result
    ) async throws -> Result {
        guard outputIsFile, !ByteReader.standardInput.isTerminal else { return try await transfer() }
        return try await of(Written(.standardOutput, other), transfer)
    }

    /// Does a transfer, and shows meanwhile how many bytes have gone through.
    static func of<Result: Sendable>(
        _ counted: some Counted, _ transfer: () async throws -> Result
    ) async throws -> Result {
        guard canBeSeen else { return try await transfer() }
        let line = ProgressLine(counted: counted)
        let shown = Task { await line.show() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await transfer()) } catch { result = .failure(error) }
        shown.cancel()
        await shown.value
        // The last line stays, and says all; a task of its own writes it, since this one may be cancelled.
        if isShown.withLock({ $0 }) { await Task { await write(line.whole, end: "\n") }.value }
        isShown.withLock { $0 = false }
        return try result.get()
    }

    /// Whether somebody would see it.
    static var canBeSeen: Bool { Look.takesEscapes(.standardError) && isForeground }

    /// What takes the line away, if it is there.
    static var wiping: String { isShown.withLock { $0 } ? "\r\u{1B}[K" : "" }

    /// A terminal that is stopped must not stop the transfer.
    fileprivate static func write(_ text: String, end: String = "") async {
        isShown.withLock { $0 = true }
        try? await ByteWriter.standardError.write("\r\(text)\u{1B}[K\(end)", timeout: .milliseconds(100))
    }

    /// Whether our process group has the terminal: proc(5), the fields behind the name.
    private static var isForeground: Bool {
        let fields = (try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8))?.split(separator: ")").last?
            .split(separator: " ")
        guard let fields, fields.count > 5 else { return false }
        return fields[2] == fields[5]
    }

    private static var outputIsFile: Bool {
        let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/1")
        guard let place, place != "/dev/null" else { return place != nil }
        return (try? FileManager.default.attributesOfItem(atPath: place))?[.type] as? FileAttributeType == .typeRegular
    }
}

/// A transfer whose bytes are counted.
protocol Counted: Sendable {
    /// How many have gone through so far.
    var count: Int { get }

    /// What stands before that.
    var label: String { get }
}

extension Counted {
    var label: String { "" }
}

/// What is written to some streams from now on.
struct Written: Counted {
    private let streams: [ByteWriter]
    private let before: Int

    init(_ first: ByteWriter, _ other: ByteWriter? = nil) {
        streams = [first] + (other.map { [$0] } ?? [])
        before = streams.reduce(0) { $0 + $1.bytesWritten }
    }

    var count: Int { streams.reduce(-before) { $0 + $1.bytesWritten } }
}

/// The line of one transfer.
private struct ProgressLine: Sendable {
    let counted: any Counted
    let began = ContinuousClock.now

    /// Shows it until the task is cancelled.
    func show() async {
        guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
        var (former, time, wasMoving) = (counted.count, ContinuousClock.now, false)
        while (try? await Task.sleep(for: .milliseconds(500))) != nil {
            let (current, now) = (counted.count, ContinuousClock.now)
            let isMoving = current != former
            // Once more when it stops, with a rate of 0.
            if isMoving || wasMoving {
                await Progress.write(text(current, rate: Double(current - former) / (now - time).seconds))
            }
            (former, time, wasMoving) = (current, now, isMoving)
        }
    }

    /// All that has gone through, at the rate of the whole time.
    var whole: String {
        let current = counted.count
        return text(current, rate: Double(current) / (ContinuousClock.now - began).seconds)
    }

    private func text(_ bytes: Int, rate: Double) -> String {
        let seconds = Int((ContinuousClock.now - began).seconds)
        let time = "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
        return "ipc: \(counted.label)\(Self.amount(Double(bytes))), \(Self.amount(rate))/s, \(time)"
    }

    private static func amount(_ bytes: Double) -> String {
        var (amount, unit) = (bytes, 0)
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        while amount >= 1024, unit < units.count - 1 { (amount, unit) = (amount / 1024, unit + 1) }
        let text = unit == 0 ? "\(Int(amount))" : "\((amount * 10).rounded() / 10)"
        return "\(text) \(units[unit])"
    }
}
