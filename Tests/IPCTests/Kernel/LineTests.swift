import Testing

// Lines: where they end, what is taken off, what is refused, and that nothing refused is lost.
@testable import IPC

@Suite(.guarded)
struct LineTests {
    private func lines(
        of text: String, keepingEnds: Bool = false, limit: Int = 1 << 20, _ place: Place = .eventLoop
    ) async throws -> [String] {
        try await place.run {
            let reader = try await filled(Array(text.utf8))
            var lines: [String] = []
            while let line = try await reader.readLine(keepingEnds: keepingEnds, limit: limit) { lines.append(line) }
            #expect(reader.linesRead == lines.count)
            return lines
        }
    }

    @Test(arguments: Place.allCases)
    func linesEndWithLineFeedOrCarriageReturnLineFeedOrTheStream(_ place: Place) async throws {
        #expect(try await lines(of: "", place) == [])
        #expect(try await lines(of: "\n", place) == [""])
        #expect(try await lines(of: "a\nb\n", place) == ["a", "b"])
        #expect(try await lines(of: "a\r\n\r\nb", place) == ["a", "", "b"])
        #expect(try await lines(of: "a\n\n\nb\n\n", place) == ["a", "", "", "b", ""])
        #expect(try await lines(of: "a\rb\n\rc\r\r\n", place) == ["a\rb", "\rc\r"])
        #expect(try await lines(of: "last\r", place) == ["last\r"], "a CR that no LF follows is text")
    }

    @Test(arguments: Place.allCases)
    func keptEndsAddUpToTheStream(_ place: Place) async throws {
        let text = "a\r\n\nb\r\r\nc\nlast"
        let lines = try await lines(of: text, keepingEnds: true, place)
        #expect(lines == ["a\r\n", "\n", "b\r\r\n", "c\n", "last"])
        #expect(lines.joined() == text)
    }

    @Test func nullAndOtherControlCharactersAreText() async throws {
        #expect(
            try await lines(of: "a\0b\n\0\n\u{c}\u{b}\u{85}\u{2028}\n") == ["a\0b", "\0", "\u{c}\u{b}\u{85}\u{2028}"])
    }

    @Test(arguments: Place.allCases)
    func aLineIsGivenAsSoonAsItIsThere(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            async let line = pipe.reader.readLine()
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            try await pipe.writer.write("half ")
            for _ in 0..<3 { await Task.yield() }
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            try await pipe.writer.write("whole\nnext")
            #expect(try await line == "half whole")
        }
    }

    @Test(arguments: Place.allCases)
    func aTimeoutOrCancellationInTheMiddleOfALineLosesNothing(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            try await pipe.writer.write("be")
            let timedOut = await failure { _ = try await pipe.reader.readLine(timeout: .milliseconds(1)) }
            #expect(timedOut as? TimeoutError == TimeoutError("read", on: "pipe", limit: .milliseconds(1)))
            let byDeadline = await failure { _ = try await pipe.reader.readLine(deadline: Deadline(in: .zero)) }
            #expect(byDeadline is TimeoutError)
            try await pipe.writer.write("gin")
            let task = Task(executorPreference: EventLoop.current) {
                await failure { _ = try await pipe.reader.readLine() }
            }
            try await untilSomeoneWaits(on: pipe.reader.descriptor)
            task.cancel()
            #expect(await task.value is CancellationError)
            try await pipe.writer.write("ning\n")
            #expect(try await pipe.reader.readLine() == "beginning")
        }
    }

    @Test func aCancelledTaskTakesNoLineThoughOneIsThere() async throws {
        let reader = try await filled(Array("a\nb\n".utf8))
        #expect(try await reader.readLine() == "a")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await failure { _ = try await reader.readLine() }
        }
        #expect(await task.value is CancellationError)
        #expect(try await reader.readLine() == "b")
    }

    // MARK: Limits

    @Test(arguments: Place.allCases)
    func aLineAsLongAsItsLimitIsReadAndALongerOneIsRefusedAndStaysReadable(_ place: Place) async throws {
        try await place.run {
            for limit in [0, 1, 10, 70_000] {
                let exact = String(repeating: "x", count: limit)
                for end in ["\n", "\r\n", ""] where limit > 0 || end != "" {
                    let fitting = try await filled(Array("\(exact)\(end)".utf8))
                    #expect(try await fitting.readLine(limit: limit) == exact)
                    let tooLong = try await filled(Array("ok\n\(exact)y\(end)".utf8))
                    #expect(try await tooLong.readLine() == "ok")
                    for _ in 0..<2 {
                        let error = await failure { _ = try await tooLong.readLine(limit: limit) }
                        #expect(error as? ReadError == ReadError(.lineTooLong, subject: "pipe", line: 2, offset: limit))
                    }
                    #expect(try await tooLong.readAll(limit: .max) == Array("\(exact)y\(end)".utf8))
                }
            }
        }
    }

    @Test(arguments: Place.allCases)
    func aLineThatHasNoEndIsRefusedOnceItIsTooLongThoughMoreCouldCome(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            try await pipe.writer.write("0123456789ab")
            let error = await failure { _ = try await pipe.reader.readLine(limit: 10, timeout: .seconds(50)) }
            #expect((error as? ReadError)?.kind == .lineTooLong)
            let spans = await failure {
                _ = try await pipe.reader.forEachLine(limit: 10, timeout: .seconds(50)) { _ in }
            }
            #expect((spans as? ReadError)?.kind == .lineTooLong)
            #expect(try await pipe.reader.read(upTo: 99) == Array("0123456789ab".utf8))
        }
    }

    @Test func noLimitIsALimitToo() async throws {
        #expect(try await lines(of: "a\nb", limit: .max) == ["a", "b"])
        let reader = try await filled(Array("a\nb".utf8))
        #expect(try await reader.forEachLine(limit: .max) { _ in } == 2)
    }

    // MARK: Text

    @Test(arguments: Place.allCases)
    func bytesThatAreNotUTF8AreAnErrorWithLineAndOffsetAndCanThenBeRepaired(_ place: Place) async throws {
        let bytes = Array("good\nb".utf8) + [0xc3, 0xa4, 0xff, 0x62] + Array("\nlast ".utf8) + [0xe2, 0x82]
        try await place.run {
            let reader = try await filled(bytes)
            #expect(try await reader.readLine() == "good")
            for _ in 0..<2 {
                let error = await failure { _ = try await reader.readLine() }
                #expect(error as? ReadError == ReadError(.invalidText, subject: "pipe", line: 2, offset: 3))
            }
            #expect(try await reader.readLine(decoding: .repair) == "bä\u{fffd}b")
            let error = await failure { _ = try await reader.readLine() }
            #expect(error as? ReadError == ReadError(.invalidText, subject: "pipe", line: 3, offset: 5))
            #expect(try await reader.readAll(limit: 99) == Array("last ".utf8) + [0xe2, 0x82])
        }
    }

    @Test(
        arguments: [
            ([0x80], 0), ([0x61, 0xc0, 0xaf], 1), ([0xed, 0xa0, 0x80], 0), ([0xf4, 0x90, 0x80, 0x80], 0),
            ([0x61, 0x62, 0xe2, 0x82], 2), ([0xf0, 0x9f, 0x98, 0x80, 0xfe], 4), ([0x61, 0xf5], 1),
            (Array(repeating: 0x61, count: 100) + [0xff], 100),
        ] as [([UInt8], Int)])
    func theOffsetIsThatOfTheFirstByteThatIsWrong(_ bytes: [UInt8], _ offset: Int) async throws {
        let reader = try await filled(bytes + [10])
        let error = await failure { _ = try await reader.readLine() }
        #expect(error as? ReadError == ReadError(.invalidText, subject: "pipe", line: 1, offset: offset))
    }

    @Test(arguments: Place.allCases)
    func aCharacterSplitBetweenTwoReadsIsOneCharacter(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        try await place.run {
            async let line = pipe.reader.readLine()
            for byte in "ä€😀\n".utf8 {
                try await untilSomeoneWaits(on: pipe.reader.descriptor)
                try await pipe.writer.write([byte])
                for _ in 0..<3 { await Task.yield() }
            }
            #expect(try await line == "ä€😀")
        }
    }
}
