// The file that says which process a daemon is, and whose lock says whether it runs.
import CIPC
import SystemPackage

/// A pid file that is open and locked.
///
/// The lock decides, since a number in a file may long be another's: the daemon holds it as long as it lives, and the kernel
/// gives it back however it ends. It is on the first byte, by the open file, so that the daemon inherits it from whoever
/// started it. The second byte is the turn of those who start or stop: who has it finds the file's text as it should be.
final class PIDFile: Sendable {
    let path: FilePath
    let descriptor: Descriptor

    init(_ path: FilePath, _ descriptor: consuming Descriptor) {
        self.path = path
        self.descriptor = descriptor
    }

    private enum Byte {
        static let running: Int64 = 0
        static let turn: Int64 = 1
    }

    /// Opens the file, which must be nobody else's and no link; it is made if it is missing and may be made.
    ///
    /// - Throws: ``DaemonError`` with `unsafePIDFile`, ``SystemError``.
    static func open(_ path: FilePath, making: Bool) throws -> PIDFile? {
        let flags = IPC_O_RDWR | IPC_O_NOFOLLOW | IPC_O_NOCTTY | IPC_O_NONBLOCK | (making ? IPC_O_CREAT : 0)
        let result = SystemCall.retrying { path.withPlatformString { ipc_open($0, flags, 0o600) } }
        if result < 0 {
            let errno = Errno(rawValue: -result)
            if errno == .noSuchFileOrDirectory, !making { return nil }
            if errno == .tooManySymbolicLinkLevels { throw refusal(path, "a symbolic link") }
            throw SystemError("open", on: path.string, errno)
        }
        let file = PIDFile(path, try Descriptor(fresh: result, "open", on: path.string))
        let status = try file.status()
        guard status.type == IPC_FILE_REGULAR.rawValue else { throw refusal(path, "no regular file") }
        guard status.owner == ipc_effective_user_id() || ipc_effective_user_id() == 0 && !making else {
            throw refusal(path, "it belongs to user \(status.owner)")
        }
        guard status.links <= 1 else { throw refusal(path, "it has a second name") }
        return file
    }

    private static func refusal(_ path: FilePath, _ reason: String) -> DaemonError {
        DaemonError(.unsafePIDFile, on: path.string, reason: reason)
    }

    /// Takes the lock for a daemon that is to be started, and keeps the turn.
    ///
    /// - Throws: ``DaemonError`` with `alreadyRunning`, saying which process, ``TimeoutError`` if another start or stop takes long.
    static func take(_ path: FilePath, deadline: Deadline?) throws -> PIDFile {
        while true {
            guard let file = try open(path, making: true) else { continue }
            try file.takeTurn(deadline)
            let result = lock(file.descriptor.number, Byte.running, mayWait: false)
            if result < 0 {
                guard Errno(rawValue: -result) == .wouldBlock || Errno(rawValue: -result) == .permissionDenied else {
                    throw SystemError("lock", on: path.string, Errno(rawValue: -result))
                }
                throw DaemonError(.alreadyRunning, on: path.string, processID: file.processID)
            }
            // Whoever had the lock may have removed the file meanwhile.
            if try file.isStillThere() { return file }
        }
    }

    /// Waits until nobody else starts or stops.
    func takeTurn(_ deadline: Deadline?) throws {
        let number = descriptor.number
        if PIDFile.lock(number, Byte.turn, mayWait: false) == 0 { return }
        try EventLoop.run { [path] in try await PIDFile.wait(for: Byte.turn, number, path, deadline) }
    }

    /// Waits until nobody else starts or stops, as ``takeTurn(_:)`` does, from asynchronous code.
    func awaitTurn(_ deadline: Deadline?) async throws {
        try await PIDFile.wait(for: Byte.turn, descriptor.number, path, deadline)
    }

    private static func wait(for byte: Int64, _ number: Int32, _ path: FilePath, _ deadline: Deadline?) async throws {
        if lock(number, byte, mayWait: false) == 0 { return }
        _ = try await BlockingCall.perform("wait for", on: path.string, deadline: deadline) {
            Int(lock(number, byte, mayWait: true))
        }
    }

    private static func lock(_ number: Int32, _ byte: Int64, mayWait: Bool) -> Int32 {
        ipc_record_lock(number, Int32(IPC_LOCK_EXCLUSIVE.rawValue), byte, 1, mayWait ? 1 : 0)
    }

    func endTurn() { _ = ipc_record_lock(descriptor.number, Int32(IPC_LOCK_NONE.rawValue), Byte.turn, 1, 0) }

    /// Whether a daemon holds the lock, through another open file than this.
    var isHeld: Bool { ipc_record_is_locked(descriptor.number, Byte.running, 1) == 1 }

    /// Waits until no daemon holds the lock. It is then not held here either.
    func waitUntilReleased(_ deadline: Deadline?) async throws {
        try await PIDFile.wait(for: Byte.running, descriptor.number, path, deadline)
        _ = ipc_record_lock(descriptor.number, Int32(IPC_LOCK_NONE.rawValue), Byte.running, 1, 0)
    }

    /// The process that the text names, if it names one.
    var processID: ProcessID? {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = ipc_read_at(descriptor.number, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        let digits = bytes.prefix(count).prefix { $0 != UInt8(ascii: "\n") }
        return Int32(String(decoding: digits, as: UTF8.self)).flatMap { ProcessID($0) }
    }

    func write(_ processID: ProcessID) throws {
        let bytes = Array("\(processID)\n".utf8)
        try SystemCall.perform("write", on: path.string) {
            ipc_replace_contents(descriptor.number, bytes, bytes.count)
        }
    }

    /// Removes the name, if it is still this file's. To be called by who holds the lock.
    func remove() {
        if (try? isStillThere()) == true { _ = path.withPlatformString { ipc_remove_file($0) } }
    }

    private func status() throws -> ipc_file_information {
        var status = ipc_file_information()
        let number = descriptor.number
        try SystemCall.perform("stat", on: path.string) { ipc_descriptor_status(number, &status) }
        return status
    }

    private func isStillThere() throws -> Bool {
        var now = ipc_file_information()
        guard path.withPlatformString({ ipc_file_status($0, &now) }) == 0 else { return false }
        return FileIdentity(now) == FileIdentity(try status())
    }
}
