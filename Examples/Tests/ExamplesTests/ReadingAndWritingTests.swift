// The examples that read from a command, or write to one.
import IPC
import Testing

@Suite("Reading from and writing to commands")
struct ReadingAndWritingTests {
    @Test("G-11: the spooler writes its input through two stages, and reports both")
    func spooler() async throws {
        let run = try await Example.run("spooler", input: "stuff\u{1}\n")
        #expect(run.lines == ["stuff^A", "1. cat -v: exited with status 0", "2. cat: exited with status 0"])
        #expect(run.status == 0)
    }

    @Test("G-11: a printer that fails is named, and its status is the spooler's")
    func spoolerFails() async throws {
        try await withFolder { folder in
            try await makeScript("cat >/dev/null; exit 3", at: folder.appending("jam"))
            let run = try await Example.run("spooler", folder.appending("jam").string, input: "stuff\n")
            #expect(run.lines == ["1. cat -v: exited with status 0", "2. \(folder)/jam: exited with status 3"])
            #expect(run.status == 3)
        }
        let run = try await Example.run("spooler", "no-such-printer", input: "stuff\n")
        #expect(run.output.hasPrefix("bad spool: execute no-such-printer: no such file or directory (ENOENT)"))
        #expect(run.status == 1)
    }

    @Test("G-12: of netstat's lines those of tcp and udp are dropped")
    func statusReader() async throws {
        try await withFolder { folder in
            try await makeScript(
                "echo tcp 1; echo unix \"$1\"; echo udp 2; echo complaint >&2", at: folder.appending("netstat"))
            let run = try await Example.run("status-reader", path: folder.string)
            #expect(run.lines == ["unix -an", "complaint"])
            #expect(run.status == 0)
        }
    }

    @Test("G-12: a command that is not there is told, and the next one is taken")
    func statusReaderWithoutNetstat() async throws {
        try await withFolder { folder in
            try await makeScript("echo u_str", at: folder.appending("ss"))
            let run = try await Example.run("status-reader", path: folder.string)
            #expect(run.output == "execute netstat: no such file or directory (ENOENT): searched \(folder)\nu_str\n")
        }
    }

    @Test("G-13: files, standard input and, if they are asked for, commands are one input")
    func magicCat() async throws {
        try await withFolder { folder in
            let names = ["echo hi|", "-", "nowhere"]
            let command = try Example.command("magic-cat").directory(folder).input("in\n").unchecked()
            let magic = try await command.adding("--commands").adding(names[0], names[1], names[2]).capture(
                timeout: limit)
            #expect(
                magic.output.text == """
                    echo hi|, 1: hi
                    standard input, 1: in
                    not read: open nowhere: no such file or directory (ENOENT)

                    """)
            #expect(magic.status == .exited(1))
            let plain = try await command.adding("echo hi|").capture(timeout: limit)
            #expect(plain.output.text == "not read: open echo hi|: no such file or directory (ENOENT)\n")
            #expect(plain.status == .exited(1))
        }
    }

    @Test("G-14: a command's output without the lines of tcp and udp")
    func backticks() async throws {
        let run = try await Example.run("backticks")
        #expect(run.lines.contains { $0.hasPrefix("UNIX") })
        #expect(!run.lines.contains { $0.hasPrefix("TCP") || $0.hasPrefix("UDP") })
        #expect(run.status == 0)
    }

    @Test("G-14: standard error is among the output, and the status is told")
    func backticksFail() async throws {
        let run = try await Example.run("backticks", "sh", "-c", "echo udp; echo complaint >&2; exit 3")
        #expect(run.lines.first == "complaint")
        #expect(run.lines.last?.hasPrefix("bad sh -c ") == true)
        #expect(run.lines.last?.hasSuffix(": exited with status 3") == true)
        #expect(run.status == 3)
    }

    @Test("G-15: a command that does not exist is an error for reader and writer, before either begins")
    func bogus() async throws {
        let run = try await Example.run("bogus", path: "/bin")
        let missing = "execute bogus: no such file or directory (ENOENT): searched /bin"
        #expect(
            run.lines == [
                "reader: \(missing)", "writer: \(missing)", "both: \(missing)",
                "deaf: true: left before it had read its input; it exited with status 0",
            ])
        #expect(run.status == 0)
    }

    @Test("G-19: no shell reads the arguments")
    func safeBacktick() async throws {
        let run = try await Example.run("safe-backtick")
        #expect(run.lines == ["<$(date)>", "<`date`>", "<; date>", "<a  b>", "<*>"])
        #expect(try await Example.run("safe-backtick", "'\"\\").output == "<'\"\\>\n")
    }

    @Test("G-20: a program is written to, and one that leaves is an error")
    func safePipe() async throws {
        let sorted = try await Example.run("safe-pipe", "env", "LC_ALL=C", "sort")
        #expect(sorted.output == "$(date)\napple\npear\nwritten\n")
        #expect(sorted.status == 0)
        let failed = try await Example.run("safe-pipe", "sh", "-c", "exec <&-; exit 4")
        #expect(failed.output.hasPrefix("whoops: sh -c "))
        #expect(failed.output.hasSuffix(": exited with status 4\n"))
    }
}
