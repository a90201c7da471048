// The tour's stops for terminals.
import IPC

extension Tour {
    static let onTerminal = TourStop("a filter that buffers, on a terminal") {
        try await Command("tr", "a-z", "A-Z").withTerminal { tr in
            for word in ["stuff", "more"] {
                try await tr.send(line: word)
                let match = try await tr.expect(.pattern(#"(\w+)\r\n"#))
                try TourError.expect("the answer", match.captures, [word.uppercased()])
            }
        }
        return "tr answered each line at once, as it never does on a pipe"
    }

    static let password = TourStop("a password, asked for on /dev/tty") {
        let script = """
            exec </dev/tty >/dev/tty; stty -echo; printf 'Password: '; read -r word; stty echo; echo
            [ "$word" = swordfish ] && echo 'Last login: today'
            """
        let log = try await Command("sh", "-c", script).withTerminal(echo: true) { session in
            var log = session.log()
            var shown = log.text(of: try await session.expect(.pattern("(?i)password: ")).bytes)
            try await session.send(line: Secret("swordfish"))
            shown += log.text(of: try await session.expect(.end).bytesBefore) + log.finish()
            return shown
        }
        try TourError.expect("what was shown", log, "Password: \nLast login: today\n")
        return "typed where nobody saw it: \(log.split(separator: "\n").joined(separator: ", "))"
    }

    static let replay = TourStop("a session that is recorded and played again") {
        try await inFolder { folder in
            let file = folder.appending("session.cast")
            func talk(_ session: TerminalSession) async throws -> String? {
                try await session.expect("name? ")
                try await session.send(line: "tour")
                let hello = try await session.expect(.pattern(#"hello (\w+)"#))
                return hello.captures[0]
            }
            let program = Command("sh", "-c", #"printf 'name? '; read n; echo "hello $n""#)
            let live = try await program.withTerminal(recording: .asciicast(file, input: true)) { try await talk($0) }
            let transcript = try await TerminalTranscript(asciicast: file)
            let again = try await transcript.withReplay { try await talk($0) }
            try TourError.expect("the conversations", [live, again], ["tour", "tour"])
            return "\(transcript.events.count) events; the replay took the program's place"
        }
    }
}
