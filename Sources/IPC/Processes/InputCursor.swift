// Where a reader of several sources is: the one that is open, and what becomes of it at its end.
import CIPC
import SystemPackage

/// Goes through the sources of an input, opening one at a time.
struct InputCursor {
    let input: InputSequence
    private var next = 0
    private var open: OpenSource?

    /// A source that is being read.
    struct OpenSource {
        let source: InputSource
        let reader: ByteReader
        let command: InputCommand?
    }

    init(_ input: InputSequence) { self.input = input }

    /// The source that is open, or the next that can be opened; `nil` after the last.
    ///
    /// - Throws: what ends the reading of the whole: ``TimeoutError``, `CancellationError`.
    mutating func current(_ deadline: Deadline?) async throws -> OpenSource? {
        while open == nil, next < input.sources.count {
            let source = input.sources[next]
            next += 1
            do { open = try await InputCursor.open(source, passingOn: input.passingOn, deadline) } catch {
                try passOver(source, error)
            }
        }
        return open
    }

    /// The open source is at its end: a command's status says whether that was all.
    mutating func finish(_ deadline: Deadline?) async throws {
        guard let ended = open else { return }
        open = nil
        do { try await ended.command?.finish(deadline) } catch { try passOver(ended.source, error) }
    }

    /// The open source could not be read.
    mutating func leave(_ error: any Error) throws {
        guard let left = open else { throw error }
        open = nil
        try passOver(left.source, error)
    }

    private func passOver(_ source: InputSource, _ error: any Error) throws {
        switch error {
        case is SystemError, is StartError, is CommandError: input.report(InputFailure(source: source, error: error))
        default: throw error
        }
    }

    private static func open(
        _ source: InputSource, passingOn: Set<Signal>, _ deadline: Deadline?
    ) async throws -> OpenSource {
        if ipc_task_is_cancelled() != 0 { throw CancellationError() }
        switch source.kind {
        case .standardInput: return OpenSource(source: source, reader: .standardInput, command: nil)
        case .file: return OpenSource(source: source, reader: try await openFile(source, deadline), command: nil)
        case .command:
            let command = try InputCommand(source, passingOn)
            return OpenSource(source: source, reader: command.reader, command: command)
        }
    }

    /// Opens a file without waiting: a FIFO's writer is waited for when it is read.
    private static func openFile(_ source: InputSource, _ deadline: Deadline?) async throws -> ByteReader {
        let name = source.description
        if source.bytes.contains(0) { throw SystemError("open", on: name, .noSuchFileOrDirectory) }
        let number: Int32 = try SystemCall.perform("open", on: name) {
            (source.bytes + [0]).withUnsafeBytes { bytes in
                guard let path = bytes.assumingMemoryBound(to: CChar.self).baseAddress else { return -14 }  // EFAULT
                return ipc_open(path, IPC_O_RDONLY | IPC_O_NONBLOCK | IPC_O_NOCTTY, 0)
            }
        }
        let file = try Descriptor(fresh: number, "open", on: name)
        var information = ipc_file_information()
        try SystemCall.perform("open", on: name) { ipc_descriptor_status(file.number, &information) }
        guard information.type == Int32(IPC_FILE_FIFO.rawValue) else {
            return ByteReader(try .adopting(file, writing: false, subject: name))
        }
        let reader = ByteReader(SharedDescriptor(file, .nonblocking, subject: name))
        // Before its first writer a FIFO reads as if it were at its end, but is not ready: the wait tells the two apart.
        if let deadline {
            try await reader.waitUntilReadable(deadline: deadline)
        } else {
            try await reader.waitUntilReadable()
        }
        return reader
    }
}

/// A command that runs for its output, and is ended when nobody holds this any more.
final class InputCommand: Sendable {
    let reader: ByteReader
    private let child: Child
    private let name: String
    private let relay: SignalRelay
    private let began = ContinuousClock.now

    /// Starts the command, which is all of the source's name but its `|`.
    init(_ source: InputSource, _ signals: Set<Signal>) throws {
        name = source.description
        let relay = try SignalRelay(signals)
        self.relay = relay
        let command = Command("/bin/sh", "-c", "--", Array(source.bytes.dropLast()), "sh")
        let child = try command.start(input: .discard, output: .pipe, error: .inherit)
        relay.direct(to: [child])
        self.child = child
        guard let output = child.standardOutput else { throw SystemError("read", on: child.name, .badFileDescriptor) }
        reader = output
        // Its end is not learned from its output: a process that it leaves behind may hold that open.
        Task.detached(executorPreference: EventLoop.current) {
            _ = try? await child.ended(nil, endingTree: true)
            child.finishStreams()
        }
    }

    deinit {
        relay.end()
        child.endSoon(grace: .seconds(2))
    }

    /// Waits for the command's end after its output's.
    ///
    /// - Throws: ``CommandError`` if it failed.
    func finish(_ deadline: Deadline?) async throws {
        let end = try await child.ended(deadline, endingTree: true)
        child.finishStreams()
        guard !end.status.isSuccess else { return }
        let result = CommandResult(
            processID: child.processID, status: end.status, output: CapturedOutput(), error: CapturedOutput(),
            usage: end.usage, duration: .now - began, inputLeft: 0)
        throw CommandError(.failed, command: name, result: result)
    }
}
