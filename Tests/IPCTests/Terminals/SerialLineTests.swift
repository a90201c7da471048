// Serial lines, on the other side of a pseudo-terminal, which has settings like any device.
import Testing

@testable import IPC

@Suite(.guarded)
struct SerialLineTests {
    @Test("Settings are set as stated, read back, and put back in the end")
    func settings() async throws {
        let cable = try PseudoTerminal()
        defer { cable.close() }
        let former = try cable.modes
        let wanted = SerialSettings(
            speed: 115_200, dataBits: 8, parity: .none, stopBits: 2, flowControl: .software)
        let line = try SerialLine(at: cable.path, wanted)
        #expect(try line.settings == wanted)
        let seen = try await Command("stty", "-F", cable.path.string, "-a").read()
        for word in ["speed 115200 baud", "-icanon", "-echo", "-opost", "cstopb", "ixon", "ixoff", "-crtscts", "cs8"] {
            #expect(seen.contains(word), "\(word) in \(seen)")
        }
        var odd = wanted
        odd.speed = 31_250
        odd.flowControl = .hardware
        try line.set(odd)
        #expect(try line.settings == odd, "a speed that has no name")
        line.close()
        #expect(try cable.modes == former)
    }

    @Test(arguments: Place.allCases)
    func bytesPassAsTheyAre(_ place: Place) async throws {
        let cable = try PseudoTerminal()
        defer { cable.close() }
        let line = try SerialLine(at: cable.path, SerialSettings(speed: 9600))
        defer { line.close() }
        try await place.run {
            let bytes = (0...255).map { UInt8($0) }
            try await line.writer.write(bytes)
            try await line.drain(timeout: .seconds(5))
            var seen: [UInt8] = []
            while seen.count < 256 { seen += try await cable.output.read(upTo: 256, timeout: .seconds(5)) }
            #expect(seen == bytes)
            try await cable.input.write(bytes)
            seen = []
            while seen.count < 256 { seen += try await line.reader.read(upTo: 256, timeout: .seconds(5)) }
            #expect(seen == bytes)
            try await line.sendBreak()
            try await cable.input.write("OK\r\n")
            #expect(try await line.reader.readLine(timeout: .seconds(5)) == "OK")
            await #expect(throws: TimeoutError.self) { try await line.reader.readLine(timeout: .milliseconds(20)) }
        }
    }

    @Test func badSettingsAndFilesAreRefused() async throws {
        let cable = try PseudoTerminal()
        defer { cable.close() }
        for settings in [
            SerialSettings(speed: 0), SerialSettings(dataBits: 9), SerialSettings(stopBits: 3),
            SerialSettings(dataBits: 5),
        ] {
            let error = #expect(throws: SystemError.self) { try SerialLine(at: cable.path, settings) }
            #expect(error?.errno == .invalidArgument)
        }
        let none = #expect(throws: TerminalError.self) { try SerialLine(at: "/dev/null") }
        #expect(none?.description == "use /dev/null: not a terminal")
        #expect(throws: SystemError.self) { try SerialLine(at: "/no/such/device") }
        let line = try SerialLine(at: cable.path)
        let error = #expect(throws: SystemError.self) { try line.controlLines }
        #expect(error != nil)
        line.close()
        #expect(throws: SystemError.self) { try line.settings }
    }
}
