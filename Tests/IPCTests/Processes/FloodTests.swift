// Full pipes in all directions at once: everything arrives, in bounded memory, and nobody waits for ever.
import IPC
import Testing

@Suite(.guarded)
struct FloodTests {
    @Test(
        "P21: ten megabytes to each output before ten megabytes of input are read: all arrive",
        arguments: Place.allCases)
    func captured(_ place: Place) async throws {
        var chance = Chance(seed: 3)
        let block = chance.bytes(100_003)
        let input = (0..<100).flatMap { _ in block }
        let result = try await place.run {
            try await Command.testChild("flood-then-cat", 10_000_000).input(input).capture(limit: .unlimited)
        }
        expectSame(result.error.bytes, floodedBytes(10_000_000))
        expectSame(result.output.bytes, floodedBytes(10_000_000) + input)
        #expect(result.inputLeft == 0)
    }

    @Test("P22: a program that floods one output while nobody looks at the other is not held up")
    func oneSided() async throws {
        let result = try await Command.testChild("flood", "err", 10_000_000).capture(
            limit: .keeping(head: 10, tail: 10))
        #expect(result.error.count == 10_000_000)
        #expect(result.output.count == 0)
        try await Command.testChild("flood", "err", 10_000_000).error(.discard).run()
        let text = try await Command.script(#""$0" flood err 3000000; echo done"#).read()
        #expect(text == "done")
        var lines: [String] = []
        for try await line in Command.script(#""$0" flood err 3000000; echo done"#).lines() { lines.append(line) }
        #expect(lines == ["done"])
    }

    @Test(
        "P21: twenty megabytes each way through a handle, with bounded memory",
        arguments: [Place.eventLoop, .globalPool])
    func streamed(_ place: Place) async throws {
        resetPeakMemory()
        let before = peakMemory()
        try await place.run {
            let child = try await Command.testChild("flood-then-cat", 20_000_000).input(.pipe).output(.pipe).error(
                .pipe
            ).start()
            async let written = feed(child.standardInput, seed: 5, megabytes: 20)
            async let complaints = drain(child.standardError)
            let output = try #require(child.standardOutput)
            let flood = try await digest(of: output, count: 20_000_000)
            let echoed = try await digest(of: output, count: nil)
            #expect(flood == Digest(of: floodedBytes(20_000_000)))
            #expect(echoed == (try await written))
            #expect(try await complaints == flood)
            #expect(try await child.wait().isSuccess)
        }
        // The reference above is the test's own; what else came was never there as a whole.
        #expect(peakMemory() - before < 64 << 20 || Sanitizer.keepsFreedMemory)
    }

    private func feed(_ writer: ByteWriter?, seed: UInt64, megabytes: Int) async throws -> Digest {
        var chance = Chance(seed: seed)
        let writer = try #require(writer)
        var digest = Digest()
        let block = chance.bytes(1_000_000)
        for number in 0..<megabytes {
            let piece = Array(block[(number * 1_000)...] + block[..<(number * 1_000)])
            try await writer.write(piece)
            digest.add(piece)
        }
        try writer.close()
        return digest
    }

    private func drain(_ reader: ByteReader?) async throws -> Digest {
        try await digest(of: try #require(reader), count: nil)
    }

    private func digest(of reader: ByteReader, count: Int?) async throws -> Digest {
        var digest = Digest()
        while digest.count < count ?? .max {
            let bytes = try await reader.read(upTo: min(65_536, (count ?? .max) - digest.count))
            if bytes.isEmpty { break }
            digest.add(bytes)
        }
        return digest
    }

    private func peakMemory() -> Int {
        let lines = (Folder.text(of: "/proc/self/status") ?? "").split(separator: "\n")
        let line = lines.first { $0.hasPrefix("VmHWM:") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? 0) * 1024
    }

    private func resetPeakMemory() { Folder.write("5", to: "/proc/self/clear_refs") }
}

/// What a stream of bytes was, without the bytes.
private struct Digest: Equatable {
    var count = 0
    private var value: UInt64 = 14_695_981_039_346_656_037
    private var pending: [UInt8] = []

    init() {}

    init(of bytes: [UInt8]) { add(bytes) }

    /// FNV-1a over words of eight bytes, so that a debug build is not slow at it.
    mutating func add(_ bytes: [UInt8]) {
        count += bytes.count
        pending += bytes
        let whole = pending.count / 8 * 8
        pending.withUnsafeBytes { raw in
            for offset in stride(from: 0, to: whole, by: 8) {
                value = (value ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 1_099_511_628_211
            }
        }
        pending.removeFirst(whole)
    }
}
