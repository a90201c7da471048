// Watching what a program writes while it is kept.
import IPC
import Synchronization
import Testing

/// What was observed of each stream, in pieces.
private final class Seen: Sendable {
    private let pieces = Mutex<(output: [[UInt8]], error: [[UInt8]])>(([], []))

    func add(_ stream: Command.OutputStream, _ bytes: [UInt8]) {
        pieces.withLock { if stream == .output { $0.output.append(bytes) } else { $0.error.append(bytes) } }
    }

    var output: [[UInt8]] { pieces.withLock { $0.output } }
    var error: [[UInt8]] { pieces.withLock { $0.error } }
}

@Suite("Observing output", .guarded)
struct ObservingTests {
    @Test("Each piece is told as it comes, before the program has ended, wherever it runs", arguments: Place.allCases)
    func piecesAsTheyCome(_ place: Place) async throws {
        let seen = Seen()
        let pipe = try AnonymousPipe()
        let command = Command.script("echo one; echo warn >&2; read answer <&3; echo $answer")
            .passing(pipe.reader, as: 3).observingOutput { stream, bytes in
                seen.add(stream, bytes)
                // The program goes on only once its first line was told.
                if stream == .output, seen.output.count == 1 { Task { try await pipe.writer.write("two\n") } }
            }
        let result = try await place.run { try await command.capture(timeout: .seconds(20)) }
        try pipe.writer.close()
        #expect(seen.output.map { String(decoding: $0, as: UTF8.self) } == ["one\n", "two\n"])
        #expect(seen.error.map { String(decoding: $0, as: UTF8.self) } == ["warn\n"])
        #expect(result.output.text == "one\ntwo\n")
    }

    @Test("What is beyond the limit is told too, and the forms that keep only standard error tell that")
    func beyondLimits() async throws {
        let seen = Seen()
        let command = Command.script("head -c 300000 /dev/zero; echo why >&2").observingOutput(seen.add)
        let result = try await command.capture(limit: .keeping(head: 10, tail: 10))
        #expect(result.output.count == 300_000 && seen.output.map(\.count).reduce(0, +) == 300_000)
        #expect(seen.error == [Array("why\n".utf8)])

        let other = Seen()
        for try await _ in Command.script("echo out; echo why >&2").observingOutput(other.add).lines() {}
        #expect(other.output.isEmpty && other.error == [Array("why\n".utf8)])
    }

    @Test("In a pipeline the last stage tells the output, and each its standard error")
    func pipeline() async throws {
        let (first, last) = (Seen(), Seen())
        let pipeline = Command.script("echo a; echo first >&2").observingOutput(first.add)
            .piped(to: Command.script("cat; echo last >&2").observingOutput(last.add))
        #expect(try await pipeline.capture().output.text == "a\n")
        #expect(first.output.isEmpty && first.error == [Array("first\n".utf8)])
        #expect(last.output == [Array("a\n".utf8)] && last.error == [Array("last\n".utf8)])
    }
}
