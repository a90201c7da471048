// Secrets: typed where nobody sees them, and nowhere to be read afterwards.
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct SecretTests {
    private let limit = Duration.seconds(20)
    private let word = "s3cret-word"

    private let asking = """
        exec 3<>/dev/tty; old=$(stty -g <&3); stty -echo <&3; printf 'Password: ' >&3; read -r word <&3
        stty "$old" <&3; echo "got ${#word} of them"
        """

    @Test("T3: a password is asked for on /dev/tty and answered; it is in no recording")
    func asked() async throws {
        try await withTemporaryFolder { folder in
            let (cast, log) = (folder.appending("cast"), folder.appending("log"))
            for recording in [TerminalRecording.asciicast(cast, input: true), .text(log)] {
                let command = Command("sh", "-c", asking).input(.discard)
                try await command.withTerminal(echo: true, recording: recording) { session in
                    try await session.expect("Password: ", timeout: limit)
                    try await session.send(line: Secret(word), timeout: limit)
                    try await session.expect("got \(word.count) of them", timeout: limit)
                }
            }
            for file in [cast, log] {
                let text = try await Command("cat", file).read()
                #expect(text.contains("Password: "))
                #expect(!text.contains(word))
                #expect(try await Command("stat", "-c", "%a", file).read() == "600")
            }
        }
    }

    @Test("T3: a secret is not typed while the terminal shows what is typed")
    func echoing() async throws {
        let error = await #expect(throws: TerminalError.self) {
            let command = Command("cat")
            try await command.withTerminal(echo: true) { session in
                try await session.send(line: Secret(word), timeout: .milliseconds(200))
            }
        }
        #expect(error?.kind == .echoes)
        #expect(error.map { "\($0)".contains(word) } == false)
    }

    @Test("A program that turns showing off late is waited for")
    func late() async throws {
        let script = "printf 'Password: '; sleep 0.2; stty -echo; read -r word; stty echo; echo ${#word}"
        try await Command("sh", "-c", script).withTerminal(echo: true) { session in
            try await session.expect("Password: ", timeout: limit)
            try await session.send(line: Secret(word), timeout: limit)
            try await session.expect("\(word.count)\r\n", timeout: limit)
        }
    }

    @Test(
        "A program that shows the secret all the same is not quoted: not in errors, not in recordings, however it is cut"
    )
    func shownAllTheSame() async throws {
        try await withTemporaryFolder { folder in
            let log = folder.appending("log")
            let script =
                "stty -echo; printf ': '; read -r w; printf 'you said s3c'; sleep 0.1; echo ${w#s3c}; sleep 1000"
            let error = await #expect(throws: TimeoutError.self) {
                let command = Command("sh", "-c", script)
                try await command.withTerminal(recording: .text(log)) { session in
                    try await session.expect(": ", timeout: limit)
                    try await session.send(line: Secret(word), timeout: limit)
                    try await session.expect("nothing like \(word)", timeout: .milliseconds(600))
                    return
                }
            }
            let output = error.map { String(decoding: $0.output, as: UTF8.self) }
            #expect(output == "you said ••••••\r\n")
            #expect(error.map { "\($0)".contains(word) } == false)
            let text = try await Command("cat", log).read()
            #expect(text.contains("you said ••••••"))
            #expect(!text.contains(word) && !text.contains("s3c"))
        }
    }

    @Test("A secret is dots wherever it is printed")
    func printed() {
        let secret = Secret(word)
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!"\(secret) \(String(reflecting: secret)) \([secret]) \(dumped)".contains(word))
    }

    @Test("A secret taken from the environment is gone there: for children, and for those who look at this process")
    func environment() async throws {
        let name = "IPC_TEST_SECRET_\(getpid())"
        setenv(name, word, 1)
        let secret = try Secret(takingFromEnvironment: name)
        #expect(secret.bytes == Array(word.utf8))
        #expect(getenv(name) == nil)
        #expect(try await Command("env").read().contains(word) == false)
        let error = #expect(throws: TerminalError.self) { try Secret(takingFromEnvironment: name) }
        #expect(error?.kind == .noSecret)
    }

    @Test func filtersHideWhateverTheCut() {
        var filter = SecretFilter()
        filter.add(Secret("abcd"))
        filter.add(Secret("bcde"))
        let text = Array("xxabcdyybcde.abc abcbcdez".utf8)
        for cut in 0...text.count {
            var one = filter
            let passed = one.pass(text[..<cut]) + one.pass(text[cut...], isEnd: true)
            #expect(String(decoding: passed, as: UTF8.self) == "xx••••••yy••••••.abc abc••••••z" || cut < 0)
        }
    }

    @Test("Parts of a secret at the edges of a text are hidden too, and a secret that begins another hides neither")
    func parts() {
        var filter = SecretFilter()
        filter.add(Secret("hunter2"))
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
        #expect(text(filter.hiding(Array("you said hunter".utf8))) == "you said ••••••")
        #expect(text(filter.hiding(Array("nter2 it was".utf8))) == "•••••• it was")
        #expect(filter.hiding([Array("said hunt".utf8), Array("er2.".utf8)]).map(text) == ["said ••••••", "."])
        filter.add(Secret("hunter2024"))
        for cut in 0...15 {
            var one = filter
            let bytes = Array("x hunter2024 yy".utf8)
            #expect(text(one.pass(bytes[..<cut]) + one.pass(bytes[cut...], isEnd: true)) == "x •••••• yy")
        }
    }
}
