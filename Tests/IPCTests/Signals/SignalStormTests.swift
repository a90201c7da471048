// More signals than anybody takes: bounded memory, counted, and never without a last word.
import CIPC
import Glibc
import IPC
import Testing

@Suite struct SignalStormTests {
    @Test("S2: a million signals to a loop that allocates and prints", .guarded(limit: .seconds(180)))
    func million() async throws { try await expectInner("aMillionSignals", saying: ["after the storm: SIGUSR2"]) }

    @Test(.inner) func aMillionSignals() async throws {
        let count = 1_000_000 / Watchdog.patience
        try await runOnLoop {
            let perl = try await PerlSender()
            let stream = try Signal.stream(.user1, .user2)
            let before = residentKiB()
            let storm = Task(executorPreference: try EventLoop.shared) {
                try await perl.send(.user1, times: count)
                try await perl.send(.user2)
            }
            var (events, arrivals) = (0, 0)
            for await event in stream {
                if event.signal == .user2 { break }
                let text = (0..<20).map { "\(event.signal) \($0)" }.joined(separator: " ")
                if events % 1000 == 0 { say(text) }
                events += 1
                arrivals += event.count
                #expect(event.sender == perl.processID)
            }
            try await storm.value
            #expect(events > 0 && arrivals <= count)
            let growth = residentKiB() - before
            #expect(growth < 32 * 1024, "\(growth) KiB more")
            say("\(events) events of \(arrivals) arrivals, \(growth) KiB more; after the storm: SIGUSR2")
            try await perl.end()
        }
    }

    @Test(
        "S2: nobody takes what comes: what finds no room is counted, and the next arrival comes alone",
        .guarded(limit: .seconds(120)))
    func untaken() async throws { try await expectInner("aStreamThatNobodyReads") }

    @Test(.inner) func aStreamThatNobodyReads() async throws {
        for place in Place.allCases {
            try await place.run {
                let perl = try await PerlSender()
                let stream = try Signal.stream(.user1, .user2)
                for _ in 0..<3 {
                    // One after the other: none is merged by the kernel.
                    try raiseHere(.user1, times: 4000)
                    try await perl.send(.user2)
                    while isPending(.user2) { sched_yield() }
                    var (events, arrivals, coalesced) = (0, 0, 0)
                    while arrivals < 4001 {
                        let event = try await stream.next(timeout: .seconds(10))
                        events += 1
                        arrivals += event.count
                        guard event.isCoalesced else { continue }
                        coalesced += 1
                        #expect(event.sender == (event.signal == .user1 ? .current : perl.processID))
                    }
                    #expect(arrivals == 4001)
                    #expect(coalesced == 2)
                    #expect(events > 2000 && events < 3000)
                    await #expect(throws: TimeoutError.self) { try await stream.next(timeout: .milliseconds(20)) }
                }
                try raiseHere(.user1)
                let last = try await stream.next(timeout: .seconds(10))
                #expect(last.count == 1 && !last.isCoalesced)
                try await perl.end()
            }
        }
    }

    @Test("S4: a queue that is full is an error of the sender, and no signal is dropped in silence", .guarded)
    func queueFull() async throws {
        try await expectInner("queueIsFull", script: #"exec bash -c 'ulimit -i 100; exec "$@"' bash "$@""#)
    }

    @Test(.inner) func queueIsFull() async throws {
        let signal = try #require(Signal.realTime(5))
        let child = try await Command.testChild("sleep", 1000).start()
        try child.send(.stop)
        // Only a process that stands still queues what would end it.
        while child.processID.state != .stopped { sched_yield() }
        var sent = 0
        let error = #expect(throws: SystemError.self) {
            while sent < 10_000 {
                try child.processID.send(signal, value: sent)
                sent += 1
            }
        }
        #expect(error?.errno == .resourceTemporarilyUnavailable)
        #expect(sent > 0 && sent <= 100)
        // The limit counts what waits for all programs of the user, so another's may just have been taken.
        #expect(throws: SystemError.self) { for value in 0..<10_000 { try child.send(signal, value: value) } }
        await child.end(grace: .zero)
    }

    private func residentKiB() -> Int {
        let line = Folder.text(of: "/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
    }
}
