// The doorway to the kernel, and the small types beside it.
import CIPC
import Glibc
import Testing

@testable import IPC

struct SystemCallTests {
    @Test func whatASignalInterruptedIsTriedAgain() throws {
        var results: [Int32] = [-4, -4, 7]
        #expect(SystemCall.retrying { results.removeFirst() } == 7)
        results = [-4, -9]
        #expect(throws: SystemError("read", on: "it", .badFileDescriptor)) {
            try SystemCall.perform("read", on: "it") { results.removeFirst() }
        }
        #expect(results.isEmpty)
    }

    @Test func noWordsAreMadeForACallThatSucceeds() throws {
        func words() -> String {
            Issue.record("the text of an error that is none")
            return ""
        }
        #expect(try SystemCall.perform(words(), on: words()) { 3 } == 3)
    }
}

@Suite(.guarded)
struct PipeEndsTests {
    @Test func eachEndCanBeTakenOnce() throws {
        var ends = try PipeEnds()
        let reader = try ends.takeReader()
        let writer = try ends.takeWriter()
        let again = try? ends.takeReader().number
        let twice = try? ends.takeWriter().number
        #expect(again == nil && twice == nil)
        #expect(reader.number != writer.number)
    }

    @Test func endsThatNobodyTakesAreClosed() throws {
        let before = Leftovers.descriptors().count
        do {
            var ends = try PipeEnds()
            _ = try ends.takeReader()
        }
        #expect(Leftovers.descriptors().count == before)
    }
}

struct ProcessIDTests {
    @Test func areReadFromTheirDigits() {
        #expect(ProcessID("4711")?.rawValue == 4711 && ProcessID("\(ProcessID.current)") == .current)
        #expect(ProcessGroupID("2")?.rawValue == 2)
        for text in ["", "0", "-5", "x", "1 ", "0x10", "99999999999"] {
            #expect(ProcessID(text) == nil && ProcessGroupID(text) == nil, "\(text)")
        }
        #expect(ProcessGroupID("1") == nil)
    }

    @Test func numbersThatMeanGroupsOrEverybodyAreNoneS16() {
        for number: Int32 in [0, -1, -2, .min] {
            #expect(ProcessID(number) == nil)
            #expect(ProcessGroupID(number) == nil)
        }
        #expect(ProcessGroupID(1) == nil)
        #expect(ProcessID(1)?.rawValue == 1)
        #expect(ProcessGroupID(2)?.rawValue == 2)
    }

    @Test func knowsThisProcessAndItsParent() {
        #expect(ProcessID.current.rawValue == getpid())
        #expect(ProcessID.parent.rawValue == getppid())
        #expect(ProcessGroupID.current?.rawValue == getpgrp())
        #expect(ProcessID.current.description == "\(getpid())")
    }
}

@Suite(.guarded)
struct DescriptorBoxTests {
    @Test func closesWithTheLastCopy() throws {
        var one: DescriptorBox? = DescriptorBox(try .open("/dev/null", for: .read))
        var other = one
        let number = try #require(one?.number)
        one = nil
        #expect(fcntl(number, F_GETFD) >= 0)
        withExtendedLifetime(other) {}
        other = nil
        #expect(fcntl(number, F_GETFD) < 0)
    }
}
