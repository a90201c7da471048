// Opening a file with another user's rights, without ever having them: a worker has them, and hands the descriptor back.
import CIPC
public import SystemPackage

extension Descriptor {
    /// Opens a file as another user, in a worker that has that user's rights and ends when it is done.
    ///
    /// What perlipc did by a fork and an assignment to `$EUID` in the child: the kernel checks the path and the file against
    /// those credentials, and this process, whose own rights never change, gets the open descriptor. It needs the privilege
    /// to take the credentials, and a program that begins with ``Workers/runIfRequested()``.
    ///
    /// ```swift
    /// let file = try await Descriptor.open("/home/joe/log", for: .append, as: Credentials(user: "joe"))
    /// ```
    ///
    /// - Parameters:
    ///   - path: the file; a relative path begins at this process's directory.
    ///   - access: how it is opened.
    ///   - permissions: those of a file that is made, as in ``open(_:for:permissions:)``. It belongs to the other user.
    ///   - credentials: whose rights count.
    ///   - timeout: how long it may take, the start of the worker included. A FIFO or a network file system may make it wait.
    /// - Throws: ``SystemError`` as the other user gets it; ``StartError`` if the credentials cannot be taken;
    ///   ``WorkerError``; ``TimeoutError``; `CancellationError`.
    public static func open(
        _ path: FilePath, for access: Access, permissions: FilePermissions = .ownerReadWrite,
        as credentials: Credentials, timeout: Duration? = nil
    ) async throws -> Descriptor {
        try await open(path, access, permissions, credentials, Deadline.after(timeout))
    }

    /// Opens a file as another user, as ``open(_:for:permissions:as:timeout:)`` does, until a deadline.
    public static func open(
        _ path: FilePath, for access: Access, permissions: FilePermissions = .ownerReadWrite,
        as credentials: Credentials, deadline: Deadline
    ) async throws -> Descriptor {
        try await open(path, access, permissions, credentials, deadline)
    }

    private static func open(
        _ path: FilePath, _ access: Access, _ permissions: FilePermissions, _ credentials: Credentials,
        _ deadline: Deadline?
    ) async throws -> Descriptor {
        let request = FileOpening.Request(
            path: path.argumentBytes, flags: access.flags, permissions: UInt32(permissions.rawValue))
        do {
            let worker = try await FileOpening.start(request) { $0.running(as: credentials) }
            return try await worker.reply(deadline, .zero).take()
        } catch let error as FileOpening.Failure {
            throw SystemError("open", on: path.string, Errno(rawValue: error.number))
        }
    }
}

/// Opens a file with the rights that it was started with.
enum FileOpening: Worker {
    struct Request: Codable, Sendable {
        let path: [UInt8]
        let flags: Int32
        let permissions: UInt32
    }

    struct Failure: Error, Codable, Sendable {
        let number: Int32
    }

    static func run(_ request: Request) async throws -> SentDescriptor {
        let number = SystemCall.retrying {
            withTerminated(request.path) { ipc_open($0, request.flags | IPC_O_NOCTTY, request.permissions) }
        }
        guard number >= 0 else { throw Failure(number: -number) }
        return SentDescriptor(try Descriptor(fresh: number, "open", on: "file"))
    }
}
