// The program that runs the tests, started once more for one test that needs a process of its own.
import CIPC
import Glibc
import Testing

/// For tests that end their process, or that need other descriptors 0 to 2: such a test has the trait ``Trait/inner``, so
/// that it is skipped in the ordinary run, and another test starts it.
enum InnerRun {
    static var isOne: Bool { getenv("IPC_TEST_INNER") != nil }

    /// Runs the test with that name alone: its exit status, and what it said on both outputs.
    ///
    /// - Parameters:
    ///   - script: how a shell starts it: `"$@"` is the program with its arguments.
    static func of(_ test: String, script: String = #"exec "$@""#) async throws -> (Int32, String) {
        var (reader, writer): (Int32, Int32) = (-1, -1)
        try #require(ipc_pipe(&reader, &writer) == 0)
        defer { close(reader) }
        let program = Folder.target(of: "/proc/self/exe") ?? ""
        let command = [program, "--testing-library", "swift-testing", "--filter", "/\(test)\\("]
        let words = ["sh", "-c", "export IPC_TEST_INNER=1; \(script)", "sh"] + command
        let process: ForeignProcess
        do {
            defer { close(writer) }
            process = try ForeignProcess(words[0], Array(words[1...]), output: writer, error: writer)
        }
        let output = try await OwnThread.other.run { [reader] in Folder.rest(of: reader) ?? "" }
        return (try await process.wait(), output)
    }
}

extension Trait where Self == ConditionTrait {
    /// Runs only when ``InnerRun`` starts it.
    static var inner: ConditionTrait { .enabled(if: InnerRun.isOne, "runs in a process of its own") }
}
