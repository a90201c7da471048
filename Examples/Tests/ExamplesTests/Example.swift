// The examples as the processes that they are, started by the library that they show.
import IPC
import Testing

/// How long an example may take, on a machine that has much else to do.
let limit = Duration.seconds(60)

enum Example {
    /// An example's program: the examples are built into the folder of the program that runs the tests.
    static func command(_ name: String, _ arguments: String...) throws -> Command {
        try command(name, arguments: arguments)
    }

    static func command(_ name: String, arguments: [String]) throws -> Command {
        let runner = try #require(try ProcessRecord(of: .current).executable)
        return Command(runner.removingLastComponent().appending(name), arguments: arguments)
    }

    /// Runs an example to its end, and gives its output, its standard error and its status.
    static func run(
        _ name: String, _ arguments: String..., input: String = "", path: String? = nil
    ) async throws -> ExampleRun {
        var command = try command(name).input(input).unchecked()
        for argument in arguments { command = command.adding(argument) }
        if let path { command = command.environment(.inherited.setting("PATH", to: path)) }
        let result = try await command.capture(timeout: limit)
        return ExampleRun(output: result.output.text, error: result.error.text, status: result.status.shellStatus)
    }
}

/// What came of an example.
struct ExampleRun: Sendable {
    let output: String
    let error: String
    let status: Int32

    var lines: [Substring] { output.split(separator: "\n") }
}

/// A folder for the time of a body.
func withFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
    let folder = FilePath(try await Command("mktemp", "-d", "/tmp/ipc-examples-XXXXXX").read(timeout: limit))
    do {
        let result = try await body(folder)
        try await Command("rm", "-rf", folder).run(timeout: limit)
        return result
    } catch {
        _ = try? await Command("rm", "-rf", folder).run(timeout: limit)
        throw error
    }
}

/// Makes a file that is executable and holds a script.
func makeScript(_ text: String, at path: FilePath) async throws {
    let writer = try ByteWriter(Descriptor.open(path, for: .create, permissions: .ownerReadWriteExecute))
    try await writer.write("#!/bin/sh\n\(text)\n")
    try writer.close()
}
