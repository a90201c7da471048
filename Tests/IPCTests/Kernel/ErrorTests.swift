import Testing

// What errors say: to people in one line, to code as values.
@testable import IPC

struct SystemErrorTests {
    @Test func saysOperationSubjectReasonAndCName() {
        #expect(
            SystemError("open", on: "app.log", .permissionDenied).description
                == "open app.log: permission denied (EACCES)")
        #expect(
            SystemError("connect", on: "app.sock", .connectionRefused).description
                == "connect app.sock: connection refused (ECONNREFUSED)")
    }

    @Test func saysHowMuchHadGoneThrough() {
        #expect(
            SystemError("write", on: "pipe", .brokenPipe, transferred: 17).description
                == "write pipe: broken pipe (EPIPE) after 17 bytes")
    }

    @Test func anErrorNumberWithoutANameIsSaidAsANumber() {
        #expect(
            SystemError("read", on: "x", Errno(rawValue: 4_242)).description == "read x: unknown error (error 4242)")
        #expect(Errno(rawValue: -1).name == "error -1")
    }

    @Test func reasonsThatBeginWithAnAbbreviationKeepTheirCapitals() {
        #expect(Errno(rawValue: 73).reason == "RFS specific error")
        #expect(Errno(rawValue: 5).reason == "input/output error")
    }

    @Test func everyErrorNumberHasANameAndAReason() {
        for number: Int32 in 1...133 where number != 41 && number != 58 {
            #expect(Errno(rawValue: number).name.hasPrefix("E"), "\(number)")
            #expect(Errno(rawValue: number).reason != "unknown error", "\(number)")
        }
    }

    @Test func equalityLooksAtEveryPart() {
        let error = SystemError("read", on: "a", .badFileDescriptor)
        #expect(error == SystemError("read", on: "a", .badFileDescriptor))
        #expect(error != SystemError("read", on: "b", .badFileDescriptor))
        #expect(error != SystemError("write", on: "a", .badFileDescriptor))
        #expect(error != SystemError("read", on: "a", .badFileDescriptor, transferred: 1))
    }
}

struct TimeoutErrorTests {
    @Test func saysOperationSubjectAndLimit() {
        #expect(
            TimeoutError("read", on: "pipe", limit: .milliseconds(250)).description
                == "read pipe: not done within 250 ms")
        #expect(
            TimeoutError("write", on: "pipe", limit: .seconds(3), transferred: 9).description
                == "write pipe: not done within 3 s after 9 bytes")
    }

    @Test(arguments: [
        (Duration.seconds(3), "3 s"), (.milliseconds(1_500), "1.5 s"), (.milliseconds(1_050), "1.05 s"),
        (.milliseconds(250), "250 ms"), (.microseconds(1_500), "1.5 ms"), (.microseconds(20), "20 us"),
        (.nanoseconds(1_001), "1.001 us"), (.nanoseconds(7), "7 ns"), (.zero, "0 s"), (.seconds(86_400), "86400 s"),
        (.seconds(-2), "-2 s"), (.milliseconds(-1_500), "-1.5 s"), (.milliseconds(-5), "-5 ms"),
        (Duration(secondsComponent: .max, attosecondsComponent: 0), "9223372036854775807 s"),
        (Duration(secondsComponent: .min, attosecondsComponent: 0), "-9223372036854775808 s"),
        (Duration(secondsComponent: 0, attosecondsComponent: 1), "0 s"),
    ])
    func limitsAreSaidForPeople(_ duration: Duration, _ words: String) {
        #expect(duration.inWords == words)
    }
}

struct ReadErrorTests {
    @Test func saysWhereTheBytesAreWrong() {
        #expect(
            ReadError(.invalidText, subject: "pipe", line: 3, offset: 7).description
                == "read pipe: line 3 is not UTF-8 at byte 7")
        #expect(
            ReadError(.lineTooLong, subject: "pipe", line: 2, offset: 80).description
                == "read pipe: line 2 is longer than 80 bytes")
        #expect(
            ReadError(.limitExceeded, subject: "pipe", line: 0, offset: 99).description
                == "read pipe: more than 99 bytes")
    }
}
