// Recordings and their replay, and output made visible.
import Testing

@testable import IPC

@Suite(.guarded)
struct RecordingTests {
    private let limit = Duration.seconds(20)

    private func converse(_ session: TerminalSession) async throws -> String {
        try await session.expect("name: ", timeout: limit)
        try await session.send(line: "wörld")
        return try await session.expect(.pattern(#"hello (.*)\r\n"#), timeout: limit).captures[0] ?? ""
    }

    @Test("A recorded conversation takes the program's place in a test; another answer is an error that says so")
    func replayed() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("cast")
            let script = #"printf 'name: '; read name; echo "hello $name"; printf '\303'; sleep 0.05; printf '\244'"#
            let command = Command("sh", "-c", script)
            let spoken = try await command.withTerminal(recording: .asciicast(file, input: true)) { session in
                let spoken = try await converse(session)
                try session.setSize(TerminalSize(rows: 10, columns: 20))
                try await session.wait(timeout: limit)
                return spoken
            }
            #expect(spoken == "wörld")
            let transcript = try await TerminalTranscript(asciicast: file)
            #expect(transcript.size == .standard)
            let shown = transcript.events.map { if case .shown(let text) = $0.kind { text } else { "" } }
            #expect(shown.joined() == "name: hello wörld\r\nä")
            #expect(transcript.events.contains { $0.kind == .typed("wörld\r") })
            #expect(transcript.events.contains { $0.kind == .resized(TerminalSize(rows: 10, columns: 20)) })
            #expect(try await transcript.withReplay { try await converse($0) } == "wörld")
            #expect(try await transcript.withReplay(speed: 10) { try await converse($0) } == "wörld")
            let error = await #expect(throws: TerminalError.self) {
                try await transcript.withReplay { session in
                    try await session.expect("name: ", timeout: limit)
                    try await session.send(line: "mars")
                    try await session.expect("hello", timeout: limit)
                    return
                }
            }
            #expect(error?.kind == .recordingDiffers)
            let parsed = try await Command(
                "python3", "-c", "import json,sys; [json.loads(l) for l in open(sys.argv[1])]", file
            )
            .unchecked().run()
            #expect(parsed.status == .exited(0))
        }
    }

    @Test("A secret's place in a recording is a mark, for which a replay takes any line")
    func secrets() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("cast")
            let command = Command("sh", "-c", "stty -echo; printf 'pass: '; read -r word; echo fine")
            func login(_ session: TerminalSession, _ word: String) async throws {
                try await session.expect("pass: ", timeout: limit)
                try await session.send(line: Secret(word), timeout: limit)
                try await session.expect("fine", timeout: limit)
            }
            try await command.withTerminal(recording: .asciicast(file, input: true)) { try await login($0, "first") }
            try await TerminalTranscript(asciicast: file).withReplay { try await login($0, "another") }
        }
    }

    @Test func whatIsNoRecordingSaysWhichLine() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("cast")
            for (text, line) in [
                ("", 1), ("nonsense", 1), (#"{"version": 1, "width": 1, "height": 1}"#, 1),
                ("{\"version\": 2, \"width\": 80, \"height\": 24}\n[0.1, \"o\", \"x\"]\n[1, 2]\n", 3),
                (
                    "{\"version\": 2, \"width\": 80, \"height\": 24}\n[0.1, \"o\", \"\\ud83d\\ude00\"]\n[-1, \"o\", \"\"]",
                    3
                ),
            ] {
                try await Command("tee", file).input(text).output(.discard).run()
                let error = await #expect(throws: TerminalError.self) { try await TerminalTranscript(asciicast: file) }
                #expect(error?.detail == "line \(line) is none of an asciicast v2")
            }
        }
    }

    @Test("T13: nothing in a text log commands the terminal that shows it")
    func visible() throws {
        let text = Array("a\r\nb\rc\u{1B}[2J\u{7}\u{9B}31m\u{202E}x\u{7F}\0\té".utf8) + [0xFF, 0xC3]
        let expected = "a\nb^Mc^[[2J^G\\u{9b}31m\\u{202e}x^?^@\té\\xff\\xc3"
        #expect(VisibleText.of(text) == expected)
        for cut in 0...text.count {
            var shower = VisibleText.Shower()
            let shown = shower.show(text[..<cut]) + shower.show(text[cut...], isEnd: true)
            #expect(shown == expected)
        }
    }

    @Test("A recording that cannot be written is an error, once the conversation is over")
    func fullDisk() async throws {
        let error = await #expect(throws: SystemError.self) {
            let command = Command("echo", "x")
            try await command.withTerminal(recording: .text("/dev/full")) { session in
                try await session.wait(timeout: limit)
                return
            }
        }
        #expect(error?.errno == .noSpace)
    }

    @Test("A replay is over when its events are, and when the body is, whichever comes first")
    func replayEnds() async throws {
        let began = ContinuousClock.now
        let late = TerminalTranscript(events: [.init(time: .seconds(1000), kind: .shown("x"))])
        try await late.withReplay(speed: 1) { session in try session.setSize(.standard) }
        let short = TerminalTranscript(events: [.init(time: .zero, kind: .shown("bye"))])
        let (seen, status) = try await short.withReplay { session in
            (try await session.expect(.end, timeout: limit).before, try await session.wait(timeout: limit))
        }
        #expect(seen == "bye" && status == .exited(0))
        #expect(ContinuousClock.now - began < .seconds(15))
    }

    @Test(
        "A recording is for its owner alone, also over a file that was not; a character that is typed in two parts is one"
    )
    func privateAndWhole() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("cast")
            try await Command("sh", "-c", #"umask 022; echo old >"$0""#, file).run()
            try await Command("cat").withTerminal(recording: .asciicast(file, input: true)) { session in
                try await session.send([0xC3])
                try await session.send([0xA9, 13])
                try await session.expect("é", timeout: limit)
            }
            #expect(try await Command("stat", "-c", "%a", file).read() == "600")
            let events = try await TerminalTranscript(asciicast: file).events
            #expect(events.contains { $0.kind == .typed("é\r") })
            try await Command("ln", "-s", "cast", folder.appending("link")).run()
            await #expect(throws: SystemError.self) {
                try await Command("true").withTerminal(recording: .text(folder.appending("link"))) { _ in }
            }
        }
    }
}
