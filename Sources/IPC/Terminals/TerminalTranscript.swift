// A recorded session, and its replay in place of the program.
public import SystemPackage

/// A session that was recorded as an asciicast: what was shown and typed, and when.
///
/// In a test it takes the program's place: what was shown is shown again, and what was typed is waited for.
public struct TerminalTranscript: Sendable {
    /// One thing that happened.
    public struct Event: Sendable, Hashable {
        /// What happened.
        public enum Kind: Sendable, Hashable {
            /// A text was shown.
            case shown(String)
            /// A text was typed.
            case typed(String)
            /// A secret was typed, which the recording does not have.
            case typedSecret
            /// The window became another size.
            case resized(TerminalSize)
            /// A mark of another kind.
            case mark(String)
        }

        /// When, from the beginning of the recording on.
        public let time: Duration
        /// What happened.
        public let kind: Kind
    }

    static let secretMark = "secret"

    /// The size of the window at the beginning.
    public let size: TerminalSize
    /// What happened, in order.
    public let events: [Event]

    /// Describes a session.
    public init(size: TerminalSize = .standard, events: [Event]) { (self.size, self.events) = (size, events) }

    /// Reads a recording, at most 64 MiB.
    ///
    /// - Throws: ``TerminalError`` with `recordingDiffers`, which says which line is none of an asciicast v2;
    ///   ``SystemError``, ``ReadError``.
    public init(asciicast path: FilePath) async throws {
        let reader = try ByteReader(Descriptor.open(path, for: .read))
        defer { reader.close() }
        let text = String(decoding: try await reader.readAll(limit: 64 << 20), as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        func defect(_ number: Int) -> TerminalError {
            TerminalError(.recordingDiffers, "read", on: "\(path)", detail: "line \(number) is none of an asciicast v2")
        }
        guard let first = lines.first, case .object(let header) = JSONText.parse(String(first)),
            case .number(2) = header["version"], case .number(let width) = header["width"],
            case .number(let height) = header["height"], 0...65535 ~= width, 0...65535 ~= height
        else { throw defect(1) }
        size = TerminalSize(rows: Int(height), columns: Int(width))
        var events: [Event] = []
        for (index, line) in lines.enumerated().dropFirst() where !line.isEmpty {
            guard case .array(let parts) = JSONText.parse(String(line)), parts.count == 3,
                case .number(let seconds) = parts[0], case .string(let code) = parts[1],
                case .string(let data) = parts[2], 0...1e9 ~= seconds
            else { throw defect(index + 1) }
            events.append(Event(time: .microseconds(Int64(seconds * 1e6)), kind: Event.Kind(code, data)))
        }
        self.events = events
    }

    /// Runs a body with a session in which the recording takes the program's place.
    ///
    /// What was shown is shown, what was typed must be typed at its place, byte for byte; for a secret any line will do. The
    /// window's changes are not repeated.
    ///
    /// - Parameters:
    ///   - speed: 1 for the pace of the recording, 10 for ten times that; as fast as it goes for `nil`.
    ///   - body: talks with what was recorded as if it were the program.
    /// - Throws: ``TerminalError`` with `recordingDiffers` if something else is typed than was recorded; what the body throws.
    public func withReplay<Result>(
        speed: Double? = nil, _ body: (TerminalSession) async throws -> Result
    ) async throws -> Result {
        let terminal = try PseudoTerminal(size: size) { $0.makeRaw() }
        let session = TerminalSession(terminal, name: "replay", child: nil, bufferLimit: 1 << 20, recorder: nil)
        let player = TranscriptPlayer(transcript: self, speed: speed, side: DescriptorBox(try terminal.openOtherSide()))
        let played = Task.detached(executorPreference: EventLoop.current) {
            let outcome: Swift.Result<Void, any Error>
            do { outcome = .success(try await player.play()) } catch { outcome = .failure(error) }
            // The program is over, as it were.
            terminal.output.descriptor.endWhenEmpty()
            try outcome.get()
        }
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(session)) } catch { outcome = .failure(error) }
        terminal.close()
        played.cancel()
        do { try await played.value } catch let error as TerminalError { throw error } catch {}
        return try outcome.get()
    }
}

extension TerminalTranscript.Event.Kind {
    fileprivate init(_ code: String, _ data: String) {
        let sides = data.split(separator: "x").compactMap { Int($0) }
        switch code {
        case "o": self = .shown(data)
        case "i": self = .typed(data)
        case "m" where data == TerminalTranscript.secretMark: self = .typedSecret
        case "r" where sides.count == 2: self = .resized(TerminalSize(rows: sides[1], columns: sides[0]))
        default: self = .mark(data)
        }
    }
}

/// The program of a replayed session.
private struct TranscriptPlayer: Sendable {
    let transcript: TerminalTranscript
    let speed: Double?
    let side: DescriptorBox

    /// Plays to the end, or until the terminal is hung up.
    func play() async throws {
        let screen = try ByteWriter(side.descriptor.duplicate())
        let keyboard = try ByteReader(side.descriptor.duplicate())
        defer {
            try? screen.close()
            keyboard.close()
        }
        let began = ContinuousClock.now
        for event in transcript.events {
            if let speed, speed > 0 {
                let elapsed = ContinuousClock.now - began
                try await EventLoop.sleep(until: Deadline(in: event.time / speed - elapsed))
            }
            switch event.kind {
            case .shown(let text): try await screen.write(text)
            case .typed(let text): try await compare(Array(text.utf8), with: keyboard)
            case .typedSecret: while let byte = try await next(keyboard), byte != 13, byte != 10 {}
            case .resized, .mark: break
            }
        }
    }

    private func next(_ keyboard: ByteReader) async throws -> UInt8? { try await keyboard.read(upTo: 1).first }

    private func compare(_ expected: [UInt8], with keyboard: ByteReader) async throws {
        var typed: [UInt8] = []
        while typed.count < expected.count {
            let piece = try await keyboard.read(upTo: expected.count - typed.count)
            if piece.isEmpty { return }  // hung up
            typed += piece
            guard expected.starts(with: typed) else {
                throw TerminalError(
                    .recordingDiffers, "send to", on: "replay",
                    detail: "\(VisibleText.quoted(typed)) instead of \(VisibleText.quoted(expected))")
            }
        }
    }
}
