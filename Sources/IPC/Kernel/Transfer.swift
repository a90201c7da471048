// How bytes go over a descriptor without blocking the thread, by what the descriptor is and whom it belongs to.
//
// O_NONBLOCK is a property of the open file, which other processes share: setting it on a descriptor that we were given
// would make the shell's terminal or a child's pipe non-blocking as well. So it is never set there, and each kind of
// file is asked not to block in its own way.
import CIPC
import SystemPackage

enum Transfer: Sendable {
    /// A pipe: each call says RWF_NOWAIT.
    case pipe
    /// A stream socket: each call says MSG_DONTWAIT, and MSG_NOSIGNAL.
    case socket
    /// An open file of our own with O_NONBLOCK set: FIFOs and terminals opened anew, pipes on kernels before 6.4.
    case nonblocking
    /// The master side of a pseudo-terminal, of our own with O_NONBLOCK set: EIO is its end.
    case terminal
    /// What never makes a caller wait for another process: regular files, `/dev/null`.
    case immediate
    /// What has to be asked for readiness before each call, and may block even then if another process takes what was
    /// ready: FIFOs, terminals and devices that cannot be opened anew.
    case blocking

    @inline(__always)
    func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
        SystemCall.retrying {
            switch self {
            case .pipe: ipc_read_flags(descriptor, buffer, count, IPC_RWF_NOWAIT)
            case .socket: ipc_receive(descriptor, buffer, count)
            case .nonblocking, .immediate: ipc_read(descriptor, buffer, count)
            case .terminal: Transfer.readMaster(descriptor, buffer, count)
            case .blocking: isReady(descriptor, IPC_EPOLLIN) ? ipc_read(descriptor, buffer, count) : Transfer.notReady
            }
        }
    }

    @inline(__always)
    func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        SystemCall.retrying {
            switch self {
            case .pipe: Transfer.writeWithoutSignal(descriptor, bytes, count, flags: IPC_RWF_NOWAIT)
            case .socket: ipc_send(descriptor, bytes, count)
            case .immediate: Transfer.writeToFile(descriptor, bytes, count)
            case .nonblocking: Transfer.writeWithoutSignal(descriptor, bytes, count, flags: 0)
            case .terminal: ipc_write(descriptor, bytes, count)  // no SIGPIPE here
            case .blocking:
                isReady(descriptor, IPC_EPOLLOUT)
                    ? Transfer.writeWithoutSignal(descriptor, bytes, min(count, Transfer.roomOfReadyPipe), flags: 0)
                    : Transfer.notReady
            }
        }
    }

    /// When the last program has closed the other side, what it wrote comes first, and then EIO.
    private static func readMaster(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
        let result = ipc_read(descriptor, buffer, count)
        return result == -Int(Errno.ioError.rawValue) ? 0 : result
    }

    private static let notReady = -Int(Errno.wouldBlock.rawValue)

    /// PIPE_BUF: what a FIFO that is ready takes without blocking.
    private static let roomOfReadyPipe = 4096

    private func isReady(_ descriptor: Int32, _ events: UInt32) -> Bool { ipc_poll_once(descriptor, events) != 0 }

    /// Writes to a file. Beyond the process's limit for files that is an error, and no death by SIGXFSZ.
    private static func writeToFile(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        if ipc_limits_file_size() == 0 { return ipc_write(descriptor, bytes, count) }
        return ipc_write_without_sigpipe(descriptor, bytes, UInt(count), 0)
    }

    /// Writes where a reader that left would raise SIGPIPE: by the kernel's flag for it, or with the signal held.
    private static func writeWithoutSignal(
        _ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, flags: Int32
    ) -> Int {
        if Kernel.hasNoSignalFlag {
            let result = ipc_write_flags(descriptor, bytes, count, flags | IPC_RWF_NOSIGNAL)
            // Drivers that know only the plain write refuse all flags.
            if flags != 0 || result != -Int(Errno.notSupported.rawValue) { return result }
        }
        if ipc_thread_state().pointee.blocks_sigpipe != 0 {
            return flags == 0 ? ipc_write(descriptor, bytes, count) : ipc_write_flags(descriptor, bytes, count, flags)
        }
        return ipc_write_without_sigpipe(descriptor, bytes, UInt(count), flags)
    }
}

/// What this kernel can do, asked once.
enum Kernel {
    /// RWF_NOWAIT on pipes, since 6.4.
    static let hasPipesThatDoNotWait: Bool = answer { reader, _ in
        var byte: UInt8 = 0
        return ipc_read_flags(reader, &byte, 1, IPC_RWF_NOWAIT) == -Int(Errno.wouldBlock.rawValue)
    }

    /// RWF_NOSIGNAL, since 6.18.
    static let hasNoSignalFlag: Bool = answer { _, writer in
        var byte: UInt8 = 0
        return ipc_write_flags(writer, &byte, 1, IPC_RWF_NOSIGNAL) == 1
    }

    private static func answer(_ question: (_ reader: Int32, _ writer: Int32) -> Bool) -> Bool {
        var (reader, writer): (Int32, Int32) = (-1, -1)
        guard ipc_pipe(&reader, &writer) == 0 else { return false }
        defer {
            _ = ipc_close(reader)
            _ = ipc_close(writer)
        }
        return question(reader, writer)
    }
}

extension SharedDescriptor {
    /// One end of a pipe that this library has made.
    static func pipeEnd(_ end: consuming Descriptor, writing: Bool, subject: String) throws(SystemError)
        -> SharedDescriptor
    {
        if Kernel.hasPipesThatDoNotWait { return SharedDescriptor(end, .pipe, subject: subject) }
        let own = try openAnew(end.number, writing: writing, subject: subject)
        return SharedDescriptor(own, .nonblocking, subject: subject)
    }

    /// A descriptor that belongs to the library from now on, of whatever kind it is.
    static func adopting(_ descriptor: consuming Descriptor, writing: Bool, subject: String) throws -> SharedDescriptor
    {
        switch kind(of: descriptor.number) {
        case .ready(let transfer):
            return SharedDescriptor(descriptor, transfer, subject: subject)
        case .openAnew:
            guard let own = try? openAnew(descriptor.number, writing: writing, subject: subject) else {
                return SharedDescriptor(descriptor, .blocking, subject: subject)
            }
            return SharedDescriptor(own, .nonblocking, subject: subject)
        }
    }

    /// A descriptor that the program shares with others: used, never changed, never closed.
    static func borrowing(_ number: Int32, writing: Bool, subject: String) -> SharedDescriptor {
        switch kind(of: number) {
        case .ready(let transfer):
            return SharedDescriptor(borrowing: number, transfer, subject: subject)
        case .openAnew:
            guard let own = try? openAnew(number, writing: writing, subject: subject) else {
                return SharedDescriptor(borrowing: number, .blocking, subject: subject)
            }
            return SharedDescriptor(own, .nonblocking, subject: subject)
        }
    }

    private enum Kind {
        case ready(Transfer)
        case openAnew
    }

    private static func kind(of number: Int32) -> Kind {
        var file = ipc_file_information()
        guard ipc_descriptor_status(number, &file) == 0 else { return .ready(.immediate) }  // the first use says EBADF
        switch ipc_file_type(UInt32(file.type)) {
        case IPC_FILE_SOCKET: return .ready(.socket)
        case IPC_FILE_FIFO:
            let isPipe = ipc_is_anonymous_pipe(number) == 1
            return isPipe && Kernel.hasPipesThatDoNotWait ? .ready(.pipe) : .openAnew
        case IPC_FILE_CHARACTER:
            if ipc_is_always_ready(number) == 1 { return .ready(.immediate) }
            let mayOpenAnew = ipc_is_terminal(number) == 1 && ipc_is_terminal_master(number) == 0
            return mayOpenAnew ? .openAnew : .ready(.blocking)
        case IPC_FILE_REGULAR, IPC_FILE_DIRECTORY, IPC_FILE_BLOCK: return .ready(.immediate)
        default: return .ready(.blocking)
        }
    }

    /// The same file, opened a second time: an open file of our own, on which O_NONBLOCK troubles nobody.
    private static func openAnew(
        _ number: Int32, writing: Bool, subject: String
    ) throws(SystemError) -> Descriptor {
        let flags = (writing ? IPC_O_WRONLY : IPC_O_RDONLY) | IPC_O_NONBLOCK | IPC_O_NOCTTY
        let own = try SystemCall.perform("open", on: subject) { ipc_open("/proc/self/fd/\(number)", flags, 0) }
        return try Descriptor(fresh: own, "open", on: subject)
    }
}
