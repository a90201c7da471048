// subprocess-peer WORKLOAD: swift-subprocess.
import Foundation
import Kit
import Subprocess

func shell(_ script: String) async throws -> String {
    try await run(.name("sh"), arguments: ["-c", script], output: .string(limit: 4096), error: .discarded)
        .standardOutput
}

switch CommandLine.arguments.dropFirst().first {
case "spawn":
    report(try await rate { _ = try await run(.path("/bin/true"), output: .discarded) }, "spawns/s")
case "capture":
    let bytes = Int(setting("BENCH_BYTES", 1_073_741_824))
    let start = now()
    let result = try await run(
        .name("head"), arguments: ["-c", "\(bytes)", "/dev/zero"], input: .none, output: .sequence, error: .discarded
    ) { execution in
        var count = 0
        for try await piece in execution.standardOutput { count += piece.count }
        return count
    }
    precondition(result.closureResult == bytes)
    report(Double(bytes) / (now() - start) / 1e9, "GB/s")
case "lines":
    // So slow that ten million would take half a minute.
    let lines = Int(setting("BENCH_LINES", 10e6)) / 20
    let start = now()
    let result = try await run(
        .name("seq"), arguments: ["\(lines)"], input: .none, output: .sequence, error: .discarded
    ) { execution in
        var count = 0
        for try await _ in execution.standardOutput.strings() { count += 1 }
        return count
    }
    precondition(result.closureResult == lines)
    report(Double(lines) / (now() - start) / 1e6, "Mlines/s")
case "left":
    let start = now()
    let output = try await shell(CommandLine.arguments[2])
    precondition(output == "hi\n")
    report(now() - start, "s")
case "late":
    let start = now()
    let script = CommandLine.arguments[2]
    let task = Task { _ = try await shell(script) }
    try await Task.sleep(for: .milliseconds(500))
    task.cancel()
    _ = await task.result
    report(now() - start, "s")
case "gone":
    do {
        _ = try await run(.name("true"), input: .inputWriter, output: .discarded, error: .discarded) { execution in
            for _ in 0..<64 { _ = try await execution.standardInputWriter.write([UInt8](repeating: 0, count: 65536)) }
        }
    } catch { print("R error 1 -") }
case "descriptors":
    openCarelessly()
    let result = try await run(
        .name("ls"), arguments: ["/proc/self/fd"], output: .string(limit: 4096), error: .discarded)
    // 0, 1, 2, and the one with which ls reads the folder.
    report(Double(result.standardOutput.split(separator: "\n").count - 4), "descriptors")
default:
    exit(64)
}
