// That the guard itself works: what is left behind is found and named, what goes away by itself is not, a hang is ended.
import CIPC
import Glibc
import IPC
import Synchronization
import Testing

@Suite(.guarded)
struct HarnessTests {
    @Test func aDescriptorLeftOpenIsFoundByNumberAndTarget() throws {
        let before = Leftovers.now()
        let number = try #require(open("/dev/null", O_RDONLY | O_CLOEXEC) as Int32?)
        #expect(Leftovers.now().beyond(before).map(\.description) == ["descriptor \(number) -> /dev/null"])
        close(number)
        #expect(Leftovers.now().beyond(before).isEmpty)
    }

    @Test func aDescriptorWhoseNumberServesAnotherFileIsFound() throws {
        let number = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let before = Leftovers.now()
        close(number)
        #expect(open("/dev/zero", O_RDONLY | O_CLOEXEC) == number)
        #expect(Leftovers.now().beyond(before).map(\.description) == ["descriptor \(number) -> /dev/zero"])
        close(number)
    }

    @Test func aChildIsFoundRunningAndAsAZombie() async throws {
        let before = Leftovers.now()
        let child = try ForeignProcess(testChild: "sleep", "1000")
        #expect(Leftovers.now().beyond(before).map(\.description) == ["child \(child.pid) (TestChild), running"])
        kill(child.pid, SIGKILL)
        var information = siginfo_t()
        #expect(waitid(P_PID, id_t(child.pid), &information, WEXITED | WNOWAIT) == 0)
        #expect(Leftovers.now().beyond(before).map(\.description) == ["child \(child.pid) (TestChild), a zombie"])
        #expect(try await child.wait() == 128 + SIGKILL)
        #expect(Leftovers.now().beyond(before).isEmpty)
    }

    @Test func aThreadOfOursIsFoundByItsName() async throws {
        let before = Leftovers.now()
        let thread = OwnThread(named: "ipc-leak")
        let number = try await thread.run { ipc_thread_id() }
        #expect(Leftovers.now().beyond(before).map(\.description) == ["thread \(number) (ipc-leak)"])
        thread.stop()
        #expect(await Guarded.whatStays(beyond: before).isEmpty)
    }

    @Test func sharedMemoryAndSystemVIdentifiersAreFound() {
        let before = Leftovers.now()
        let name = "/ipc-test-\(getpid())"
        close(shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
        let queue = msgget(IPC_PRIVATE, 0o600 | 0o1000)
        #expect(
            Leftovers.now().beyond(before).map(\.description)
                == ["System V msg key 0 id \(queue)", "shared memory /dev/shm\(name)"])
        shm_unlink(name)
        msgctl(queue, IPC_RMID, nil)
        #expect(Leftovers.now().beyond(before).isEmpty)
    }

    @Test func aTemporaryFolderIsFoundUntilItIsRemoved() async throws {
        let before = Leftovers.now()
        try await withTemporaryFolder { folder in
            let name = folder.lastComponent?.string ?? ""
            #expect(Leftovers.now().beyond(before).map(\.description) == ["temporary folder \(name)"])
            try Descriptor.open(folder.appending("file"), for: .create).close()
        }
        #expect(Leftovers.now().beyond(before).isEmpty)
    }

    @Test func aFIFOLeftInTheTemporaryFolderIsAFailure() async throws {
        try await withKnownIssue {
            try await withTemporaryFolder { folder in #expect(mkfifo(folder.appending("f").string, 0o600) == 0) }
        } matching: {
            "\($0)".contains("left in the temporary folder: FIFO /tmp/ipc-test-")
        }
    }

    @Test func whatIsClosedAMomentLaterIsNotLeftBehind() async throws {
        let before = Leftovers.now()
        let number = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let closing = Task {
            try await Task.sleep(for: .milliseconds(30))
            close(number)
        }
        #expect(await Guarded.whatStays(beyond: before).isEmpty)
        try await closing.value
    }

    @Test(arguments: Place.allCases)
    func eachPlaceIsWhereItSays(_ place: Place) async throws {
        let (loop, isShared) = try await place.run {
            (EventLoop.current != nil, EventLoop.current === (try EventLoop.shared))
        }
        #expect(loop == (place == .eventLoop))
        #expect(!isShared)
    }

    @Test(arguments: Place.allCases)
    func anExpectationInsideAPlaceIsThisTests(_ place: Place) async throws {
        let name = try await place.run { Test.current?.name }
        #expect(name == "anExpectationInsideAPlaceIsThisTests(_:)")
    }
}

/// Not guarded from outside: the guard itself is called here.
struct GuardTests {
    @Test func aGuardedTestThatLeavesADescriptorFails() async throws {
        let test = try #require(Test.current)
        let opened = Atomic<Int32>(-1)
        try await withKnownIssue {
            try await Guarded(limit: .seconds(20), grace: .zero).provideScope(for: test, testCase: nil) {
                opened.store(open("/dev/full", O_RDONLY | O_CLOEXEC), ordering: .relaxed)
            }
        } matching: {
            "\($0)".contains("descriptor \(opened.load(ordering: .relaxed)) -> /dev/full")
        }
        close(opened.load(ordering: .relaxed))
    }

    @Test(.guarded) func aTestThatHangsIsEndedAndNamed() async throws {
        let (status, output) = try await InnerRun.of("hangsOnPurpose")
        #expect(status == Watchdog.status)
        #expect(output.contains("!! hangs: hangsOnPurpose() (IPCTests/HarnessTests.swift:"))
    }

    @Test(.inner, .guarded(limit: .milliseconds(200)))
    func hangsOnPurpose() async { await Latch().wait() }
}
