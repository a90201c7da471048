// A terminal is opened anew, so that the one that others share stays blocking.
import CIPC
import Glibc
import Testing

@testable import IPC

@Suite(.guarded)
struct TerminalTransferTests {
    /// Both sides of a pseudo terminal, which passes lines on as they are.
    private static func open() throws -> (master: Int32, slave: Int32) {
        let master = Glibc.open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (number, unlocked): (Int32, Int32) = (-1, 0)
        let (getNumber, setLock): (UInt, UInt) = (0x8004_5430, 0x4004_5431)  // TIOCGPTN and TIOCSPTLCK
        try #require(ioctl(master, getNumber, &number) == 0 && ioctl(master, setLock, &unlocked) == 0)
        let slave = Glibc.open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(slave >= 0)
        var modes = termios()
        tcgetattr(slave, &modes)
        modes.c_lflag &= ~tcflag_t(ECHO)
        modes.c_oflag &= ~tcflag_t(OPOST)
        tcsetattr(slave, TCSANOW, &modes)
        return (master, slave)
    }

    @Test(arguments: Place.allCases)
    func linesGoBothWaysAndTheOriginalStaysBlocking(_ place: Place) async throws {
        let (master, slave) = try Self.open()
        defer { close(slave) }
        try await place.run {
            let outer = try SharedDescriptor.adopting(Descriptor(adopting: master), writing: true, subject: "master")
            let (screen, keyboard) = (ByteReader(outer), ByteWriter(outer))
            let input = ByteReader(.borrowing(slave, writing: false, subject: "terminal"))
            let output = ByteWriter(.borrowing(slave, writing: true, subject: "terminal"))
            #expect(input.descriptor.number != slave && output.descriptor.number != slave)
            async let typed = input.readLine()
            try await untilSomeoneWaits(on: input.descriptor)
            try await keyboard.write("typed\n")
            #expect(try await typed == "typed")
            async let shown = screen.readLine()
            try await untilSomeoneWaits(on: screen.descriptor)
            try await output.write("shown\n")
            #expect(try await shown == "shown")
            #expect(ipc_get_status_flags(slave) & IPC_O_NONBLOCK == 0, "P36")
            #expect(ipc_get_status_flags(master) & IPC_O_NONBLOCK == 0)
        }
    }

    @Test(arguments: Place.allCases)
    func aWaitForTypingEndsByTimeoutAndCancellationAndTheTerminalIsStillGood(_ place: Place) async throws {
        let (master, slave) = try Self.open()
        defer { for number in [master, slave] { close(number) } }
        try await place.run {
            let input = ByteReader(.borrowing(slave, writing: false, subject: "terminal"))
            let timedOut = await failure { _ = try await input.readLine(timeout: .milliseconds(1)) }
            #expect(timedOut is TimeoutError)
            let task = Task(executorPreference: EventLoop.current) { await failure { _ = try await input.readLine() } }
            try await untilSomeoneWaits(on: input.descriptor)
            task.cancel()
            #expect(await task.value is CancellationError)
            #expect(write(master, "late\n", 5) == 5)
            #expect(try await input.readLine() == "late")
        }
    }

    @Test(arguments: Place.allCases)
    func theEndOfTransmissionIsTheEndOfTheStreamAndNotForGood(_ place: Place) async throws {
        let (master, slave) = try Self.open()
        defer { for number in [master, slave] { close(number) } }
        try await place.run {
            let input = ByteReader(.borrowing(slave, writing: false, subject: "terminal"))
            #expect(write(master, "part\u{4}", 5) == 5)
            let part = try await input.read(upTo: 99)
            #expect(part == Array("part".utf8))
            #expect(write(master, "\u{4}", 1) == 1)
            #expect(try await input.read(upTo: 99).isEmpty)
            #expect(write(master, "on\n", 3) == 3)
            #expect(try await input.readLine() == "on")
        }
    }

    @Test(arguments: Place.allCases)
    func aTerminalThatHangsUpEndsTheWait(_ place: Place) async throws {
        let (master, slave) = try Self.open()
        defer { close(slave) }
        try await place.run {
            let input = ByteReader(.borrowing(slave, writing: false, subject: "terminal"))
            async let line = input.readLine()
            try await untilSomeoneWaits(on: input.descriptor)
            close(master)
            #expect(try await line == nil)
            let output = ByteWriter(.borrowing(slave, writing: true, subject: "terminal"))
            let error = await failure { try await output.write("x") } as? SystemError
            #expect(error?.errno == .ioError)
        }
    }

    @Test(arguments: Place.allCases)
    func muchOutputWaitsForWhoReadsTheScreen(_ place: Place) async throws {
        let (master, slave) = try Self.open()
        defer { close(slave) }
        try await place.run {
            let screen = try ByteReader(Descriptor(adopting: master))
            let output = ByteWriter(.borrowing(slave, writing: true, subject: "terminal"))
            let text = String(repeating: "0123456789abcde\n", count: 20_000)
            async let written: Void = output.write(text)
            var seen: [UInt8] = []
            while seen.count < text.utf8.count { seen += try await screen.read(upTo: 65_536) }
            try await written
            #expect(seen == Array(text.utf8))
        }
    }
}
