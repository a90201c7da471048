// What tests of processes need: the helper program as a command, how long something took, whether a stranger is gone.
import CIPC
import IPC
import Synchronization
import Testing

extension Command {
    /// The helper program with a verb.
    static func testChild(_ arguments: any ProgramArgument...) -> Command {
        Command(TestChild.path, arguments: arguments)
    }

    /// A script for the shell, whose `$0` is the helper program, with parameters from `$1` on.
    static func script(_ text: String, _ parameters: any ProgramArgument...) -> Command {
        Command("/bin/sh", arguments: ["-c", text, TestChild.path] + parameters)
    }
}

/// The body's value; that it takes longer than the limit is a failure of the test.
func within<Value>(
    _ limit: Duration, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Value
) async rethrows -> Value {
    let began = ContinuousClock.now
    defer {
        let took = ContinuousClock.now - began
        if took > limit * Watchdog.patience {
            Issue.record("took \(took), \(limit) at most", sourceLocation: sourceLocation)
        }
    }
    return try await body()
}

/// Whether a process ends within the limit, whoever's child it is.
func ends(_ pid: Int32, within limit: Duration = .seconds(5)) -> Bool {
    let number = ipc_pidfd_open(pid)
    guard number >= 0 else { return Errno(rawValue: -number) == .noSuchProcess }
    defer { _ = ipc_close(number) }
    let nanoseconds = Int64(limit / .nanoseconds(1)) * Int64(Watchdog.patience)
    return ipc_poll_wait(number, 0, nanoseconds) == 1
}

/// Whether a process is there and has not ended.
func runs(_ pid: Int32) -> Bool { !ends(pid, within: .zero) }

/// Ends a process that has left its tree, so that the test does not leave it behind.
func dispatch(_ pid: Int32) {
    _ = ipc_kill(pid, IPC_SIGKILL)
    #expect(ends(pid))
}

/// Many bytes are compared here: a failed expectation would look for the differences for a long time.
func expectSame(
    _ bytes: [UInt8], _ expected: [UInt8], _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
    if bytes == expected { return }
    let first = zip(bytes, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let place = first ?? min(bytes.count, expected.count)
    Issue.record(
        "\(bytes.count) bytes, not \(expected.count), other from byte \(place) on. \(comment?.rawValue ?? "")",
        sourceLocation: sourceLocation)
}

extension CommandResult {
    /// The numbers that the program wrote to its output, such as those of processes.
    var numbers: [Int32] { output.text.split { !$0.isNumber }.compactMap { Int32($0) } }
}

extension [UInt8] {
    /// The bytes as a C function takes them.
    var forC: [CChar] { map { CChar(bitPattern: $0) } + [0] }
}

/// The bytes that the helper program's `flood` writes.
func floodedBytes(_ count: Int) -> [UInt8] {
    let chunk = (0..<26 * 64).map { $0 % 64 == 63 ? UInt8(ascii: "\n") : UInt8(ascii: "a") + UInt8($0 % 26) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + chunk.count)
    while bytes.count < count { bytes += chunk }
    bytes.removeLast(bytes.count - count)
    return bytes
}

/// A value that is there later.
final class Box<Value: Sendable>: Sendable {
    private let stored = Mutex<Value?>(nil)

    var value: Value? { stored.withLock { $0 } }

    func set(_ value: Value) { stored.withLock { $0 = value } }
}
