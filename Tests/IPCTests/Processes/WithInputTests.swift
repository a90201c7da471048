// Writing to a program while it runs: all of it arrives, or somebody says that it did not.
import CIPC
import IPC
import Testing

@Suite(.guarded)
struct WithInputTests {
    @Test("What the body writes arrives; its value is the call's", arguments: Place.allCases)
    func arrives(_ place: Place) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("out")
            let value = try await place.run {
                try await Command.testChild("cat").output(.file(file)).withInput { writer in
                    for number in 1...1_000 { try await writer.write("line \(number)\n") }
                    return 42
                }
            }
            #expect(value == 42)
            #expect(Folder.text(of: file.string) == (1...1_000).map { "line \($0)\n" }.joined())
        }
    }

    @Test func theInputMayBeClosedByTheBodyOrNotUsedAtAll() async throws {
        let cat = Command.testChild("cat").output(.discard)
        try await cat.withInput { _ in }
        try await cat.withInput { writer in
            try await writer.write("x")
            try writer.close()
        }
        let error = try await #require(throws: CommandError.self) {
            try await Command.testChild("exit", 5).withInput { _ in }
        }
        #expect(error.status == .exited(5))
    }

    @Test("P19: a program that leaves before it has read everything is an error, with its own status if that is one")
    func brokenPipe() async throws {
        let endless: (ByteWriter) async throws -> Void = { writer in
            while true { try await writer.write([UInt8](repeating: 0, count: 65_536)) }
        }
        let satisfied = try await #require(throws: CommandError.self) {
            try await Command("head", "-c", 10).output(.discard).withInput(endless)
        }
        #expect(satisfied.kind == .inputNotTaken)
        #expect(satisfied.status == .exited(0))
        #expect("\(satisfied)" == "head -c 10: left before it had read its input; it exited with status 0")
        let failed = try await #require(throws: CommandError.self) {
            try await Command.testChild("read", 10).withInput(endless)
        }
        #expect(failed.kind == .failed)
        #expect(failed.status == .exited(3))
    }

    @Test func aBodyThatHandlesABrokenPipeItselfIsNotAnError() async throws {
        let caught = try await Command("true").withInput { writer -> Errno? in
            do { while true { try await writer.write([UInt8](repeating: 0, count: 65_536)) } } catch let error
                as SystemError
            {
                return error.errno
            }
        }
        #expect(caught == .brokenPipe)
    }

    @Test("An error of the body ends the program, stubborn or not, and is the call's", arguments: Place.allCases)
    func bodyThrows(_ place: Place) async throws {
        try await place.run {
            for script in [
                "echo ready >&2; exec sleep 1000", #"trap "" TERM; echo ready >&2; while :; do sleep 0.01; done"#,
            ] {
                let sign = try Sign()
                _ = await within(.seconds(2)) {
                    await #expect(throws: Failed.self) {
                        try await Command.script(script).error(sign.output).withInput(grace: .milliseconds(50)) { _ in
                            try await sign.wait()
                            throw Failed()
                        }
                    }
                }
            }
        }
    }

    @Test("A broken pipe that is not the program's is the body's own error, and the program gets its end of input")
    func anotherPipeBreaks() async throws {
        let error = await within(.seconds(3)) {
            await failure {
                try await Command.testChild("cat").output(.discard).withInput { _ in
                    let pipe = try AnonymousPipe()
                    pipe.reader.close()
                    try await pipe.writer.write("x")
                }
            }
        }
        #expect((error as? SystemError)?.errno == .brokenPipe)
        #expect((error as? SystemError)?.subject == "pipe")
    }

    @Test("A limit of the body's own is not the program's")
    func aLimitInTheBody() async throws {
        let error = try await #require(throws: TimeoutError.self) {
            try await Command.testChild("cat").output(.discard).withInput { _ in
                let other = try await Command.testChild("sleep", 1_000).start()
                do { _ = try await other.wait(timeout: .milliseconds(10)) } catch {
                    await other.end()
                    throw error
                }
            }
        }
        #expect(error.operation == "wait")
        #expect(error.limit == .milliseconds(10))
    }

    @Test("P20: a program that closes its input and runs on is waited for, and ended by the limit, which is the error")
    func closedInput() async throws {
        let program = Command.script("exec <&-; echo ready >&2; exec sleep 1000")
        let sign = try Sign()
        let error = await within(.seconds(5)) {
            await failure {
                try await program.error(sign.output).withInput(timeout: .milliseconds(400)) { writer in
                    try await sign.wait()
                    try await writer.write("nobody reads this")
                }
            }
        }
        #expect(error is TimeoutError, "\(String(describing: error))")
        let second = try Sign()
        let outcome = try await cancelling(
            {
                try await program.error(second.output).withInput { writer in
                    try await second.wait()
                    try await writer.write("nobody reads this")
                }
            }, when: { try await Task.sleep(for: .milliseconds(100)) })
        #expect(outcome is CancellationError, "\(String(describing: outcome))")
        let patient = try await #require(throws: CommandError.self) {
            try await Command.script("exec <&-; sleep 0.1; exit 0").withInput { writer in
                while true { try await writer.write([UInt8](repeating: 0, count: 65_536)) }
            }
        }
        #expect(patient.kind == .inputNotTaken)
    }

    @Test("P19: given input that is not taken is no error; the result says how much was left")
    func inputLeft() async throws {
        let input = [UInt8](repeating: 65, count: 10_000_000)
        for command in [
            Command("true"), Command.testChild("read", 10).unchecked(), .script("exec <&-; sleep 0.05; echo x"),
        ] {
            let result = try await command.input(input).capture()
            #expect(result.inputLeft > 9_000_000 && result.inputLeft <= input.count)
            #expect(try await command.input(input).output(.discard).run().inputLeft > 9_000_000)
        }
        let all = try await Command.testChild("cat").input(input).output(.discard).capture()
        #expect(all.inputLeft == 0)
        for try await line in Command.script("echo x").input(input).lines() { #expect(line == "x") }
    }

    @Test("The end of standard error is in the error")
    func complaints() async throws {
        let error = try await #require(throws: CommandError.self) {
            try await Command.script("cat >/dev/null; echo why >&2; exit 2").withInput { try await $0.write("x") }
        }
        #expect(error.result.error.text == "why\n")
    }
}
