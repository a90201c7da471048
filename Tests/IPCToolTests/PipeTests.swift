// ipc pipe: stages between ::, the status of a shell with pipefail, and a word on the one that failed.
import FoundationEssentials
import IPC
import Testing

@testable import IPCTests

/// What ipc pipe --json prints.
private struct Report: Decodable {
    struct Stage: Decodable {
        var command: String
        var pid: Int32?
        var status: Int32?
        var signal: String?
        var wasCutOff: Bool
        var error: String?
        var errorBase64: String?
    }
    struct Failure: Decodable {
        var kind: String
        var message: String
        var errno: String?
        var output: String?
    }
    var status: Int32?
    var stages: [Stage]
    var output: String?
    var outputBase64: String?
    var wallSeconds: Double?
    var failedStage: Int?
    var failure: Failure?

    init(_ run: ToolRun) throws { self = try JSONDecoder().decode(Report.self, from: Data(run.outputBytes)) }
}

@Suite(.guarded)
struct PipeTests {
    private func pipe(_ options: [String] = [], _ stages: String..., input: String = "") async throws -> ToolRun {
        try await Tool.start(Tool.path, ["pipe"] + options + ["--"] + stages, input: input)
    }

    @Test func theStagesAreJoined() async throws {
        let run = try await pipe([], "sort", "::", "uniq", "-c", "::", "tr", "-d", " ", input: "b\na\nb\n")
        #expect(run.output == "1a\n2b\n" && run.status == 0 && run.error == "")
        let one = try await pipe([], "echo", "alone")
        #expect(one.output == "alone\n" && one.status == 0)
        // Words that merely contain the sign are arguments; bytes pass as they are.
        let words = try await pipe([], "echo", "a::b", ":::", ":", "::", "cat")
        #expect(words.output == "a::b ::: :\n")
        let odd = try await Tool.script(#""$ipc" pipe -- printf '%s' "$(printf '\377')" :: od -An -tx1"#)
        #expect(odd.output == " ff\n")
        #expect(try await pipe([], "true", "::", "echo", "--json", "--").output == "--json --\n")
    }

    @Test(
        "A stage that is missing is wrong usage",
        arguments: [
            [], ["::"], ["cat", "::"], ["::", "cat"], ["cat", "::", "::", "cat"], ["cat", "::", "cat", "::"],
        ])
    func missing(_ words: [String]) async throws {
        let run = try await Tool.start(Tool.path, ["pipe", "--"] + words)
        #expect(run.status == 64)
        #expect(run.error.hasPrefix("ipc: a stage is missing; say: ipc pipe -- "))
        #expect(run.output == "")
        let bare = try await Tool.start(Tool.path, ["pipe"] + words)
        #expect(bare.status == 64)
    }

    @Test(
        "I-2: the status is that of the last stage that failed, as with pipefail",
        arguments: [
            (["exit 3", "cat", "cat"], 3), (["exit 3", "exit 4", "cat"], 4), (["cat", "cat", "exit 5"], 5),
            (["kill -9 $$", "cat"], 137), (["cat", "kill -TERM $$"], 143), (["yes", "head -n 1 >&2"], 0),
            (["yes", "exit 6"], 6), (["cat", "exit 141"], 141),
        ])
    func statuses(_ scripts: [String], _ status: Int) async throws {
        let words = scripts.map { ["sh", "-c", $0] }.joined(separator: ["::"])
        let run = try await Tool.start(Tool.path, ["pipe", "--"] + words)
        #expect(run.status == status)
        let json = try await Tool.start(Tool.path, ["pipe", "--json", "--"] + words)
        #expect(json.status == status)
        #expect(try Report(json).status == Int32(status))
        if status != 0 {
            let failed = try #require(try Report(json).failedStage)
            #expect(run.errorLines.last?.hasPrefix("ipc: stage \(failed) of \(scripts.count), sh -c ") == true)
        }
    }

    @Test("I-2: 124 at the limit, KILL included; 127 and 126 for a stage that cannot be started; nothing is left")
    func limitsAndStarts() async throws {
        let sleepers = [
            Tool.child, "sleep", "1000", "::", Tool.child, "ignore", "TERM", "::", Tool.child, "sleep", "1000",
        ]
        let run = try await Tool.start(Tool.path, ["pipe", "--timeout", "0.2", "--kill-after", "0.1", "--"] + sleepers)
        #expect(run.status == 124)
        #expect(run.duration < .seconds(3) * Watchdog.patience)
        #expect(run.errorLines.last?.hasSuffix(": not done within 200 ms") == true)
        let json = try await pipe(["--timeout", "0.1", "--json"], "sleep", "1000", "::", "cat")
        #expect(json.status == 124)
        #expect(try Report(json).failure?.kind == "timeout")
        for (program, status) in [("no-such-program", 127), ("/etc/passwd", 126), ("/", 126)] as [(String, Int32)] {
            let first = try await pipe([], program, "::", "sleep", "1000")
            #expect(first.status == status)
            let last = try await pipe(["--json"], "sleep", "1000", "::", program)
            #expect(last.status == status)
            #expect(try Report(last).failure?.message.hasPrefix("execute \(program): ") == true)
        }
    }

    @Test("P24: what a stage leaves behind is not waited for")
    func leftBehind() async throws {
        let run = try await pipe([], "sh", "-c", "sleep 1000 & echo $! >&2; echo hi", "::", "cat")
        #expect(run.output == "hi\n" && run.status == 0)
        #expect(run.duration < .seconds(2) * Watchdog.patience)
        #expect(ends(Int32(run.errorLines.first ?? "") ?? 0))
    }

    @Test func theObjectHasAnEntryForEachStage() async throws {
        let run = try await pipe(
            ["--json"], "sh", "-c", "echo one >&2; yes", "::", "head", "-n", "1", "::", "sh", "-c", "cat; exit 3")
        let report = try Report(run)
        #expect(run.status == 3 && report.status == 3 && report.failedStage == 3)
        #expect(report.output == "y\n")
        #expect(report.stages.map(\.wasCutOff) == [true, false, false])
        #expect(report.stages.map(\.error) == ["one\n", "", ""])
        #expect(report.stages.map(\.command) == ["sh -c 'echo one >&2; yes'", "head -n 1", "sh -c 'cat; exit 3'"])
        #expect(Set(report.stages.compactMap(\.pid)).count == 3)
        #expect(report.failure?.kind == "failed")
        #expect((report.wallSeconds ?? 0) > 0)
        let binary = try Report(try await pipe(["--json"], "printf", #"\377"#, "::", "cat"))
        #expect(binary.output == nil && binary.outputBase64 == "/w==")
    }

    @Test func theOptionsAreForEveryStage() async throws {
        let words = ["sh", "-c", #"cat; echo "$A $(ulimit -n) $(umask) $(pwd)""#]
        let run = try await Tool.start(
            Tool.path,
            ["pipe", "--env", "A=b", "--limit", "nofile=64", "--umask", "27", "--directory", "/", "--"] + words + ["::"]
                + words)
        #expect(run.output == "b 64 0027 /\nb 64 0027 /\n")
    }

    @Test("Signals to the tool are the stages'")
    func signals() async throws {
        let script = #"""
            trap "echo got >&2; exit 5" TERM; echo ready >&2; while :; do sleep 0.01; done
            """#
        let outer = #"""
            exec 3>&1; { "$ipc" pipe -- sh -c "$1" :: sh -c "$1" 2>&1 >&3 & echo "pid $!"; wait $!; echo "status $?"; } | {
                read word pid; read line; read line; kill -TERM $pid; cat; }
            """#
        let run = try await Tool.script(outer, script)
        #expect(run.output.split(separator: "\n").filter { $0 == "got" }.count == 2)
        #expect(run.output.contains("status 5"))
    }
}
