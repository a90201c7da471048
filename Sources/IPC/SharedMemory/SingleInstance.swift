// One process of a kind on this host: the second is told which is the first.
import CIPC
import Synchronization
import SystemPackage

/// Being the only process of a name, as long as this is there and the process lives.
///
/// ```swift
/// let instance = try SingleInstance(named: "/backup")
/// ```
///
/// Whatever ends the process, the next can take its place at once. The name goes with ``end()``; one that a killed process has left is
/// taken over. The kernel holds the lock for the open file of
/// this process, so that no thread has to; the C function is `fcntl` with `F_OFD_SETLK`.
public final class SingleInstance: Sendable {
    /// The name, with its slash.
    public var name: String { file.text }

    private let file: SharedName
    private let identity: FileIdentity
    private let box: Mutex<Descriptor?>
    static let room = 16

    /// Becomes the only process of a name.
    ///
    /// - Parameters:
    ///   - name: a slash and a word of at most 255 bytes; the slash may be missing. It is the whole host's: another user's is refused, so
    ///     that names of a user should have him in them.
    /// - Throws: ``SharedObjectError``: `alreadyRunning` with the ``SharedObjectError/process`` that is; `badName`, `notPermitted`,
    ///   `limitReached`.
    public init(named name: String) throws {
        let file = try SharedName(name, .instance, "become")
        while true {
            let found = try SharedFile.open(file, .createOrOpen, .init()) { descriptor in
                try SharedFile.allocate(SingleInstance.room, of: descriptor, "become", file.subject)
            }
            guard found.size == SingleInstance.room else {
                throw SharedObjectError(
                    .wrongLayout, "become", on: file.subject, .invalidArgument, "what is there is something else")
            }
            let region = try SharedRegion.map(found.descriptor, size: SingleInstance.room, "become", on: file.subject)
            let result = ipc_record_lock(found.descriptor.number, Int32(IPC_LOCK_EXCLUSIVE.rawValue), 0, 0, 0)
            // Whoever had it before took the name away with it: a lock on what has no name keeps out nobody.
            if result == 0, !SharedFile.has(file, found.identity) { continue }
            guard result == 0 else {
                guard result == -Errno.wouldBlock.rawValue else {
                    throw SharedObjectError("become", on: file.subject, Errno(rawValue: -result))
                }
                let process = SingleInstance.process(in: region)
                throw SharedObjectError(
                    .alreadyRunning, "become", on: file.subject, .wouldBlock,
                    "process \(process.map(String.init(describing:)) ?? "?") is the one", process: process)
            }
            region.address.storeBytes(of: ProcessID.current.rawValue, as: Int32.self)
            (self.file, identity) = (file, found.identity)
            box = Mutex(found.descriptor)
            return
        }
    }

    deinit { end() }

    /// Lets another process be the one, as dropping the last reference does.
    public func end() {
        box.withLock { descriptor in
            guard descriptor != nil else { return }
            // The name first: who gets the lock afterwards sees that it has none.
            try? SharedFile.remove(file, identity)
            descriptor = nil
        }
    }

    /// What the one has written of itself; until it has, the number of one before may stand there, who is gone.
    static func process(in region: SharedRegion) -> ProcessID? {
        ProcessID(region.address.load(as: Int32.self)).flatMap {
            ipc_kill($0.rawValue, 0) == -Errno.noSuchProcess.rawValue ? nil : $0
        }
    }

    /// The process that is the one; `nil` if none is, or it has no number here.
    ///
    /// - Throws: ``SharedObjectError`` with `badName`, `notPermitted`, `wrongLayout`.
    public static func running(_ name: String) throws -> ProcessID? {
        let file = try SharedName(name, .instance, "look at")
        do {
            let found = try SharedFile.open(file, .open, .init()) { _ in }
            guard found.size == room, ipc_record_is_locked(found.descriptor.number, 0, 0) == 1 else { return nil }
            let region = try SharedRegion.map(found.descriptor, size: room, "look at", on: file.subject)
            return process(in: region)
        } catch let error as SharedObjectError where error.kind == .notFound { return nil }
    }
}
