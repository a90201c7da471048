// foundation-peer WORKLOAD: Foundation.Process.
import Foundation
import Kit

func process(_ words: String...) -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    return process
}

/// Runs it to its end. The termination handler, since `waitUntilExit` looks every 50 ms.
func end(of process: Process) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        process.terminationHandler = { _ in continuation.resume() }
        do { try process.run() } catch { continuation.resume(throwing: error) }
    }
}

switch CommandLine.arguments.dropFirst().first {
case "spawn":
    report(
        try await rate {
            let process = Process()
            process.executableURL = URL(filePath: "/bin/true")
            try await end(of: process)
        }, "spawns/s")
case "capture":
    let bytes = Int(setting("BENCH_BYTES", 1_073_741_824))
    let start = now()
    let (head, pipe) = (process("head", "-c", "\(bytes)", "/dev/zero"), Pipe())
    head.standardOutput = pipe
    try head.run()
    var count = 0
    while let piece = try pipe.fileHandleForReading.read(upToCount: 65536), !piece.isEmpty { count += piece.count }
    head.waitUntilExit()
    precondition(count == bytes)
    report(Double(count) / (now() - start) / 1e9, "GB/s")
case "lines":
    // There is no sequence of lines on Linux: pieces are read and cut.
    let lines = Int(setting("BENCH_LINES", 10e6))
    let start = now()
    let (seq, pipe) = (process("seq", "\(lines)"), Pipe())
    seq.standardOutput = pipe
    try seq.run()
    var (rest, count, bytes) = (Data(), 0, 0)
    while let piece = try pipe.fileHandleForReading.read(upToCount: 65536), !piece.isEmpty {
        rest.append(piece)
        var from = rest.startIndex
        while let end = rest[from...].firstIndex(of: 10) {
            bytes += String(decoding: rest[from..<end], as: UTF8.self).utf8.count
            (count, from) = (count + 1, end + 1)
        }
        rest = Data(rest[from...])
    }
    seq.waitUntilExit()
    precondition(count == lines && bytes > lines)
    report(Double(count) / (now() - start) / 1e6, "Mlines/s")
case "left":
    let start = now()
    let (shell, pipe) = (process("sh", "-c", CommandLine.arguments[2]), Pipe())
    shell.standardOutput = pipe
    try shell.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    precondition(output == Data("hi\n".utf8))
    report(now() - start, "s")
case "late":
    let start = now()
    let (shell, pipe) = (process("sh", "-c", CommandLine.arguments[2]), Pipe())
    shell.standardOutput = pipe
    try shell.run()
    DispatchQueue.global().asyncAfter(deadline: .now() + 0.5) { shell.terminate() }
    _ = try pipe.fileHandleForReading.readToEnd()
    report(now() - start, "s")
case "gone":
    let (program, pipe) = (process("true"), Pipe())
    program.standardInput = pipe
    try program.run()
    do { for _ in 0..<64 { try pipe.fileHandleForWriting.write(contentsOf: Data(count: 65536)) } } catch {
        print("R error 1 -")
    }
case "descriptors":
    openCarelessly()
    let (ls, pipe) = (process("ls", "/proc/self/fd"), Pipe())
    ls.standardOutput = pipe
    try ls.run()
    let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    // 0, 1, 2, and the one with which ls reads the folder.
    report(Double(output.split(separator: "\n").count - 4), "descriptors")
default:
    exit(64)
}
