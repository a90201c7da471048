// SIGPIPE: never delivered by a write of ours, on whatever thread, and never changed for the program around us.
import CIPC
import Glibc
import Synchronization
import Testing

@testable import IPC

private let delivered = Atomic(0)

@Suite(.guarded)
struct BrokenPipeSignalTests {
    /// Counts SIGPIPEs that are delivered while a body runs; afterwards the handler must still be there.
    private func counting(_ body: () async throws -> Void) async throws -> Int {
        delivered.store(0, ordering: .relaxed)
        var (action, former, now) = (sigaction(), sigaction(), sigaction())
        action.__sigaction_handler.sa_handler = { _ in delivered.add(1, ordering: .relaxed) }
        sigaction(SIGPIPE, &action, &former)
        let outcome = await failure(of: body)
        sigaction(SIGPIPE, &former, &now)
        #expect(now.__sigaction_handler.sa_handler != nil)
        #expect(UInt32(bitPattern: now.sa_flags) & UInt32(SA_RESETHAND) == 0)
        if let outcome { throw outcome }
        return delivered.load(ordering: .relaxed)
    }

    /// The signals that the calling thread blocks and those that wait for it.
    private static func signals() -> [String] {
        let lines = Folder.text(of: "/proc/thread-self/status")?.split(separator: "\n") ?? []
        return lines.filter { $0.hasPrefix("SigBlk") || $0.hasPrefix("SigPnd") || $0.hasPrefix("ShdPnd") }.map(
            String.init)
    }

    @Test func aSignalOfOthersIsCounted() async throws {
        let count = try await counting {
            // A thread of the pool has the mask of whoever made it, and that may have been one that blocks all signals.
            var mask = sigset_t()
            sigemptyset(&mask)
            sigaddset(&mask, SIGPIPE)
            pthread_sigmask(SIG_UNBLOCK, &mask, nil)
            raise(SIGPIPE)
        }
        #expect(count == 1)
    }

    @Test(arguments: Place.allCases)
    func aReaderThatHasLeftIsEPIPEThrownAndNoSignalS10(_ place: Place) async throws {
        let count = try await counting {
            try await place.run {
                for (_, writer) in try Self.writersWithoutReaders() {
                    for _ in 0..<3 {
                        let before = Self.signals()
                        let error = await failure { try await writer.write("x") } as? SystemError
                        #expect(error?.errno == .brokenPipe)
                        if EventLoop.current != nil { #expect(Self.signals() == before) }
                    }
                }
            }
        }
        #expect(count == 0)
    }

    /// A pipe, a socket and a FIFO whose other sides are closed.
    private static func writersWithoutReaders() throws -> [(String, ByteWriter)] {
        let pipe = try AnonymousPipe()
        pipe.reader.close()
        var (near, far): (Int32, Int32) = (-1, -1)
        try #require(ipc_socket_pair(1, &near, &far) == 0)
        close(far)
        let socket = try ByteWriter(Descriptor(adopting: near))
        var ends = try PipeEnds()
        let blocking = SharedDescriptor(try ends.takeWriter(), .blocking, subject: "FIFO")
        let nonblocking = try PipeEnds.nonblockingWriterWithoutReader()
        _ = try ends.takeReader()
        return [
            ("pipe", pipe.writer), ("socket", socket), ("blocking", ByteWriter(blocking)),
            ("nonblocking", ByteWriter(nonblocking)),
        ]
    }

    // MARK: Where the kernel has no flag for it

    @Test(arguments: [0, IPC_RWF_NOWAIT])
    func theWriteForOldKernelsRaisesNoSignalAndRestoresTheMask(_ flags: Int32) async throws {
        let count = try await counting {
            try await OwnThread.shared.run {
                let writer = try Self.rawWriterWithoutReader()
                defer { close(writer) }
                let before = Self.signals()
                #expect(ipc_write_without_sigpipe(writer, "x", 1, flags) == -Int(EPIPE))
                #expect(Self.signals() == before)
            }
        }
        #expect(count == 0)
    }

    @Test func theWriteForOldKernelsLeavesASIGPIPEOfOthersPending() async throws {
        let count = try await counting {
            try await OwnThread.shared.run {
                let writer = try Self.rawWriterWithoutReader()
                defer { close(writer) }
                var (only, former) = (sigset_t(), sigset_t())
                sigemptyset(&only)
                sigaddset(&only, SIGPIPE)
                pthread_sigmask(SIG_BLOCK, &only, &former)
                raise(SIGPIPE)
                let before = Self.signals()
                #expect(ipc_write_without_sigpipe(writer, "x", 1, 0) == -Int(EPIPE))
                #expect(Self.signals() == before)
                pthread_sigmask(SIG_SETMASK, &former, nil)
            }
        }
        #expect(count == 1, "the one that others have raised")
    }

    @Test func theWriteForOldKernelsWritesWhereThereIsAReader() async throws {
        let pipe = try AnonymousPipe()
        let number = pipe.writer.descriptor.number
        #expect(ipc_write_without_sigpipe(number, "abc", 3, 0) == 3)
        #expect(ipc_write_without_sigpipe(number, "def", 3, IPC_RWF_NOWAIT) == 3)
        #expect(try await pipe.reader.read(upTo: 9) == Array("abcdef".utf8))
    }

    @Test func ourOwnThreadsBlockItForGood() async throws {
        let lines = try await onLoop(EventLoop.shared) { Self.signals() }
        let mask = UInt64(lines[2].split(separator: "\t")[1], radix: 16) ?? 0
        #expect(mask & 1 << UInt64(SIGPIPE - 1) != 0)
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT] {
            #expect(mask & 1 << UInt64(fault - 1) == 0, "a fault of the thread itself is reported")
        }
    }

    private static func rawWriterWithoutReader() throws -> Int32 {
        var (reader, writer): (Int32, Int32) = (-1, -1)
        try #require(ipc_pipe(&reader, &writer) == 0)
        close(reader)
        return writer
    }
}

extension PipeEnds {
    /// As pipes are where the kernel cannot be asked not to wait.
    fileprivate static func nonblockingWriterWithoutReader() throws -> SharedDescriptor {
        var ends = try PipeEnds()
        let writer = try ends.takeWriter()
        _ = ipc_set_status_flags(writer.number, IPC_O_WRONLY | IPC_O_NONBLOCK)
        _ = try ends.takeReader()
        return SharedDescriptor(writer, .nonblocking, subject: "pipe")
    }
}
