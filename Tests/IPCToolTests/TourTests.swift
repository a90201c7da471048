// ipc tour: every stop is visited and checked, on this kernel, on older ones, and where nothing can be found.
import FoundationEssentials
import Testing

@testable import IPCTests

private struct TourObject: Decodable {
    struct Stop: Decodable {
        let chapter: String
        let name: String
        let seen: String?
        let failure: String?
        let seconds: Double
    }

    let stops: [Stop]
    let isWell: Bool
}

@Suite(.guarded)
struct TourTests {
    @Test func everyStopIsWell() async throws {
        let run = try await Tool.run("tour")
        #expect(run.status == 0)
        #expect(run.error == "")
        #expect(run.output.contains("all well\n"))
        #expect(!run.output.contains("FAIL"))
        for chapter in ["Pipes\n", "Processes\n", "Signals\n"] { #expect(run.output.contains(chapter)) }
    }

    @Test func theSameAsOneObject() async throws {
        let run = try await Tool.run("tour", "--json")
        #expect(run.status == 0)
        let tour = try JSONDecoder().decode(TourObject.self, from: Data(run.outputBytes))
        #expect(tour.isWell)
        #expect(tour.stops.count >= 10)
        #expect(tour.stops.allSatisfy { $0.failure == nil && $0.seen?.isEmpty == false && $0.seconds >= 0 })
    }

    @Test("It fails loudly where there is no program to be found")
    func emptyPath() async throws {
        let run = try await Tool.start("env", ["PATH=", Tool.path, "tour"])
        #expect(run.status == 1)
        #expect(run.output.contains("FAIL"))
        #expect(run.output.contains(" failed\n"))
        let object = try await Tool.start("env", ["PATH=", Tool.path, "tour", "--json"])
        #expect(object.status == 1)
        let tour = try JSONDecoder().decode(TourObject.self, from: Data(object.outputBytes))
        #expect(!tour.isWell)
        #expect(tour.stops.contains { $0.failure?.contains("(ENOENT)") == true })
        #expect(tour.stops.contains { $0.failure == nil }, "what needs no program is well all the same")
    }

    @Test("It is well without an environment, in a directory that is gone, with SIGPIPE ignored and SIGCHLD too")
    func oddSurroundings() async throws {
        let path = "PATH=/usr/local/bin:/usr/bin:/bin"
        let bare = try await Tool.start("env", ["-i", path, Tool.path, "tour"])
        #expect(bare.status == 0, "\(bare.output)")
        let ignoring = try await Tool.start("env", ["--ignore-signal=PIPE", Tool.path, "tour"])
        #expect(ignoring.status == 0, "\(ignoring.output)")
        let closed = try await Tool.script(#""$ipc" tour <&- 2>&-"#)
        #expect(closed.status == 0, "\(closed.output)")
    }

    @Test("I-3: a tour that nobody can read ends with one line and a failure")
    func nowhereToWrite() async throws {
        for redirection in [">/dev/full", ">&-"] {
            let run = try await Tool.script(#""$ipc" tour \#(redirection)"#)
            #expect(run.status == 71)
            #expect(run.errorLines.count == 1)
            #expect(run.error.hasPrefix("ipc: write standard output: "))
        }
    }

    @Test(
        "P39: on kernels without what newer ones have everything works", .enabled(if: ForeignProcess.exists("strace")),
        arguments: [
            "preadv2,pwritev2:error=EOPNOTSUPP", "close_range:error=ENOSYS", "pwritev2:error=EOPNOTSUPP:when=1",
            "preadv2,pwritev2:error=ENOSYS", "preadv2,pwritev2:error=EINVAL",
        ])
    func olderKernel(_ injection: String) async throws {
        let calls = injection.split(separator: ":")[0]
        try await withTemporaryFolder { folder in
            let log = "\(folder)/log"
            // What the programs of the tour do is theirs: only the tool itself meets the old kernel, and the child before it executes.
            let run = try await Tool.start(
                "strace",
                ["-f", "-qq"] + Sanitizer.optionsOfTracer
                    + ["-o", log, "-e", "trace=\(calls)", "-e", "inject=\(injection)", Tool.path, "tour"])
            #expect(run.status == 0, "\(run.output)")
            #expect(Folder.text(of: log)?.contains("(INJECTED)") == true, "the test is void")
        }
    }
}
