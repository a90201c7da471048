// One of the FIFOs that a path means, one after the other, while it is served.
import CIPC
import Synchronization
import SystemPackage

/// A FIFO for one reader, or for those few who came in the same instant.
final class FIFOGeneration: Sendable {
    let file: FIFOFile
    /// Who opens it, reads from it and closes it, where the kernel tells.
    private let use: SharedDescriptor?
    private let counts = Mutex((openings: 0, closings: 0))

    private static let timeToArrive = Duration.milliseconds(5)
    private static let timeToLineUp = Duration.milliseconds(20)

    init(_ file: FIFOFile) {
        self.file = file
        let number = ipc_watch_use(file.ownPath)
        use =
            number < 0
            ? nil
            : try? SharedDescriptor(
                Descriptor(fresh: number, "watch", on: file.path.string), .nonblocking, subject: file.path.string)
    }

    /// Waits for a reader, and has the path mean the next FIFO at once; the end to write to, `nil` if the path meant nothing
    /// any more and nobody was there.
    func meetReader(andGiveNameTo next: FIFOGeneration) async throws -> Descriptor? {
        let renaming = Atomic<Int32>(0)
        let end = try await file.meet(nil) { [file] in
            let number = ipc_open(file.ownPath, IPC_O_WRONLY | IPC_O_NOCTTY, 0)
            if number >= 0 { renaming.store(next.file.rename(IPC_RENAME_EXCHANGE), ordering: .relaxed) }
            return Int(number)
        }
        guard let end else {
            if file.presence == .replaced { throw FIFOFile.replaced("serve", file.path) }
            try next.file.giveName()
            return nil
        }
        try complete(renaming.load(ordering: .relaxed), next)
        return end
    }

    /// Sees to it that the next FIFO has the name, and this one none.
    private func complete(_ result: Int32, _ next: FIFOGeneration) throws {
        switch Errno(rawValue: -result) {
        case Errno(rawValue: 0):
            if next.file.atFormerName?.identity == file.identity { return next.file.removeFormerName() }
            // Somebody had put another file there, which gets its name back.
            _ = next.file.rename(IPC_RENAME_EXCHANGE)
            throw FIFOFile.replaced("serve", file.path)
        case .noSuchFileOrDirectory: try next.file.giveName()
        // A file system that cannot exchange.
        case .invalidArgument:
            guard file.presence == .inPlace else { throw FIFOFile.replaced("serve", file.path) }
            try SystemCall.perform("serve", on: file.path.string) { next.file.rename(IPC_RENAME_REPLACE) }
        default: throw SystemError("serve", on: file.path.string, Errno(rawValue: -result))
        }
    }

    // MARK: Serving

    /// Gives the one who has come, and all who came with it, a payload each.
    func serve(
        _ end: consuming Descriptor, _ timeout: Duration?, _ payload: @Sendable () async throws -> [UInt8]
    ) async throws {
        defer { use?.close() }
        try await give(SharedDescriptor(end, .nonblocking, subject: file.path.string), timeout, payload)
        // Somebody can have looked up the name just before it was given on, and be held up on the way to opening the file:
        // that one would wait for ever for somebody to write. No event tells of it, so there is one more look.
        try await EventLoop.sleep(until: Deadline(in: .milliseconds(250)))
        count()
        while haveAllLeft, let end = try file.openAtOnce(IPC_O_WRONLY) {
            try await give(SharedDescriptor(end, .nonblocking, subject: file.path.string), timeout, payload)
        }
    }

    private func give(
        _ stream: SharedDescriptor, _ timeout: Duration?, _ payload: @Sendable () async throws -> [UInt8]
    ) async throws {
        let writer = ByteWriter(stream)
        defer { stream.close() }
        let known = numberOfOpenings  // those of an earlier look, who have had theirs
        var given = known
        repeat {
            let bytes = try await payload()
            count()
            // Of several who wait to read, the kernel wakes the one that has waited longest. Whoever has opened comes to the end of
            // that line, and so does whoever has had its payload and reads on; of neither tells any event.
            if numberOfOpenings > known + 1 {
                try await EventLoop.sleep(until: Deadline(in: FIFOGeneration.timeToLineUp))
            }
            do {
                try await writer.write(bytes, timeout: timeout)
                given += 1
                // Who had looked up the name before it was given on can come a moment later, and would see nothing but the end.
                if use != nil { try await EventLoop.sleep(until: Deadline(in: FIFOGeneration.timeToArrive)) }
                count()
                // Not closed before: that would wake all of them for the one payload.
                if numberOfOpenings > known + 1 { try await untilTaken(stream, timeout) }
            } catch let error as SystemError where error.errno == .brokenPipe {
                return
            } catch is TimeoutError {
                return
            }
        } while given < numberOfOpenings
    }

    /// Waits until all that was written has been read, or everybody has left.
    private func untilTaken(_ stream: SharedDescriptor, _ timeout: Duration?) async throws {
        let deadline = Deadline.after(timeout)
        while let use, ipc_bytes_readable(stream.number) > 0, !haveAllLeft {
            try await use.wait(.reading, deadline: deadline, "watch")
            count()
        }
    }

    // MARK: Who is there

    private var numberOfOpenings: Int { counts.withLock { $0.openings } }

    /// Whether everybody who is known to have come has left; `false` where nobody can be known.
    private var haveAllLeft: Bool { use != nil && counts.withLock { $0.openings > 0 && $0.closings >= $0.openings } }

    private func count() {
        guard let use, use.enter() else { return }
        defer { use.leave() }
        var (openings, closings): (Int32, Int32) = (0, 0)
        while ipc_count_use(use.number, &openings, &closings) == 0 {
            counts.withLock { $0 = ($0.openings + Int(openings), $0.closings + Int(closings)) }
        }
    }
}
