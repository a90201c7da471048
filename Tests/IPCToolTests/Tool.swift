// The tool as a real process, started without the library, so that nothing of it hides behind its own means.
import Glibc
import IPC
import Testing

@testable import IPCTests

/// What came of a program.
struct ToolRun: Sendable {
    let status: Int32
    let outputBytes: [UInt8]
    let errorBytes: [UInt8]
    let duration: Duration

    var output: String { String(decoding: outputBytes, as: UTF8.self) }
    var error: String { String(decoding: errorBytes, as: UTF8.self) }
    var errorLines: [Substring] { error.split(separator: "\n") }

    /// Whether all that was said is one line about how the tool was called, with where to read more.
    var isUsageError: Bool {
        status == 64 && error.hasPrefix("ipc: ") && error.hasSuffix(" --help\n") && errorLines.count == 1
    }
}

enum Tool {
    /// Next to the program that runs the tests, as ``TestChild/path`` is.
    static let path: String = TestChild.path.replacing(/TestChild$/, with: "ipc")

    static let child = TestChild.path

    /// Runs the tool to its end.
    static func run(_ arguments: String..., input: String = "") async throws -> ToolRun {
        try await start(path, arguments, input: input)
    }

    /// Runs `ipc run -- TestChild ARGUMENT...` with options before.
    static func child(_ options: [String] = [], _ arguments: String..., input: String = "") async throws -> ToolRun {
        try await start(path, ["run"] + options + ["--", child] + arguments, input: input)
    }

    /// Runs a script in which `$ipc` is the tool and `$child` the helper program; its parameters begin with `$1`.
    static func script(_ text: String, _ parameters: String..., input: String = "") async throws -> ToolRun {
        let words = ["ipc=\(path)", "child=\(child)", "sh", "-c", text, "sh"] + parameters
        return try await start("env", words, input: input)
    }

    /// Runs a program. Its outputs go to files, so that neither can hold it up and nobody's holding them open matters.
    static func start(_ program: String, _ arguments: [String], input: String = "") async throws -> ToolRun {
        let files = (0..<3).map { _ in nameless() }
        defer { for file in files { close(file) } }
        try #require(files.allSatisfy { $0 >= 0 })
        _ = input.withCString { write(files[0], $0, strlen($0)) }
        lseek(files[0], 0, SEEK_SET)
        let began = ContinuousClock.now
        let process = try ForeignProcess(program, arguments, input: files[0], output: files[1], error: files[2])
        let status = try await process.wait()
        let duration = ContinuousClock.now - began
        return ToolRun(
            status: status, outputBytes: content(of: files[1]), errorBytes: content(of: files[2]), duration: duration)
    }

    /// A file that goes away with its last descriptor.
    private static func nameless() -> Int32 {
        var name = Array("/tmp/ipc-tool-XXXXXX".utf8).forC
        let number = mkstemp(&name)
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        unlink(name)
        return number
    }

    private static func content(of file: Int32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
        let count = pread(file, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(0, count)))
    }
}
