import Testing

// The three ways through a stream's lines give the same lines, however the bytes arrive.
@testable import IPC

@Suite(.guarded)
struct LineSequenceTests {
    /// Lines split off one byte after the other: slow, and plainly right.
    private static func reference(_ bytes: [UInt8], keepingEnds: Bool) -> [[UInt8]] {
        var (lines, line) = ([[UInt8]](), [UInt8]())
        for byte in bytes {
            line.append(byte)
            guard byte == 10 else { continue }
            if !keepingEnds {
                line.removeLast()
                if line.last == 13 { line.removeLast() }
            }
            lines.append(line)
            line = []
        }
        return line.isEmpty ? lines : lines + [line]
    }

    /// Text in which line ends, CRs, empty lines and longer pieces are all frequent.
    private static func text(_ chance: inout Chance, longest: Int) -> [UInt8] {
        (0..<Int.random(in: 0..<60, using: &chance)).flatMap { _ -> [UInt8] in
            switch Int.random(in: 0..<8, using: &chance) {
            case 0: [10]
            case 1: [13, 10]
            case 2: [13]
            case 3: [UInt8](repeating: 0x78, count: Int.random(in: 0..<longest, using: &chance))
            default: Array("some text ä€".utf8)
            }
        }
    }

    private enum Way: CaseIterable {
        case readLine
        case sequence
        case spans

        func lines(of reader: ByteReader, keepingEnds: Bool) async throws -> [[UInt8]] {
            var lines: [[UInt8]] = []
            switch self {
            case .readLine:
                while let line = try await reader.readLine(keepingEnds: keepingEnds) { lines.append(Array(line.utf8)) }
            case .sequence:
                for try await line in reader.lines(keepingEnds: keepingEnds) { lines.append(Array(line.utf8)) }
            case .spans:
                let count = try await reader.forEachLine(keepingEnds: keepingEnds) { line in
                    lines.append(line.withUnsafeBytes { Array($0) })
                }
                #expect(count == lines.count)
            }
            #expect(reader.linesRead == lines.count)
            return lines
        }
    }

    @Test(arguments: Place.allCases)
    func allWaysGiveTheReferencesLinesHoweverTheBytesAreSplit(_ place: Place) async throws {
        try await place.run {
            var chance = Chance(seed: 11)
            for round in 0..<40 {
                let mostAtOnce = [1, 7, 100, 5_000][round % 4]
                let bytes = Self.text(&chance, longest: mostAtOnce * 10)
                let keepingEnds = round % 2 == 0
                let expected = Self.reference(bytes, keepingEnds: keepingEnds)
                for way in Way.allCases {
                    let pipe = try AnonymousPipe(capacity: 4096)
                    async let lines = way.lines(of: pipe.reader, keepingEnds: keepingEnds)
                    var start = 0
                    while start < bytes.count {
                        let end = min(bytes.count, start + Int.random(in: 1...mostAtOnce, using: &chance))
                        try await pipe.writer.write(Array(bytes[start..<end]))
                        if Bool.random(using: &chance) { await Task.yield() }
                        start = end
                    }
                    try pipe.writer.close()
                    let found = try await lines
                    guard found == expected else {
                        Issue.record("round \(round), \(way): \(found.count) lines instead of \(expected.count)")
                        return
                    }
                }
            }
        }
    }

    @Test(arguments: Place.allCases)
    func leavingTheLoopEarlyLeavesTheRestReadable(_ place: Place) async throws {
        try await place.run {
            let reader = try await filled(Array("one\ntwo\nthree\nfour".utf8))
            for try await line in reader.lines() where line == "two" { break }
            for try await line in reader.lines() {
                #expect(line == "three")
                break
            }
            #expect(try await reader.read(upTo: 99) == Array("four".utf8))
        }
    }

    @Test(arguments: Place.allCases)
    func theTimeoutIsForEachLine(_ place: Place) async throws {
        let pipe = try AnonymousPipe()
        let (lines, error) = try await place.run {
            try await pipe.writer.write("a\nb\n")
            var lines: [String] = []
            let error = await failure {
                for try await line in pipe.reader.lines(timeout: .milliseconds(5)) {
                    lines.append(line)
                    if lines.count < 5 { try await pipe.writer.write("more\n") }
                }
            }
            return (lines, error)
        }
        #expect(lines.count == 6)
        #expect((error as? TimeoutError)?.limit == .milliseconds(5))
    }

    @Test(arguments: Place.allCases)
    func aBodyThatThrowsHasTakenItsLineAndNoneAfterIt(_ place: Place) async throws {
        try await place.run {
            let reader = try await filled(Array("one\ntwo\nthree\nfour".utf8))
            await #expect(throws: CancellationError.self) {
                try await reader.forEachLine { line in
                    if line.byteCount == 3, line.unsafeLoad(as: UInt8.self) == UInt8(ascii: "t") {
                        throw CancellationError()
                    }
                }
            }
            #expect(reader.linesRead == 2)
            #expect(try await reader.readLine() == "three")
            await #expect(throws: CancellationError.self) {
                try await reader.forEachLine { _ in throw CancellationError() }
            }
            #expect(try await reader.readLine() == nil)
            #expect(reader.linesRead == 4)
        }
    }

    @Test(arguments: Place.allCases)
    func spansRefuseALineThatIsTooLongAfterGivingThoseBeforeIt(_ place: Place) async throws {
        try await place.run {
            let reader = try await filled(Array("ok\nmuch too long\nok\n".utf8))
            var given = 0
            let error = await failure { try await reader.forEachLine(limit: 5) { _ in given += 1 } }
            #expect(given == 1)
            #expect(error as? ReadError == ReadError(.lineTooLong, subject: "pipe", line: 2, offset: 5))
            #expect(try await reader.readLine() == "much too long")
            #expect(try await reader.forEachLine(limit: 5) { _ in } == 1)
        }
    }

    @Test(arguments: Place.allCases)
    func cancellationEndsALoopOverLinesAndOneOverSpans(_ place: Place) async throws {
        for spans in [false, true] {
            let pipe = try AnonymousPipe()
            try await place.run {
                try await pipe.writer.write("line\npart")
                let task = Task(executorPreference: EventLoop.current) {
                    await failure {
                        if spans { try await pipe.reader.forEachLine { _ in } }
                        for try await _ in pipe.reader.lines() {}
                    }
                }
                try await untilSomeoneWaits(on: pipe.reader.descriptor)
                task.cancel()
                #expect(await task.value is CancellationError)
                #expect(pipe.reader.linesRead == 1)
                #expect(try await pipe.reader.read(upTo: 9) == Array("part".utf8))
            }
        }
    }

    @Test func linesReadCanBeAskedWhileAnotherReadsAndAfterTheClose() async throws {
        let reader = try await filled(Array("one\ntwo\n".utf8))
        var counts: [Int] = []
        try await reader.forEachLine { _ in counts.append(reader.linesRead) }
        #expect(counts == [1, 2])
        reader.close()
        #expect(reader.linesRead == 2)
    }
}
