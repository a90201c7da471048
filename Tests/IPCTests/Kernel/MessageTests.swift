// Messages over a stream: received one by one, as a sequence and as spans, with errors that lose nothing.
import Testing

@testable import IPC

@Suite(.guarded)
struct MessageTests {
    @Test("S-52: messages go through a pipe in every framing", arguments: framings)
    func throughPipe(_ framing: Framing) async throws {
        try await runOnLoop {
            let pipe = try AnonymousPipe()
            let messages = framing == .untilEnd ? ["all there is\n"] : ["one\n", "", ".dot\n", "three\n"]
            let isText = if case .dotTerminated = framing.form { true } else { false }
            for message in messages {
                let text = isText || framing == .untilEnd ? message : String(message.dropLast(message.isEmpty ? 0 : 1))
                try await pipe.writer.sendMessage(text, framedBy: framing)
            }
            try pipe.writer.close()
            var seen: [String] = []
            for try await message in pipe.reader.messages(framedBy: framing, timeout: .seconds(20)) {
                seen.append(String(decoding: message, as: UTF8.self).replacing("\r\n", with: "\n"))
            }
            let expected = isText || framing == .untilEnd ? messages : messages.map { $0.replacing("\n", with: "") }
            #expect(seen == expected)
        }
    }

    @Test("S-52: spans are given without a copy, many at once and across reads", arguments: Place.allCases)
    func spans(_ place: Place) async throws {
        try await place.run {
            let pipe = try AnonymousPipe()
            let framing = Framing.lengthPrefixed(by: UInt16.self)
            async let sum = {
                var sum = 0
                let count = try await pipe.reader.forEachMessage(framedBy: framing) { sum += $0.byteCount }
                return (count, sum)
            }()
            for length in 0..<2000 {
                try await pipe.writer.sendMessage([UInt8](repeating: 1, count: length), framedBy: framing)
            }
            try pipe.writer.close()
            let (count, bytes) = try await sum
            #expect(count == 2000)
            #expect(bytes == 1999 * 1000)
        }
    }

    @Test("P45: a message that comes byte by byte is one message; a limit of time takes nothing of it")
    func dribbled() async throws {
        let pipe = try AnonymousPipe()
        let framing = Framing.delimiter([13, 10, 13, 10])
        try await pipe.writer.write("GET /\r\n")
        let error = await failure {
            _ = try await pipe.reader.receiveMessage(framedBy: framing, timeout: .milliseconds(20))
        }
        #expect(error is TimeoutError)
        for byte in "Host: x\r\n\r\nrest".utf8 { try await pipe.writer.write([byte]) }
        let message = try await pipe.reader.receiveMessage(framedBy: framing, timeout: .seconds(20))
        #expect(message.map { String(decoding: $0, as: UTF8.self) } == "GET /\r\nHost: x")
        #expect(try await pipe.reader.read(upTo: 10) == Array("rest".utf8))
    }

    @Test("I2: what is wrong with a message is said in one line, and its bytes can still be read")
    func errors() async throws {
        let pipe = try AnonymousPipe()
        try await pipe.writer.write([0, 9, 1, 2])
        let framing = Framing.lengthPrefixed(by: UInt16.self)
        let long = await failure { _ = try await pipe.reader.receiveMessage(framedBy: framing, limit: 8) }
        #expect("\(long.map { "\($0)" } ?? "")" == "message on pipe: longer than 8 bytes")
        try pipe.writer.close()
        let cut = await failure { _ = try await pipe.reader.receiveMessage(framedBy: framing) }
        #expect(cut as? FramingError == FramingError(.truncated, on: "pipe", at: 4))
        #expect(try await pipe.reader.readAll(limit: 10) == [0, 9, 1, 2])

        let other = try AnonymousPipe()
        let refused = await failure { try await other.writer.sendMessage("a\nb", framedBy: .lines) }
        #expect(refused as? FramingError == FramingError(.notRepresentable, on: "pipe", at: 1))
        let tooLong = await failure {
            try await other.writer.sendMessage(
                [UInt8](repeating: 0, count: 256), framedBy: .lengthPrefixed(by: UInt8.self))
        }
        #expect(tooLong as? FramingError == FramingError(.messageTooLong, on: "pipe", at: 255))
        #expect(try other.bytesInside == 0)
    }

    @Test("A body that throws has taken its message and those before it, and no other")
    func bodyThrows() async throws {
        let pipe = try AnonymousPipe()
        for message in ["a", "b", "c"] { try await pipe.writer.sendMessage(message, framedBy: .nullTerminated) }
        var number = 0
        _ = await failure {
            try await pipe.reader.forEachMessage(framedBy: .nullTerminated) { _ in
                number += 1
                if number == 2 { throw CancellationError() }
            }
        }
        #expect(try await pipe.reader.receiveMessage(framedBy: .nullTerminated) == Array("c".utf8))
    }

    @Test("A cancelled task takes no message though one is there", arguments: Place.allCases)
    func cancelled(_ place: Place) async throws {
        try await place.run {
            let pipe = try AnonymousPipe()
            try await pipe.writer.sendMessage("here", framedBy: .lines)
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await pipe.reader.receiveMessage(framedBy: .lines)
            }
            #expect(await failure { _ = try await task.value } is CancellationError)
            #expect(try await pipe.reader.receiveMessage(framedBy: .lines) == Array("here".utf8))
        }
    }
}
