// Opening a FIFO, which is meeting whoever opens its other side.
import CIPC
import SystemPackage

extension FIFO {
    /// Opens the FIFO for reading, waiting until somebody writes; the reader sees the end when the last writer has left.
    ///
    /// Whoever came first waits for the other: there is no end before the first writer. Several readers share what is written,
    /// in pieces that nobody chooses.
    ///
    /// - Parameters:
    ///   - staysOpen: whether to read on from one writer to the next: the call then waits for nobody, and the reader never
    ///     sees an end. It needs the right to write to the FIFO too, since it is that which keeps the stream open.
    ///   - timeout: how long to wait for a writer; as long as it takes for `nil`.
    /// - Throws: ``SystemError`` as ``init(at:trusting:)`` does, with `EACCES`, and with `ESTALE` if the FIFO was removed or replaced,
    ///   before or while this waits; with `EAGAIN` if 1,024 blocking calls are under way in this process. ``TimeoutError``,
    ///   `CancellationError`; nobody has been met then. The C function is `open`.
    public func openForReading(staysOpen: Bool = false, timeout: Duration? = nil) async throws -> ByteReader {
        try await reader(staysOpen, Deadline.after(timeout))
    }

    /// Opens the FIFO for reading, as ``openForReading(staysOpen:timeout:)`` does, until a deadline.
    public func openForReading(staysOpen: Bool = false, deadline: Deadline) async throws -> ByteReader {
        try await reader(staysOpen, deadline)
    }

    /// Opens the FIFO for writing, waiting until somebody reads. The reader sees the end when the writer, and all others, are closed.
    ///
    /// - Throws: as ``openForReading(staysOpen:timeout:)`` does. The C function is `open`.
    public func openForWriting(timeout: Duration? = nil) async throws -> ByteWriter {
        try await writer(Deadline.after(timeout))
    }

    /// Opens the FIFO for writing, as ``openForWriting(timeout:)`` does, until a deadline.
    public func openForWriting(deadline: Deadline) async throws -> ByteWriter { try await writer(deadline) }

    /// Opens the FIFO for writing if somebody reads; `nil` if nobody does. Never waits.
    ///
    /// - Throws: ``SystemError`` as ``openForReading(staysOpen:timeout:)`` does. That nobody reads is not an error.
    public func tryOpenForWriting() throws -> ByteWriter? {
        try file.checkPresence()
        guard let end = try file.openAtOnce(IPC_O_WRONLY) else { return nil }
        return ByteWriter(fifoEnd(end))
    }

    private func reader(_ staysOpen: Bool, _ deadline: Deadline?) async throws -> ByteReader {
        try await SharedDescriptor.beginCall("open", on: path.string, deadline: deadline)
        try file.checkPresence()
        if staysOpen {
            guard let end = try file.openAtOnce(IPC_O_RDWR) else {
                throw SystemError("open", on: path.string, .wouldBlock)
            }
            return ByteReader(fifoEnd(end))
        }
        return ByteReader(fifoEnd(try await file.meet(IPC_O_RDONLY, deadline)))
    }

    private func writer(_ deadline: Deadline?) async throws -> ByteWriter {
        try await SharedDescriptor.beginCall("open", on: path.string, deadline: deadline)
        try file.checkPresence()
        if let end = try file.openAtOnce(IPC_O_WRONLY) { return ByteWriter(fifoEnd(end)) }
        return ByteWriter(fifoEnd(try await file.meet(IPC_O_WRONLY, deadline)))
    }

    private func fifoEnd(_ end: consuming Descriptor) -> SharedDescriptor {
        SharedDescriptor(end, .nonblocking, subject: path.string)
    }
}

extension FIFOFile {
    /// Opens the FIFO without waiting; `nil` if it would be for writing and nobody reads.
    func openAtOnce(_ access: Int32) throws(SystemError) -> Descriptor? {
        let own = ownPath
        let result = SystemCall.retrying { ipc_open(own, access | IPC_O_NONBLOCK | IPC_O_NOCTTY, 0) }
        if result == -Errno.noSuchAddressOrDevice.rawValue, access == IPC_O_WRONLY { return nil }
        if result < 0 { throw SystemError("open", on: path.string, Errno(rawValue: -result)) }
        return try Descriptor(fresh: result, "open", on: path.string)
    }

    /// Opens the FIFO as soon as somebody opens its other side.
    func meet(_ access: Int32, _ deadline: Deadline?) async throws -> Descriptor {
        let end = try await meet(deadline) { [ownPath] in Int(ipc_open(ownPath, access | IPC_O_NOCTTY, 0)) }
        guard let end else {
            throw SystemError("open", on: "\(path), removed while it was waited for", .staleNFSFileHandle)
        }
        return end
    }

    /// Makes a blocking call that opens the FIFO, until the FIFO's name is gone: `nil` then.
    ///
    /// The open file is made one that does not wait: it is ours alone.
    func meet(_ deadline: Deadline?, _ open: @escaping @Sendable () -> Int) async throws -> Descriptor? {
        let met = try await withThrowingTaskGroup(of: SentDescriptor?.self) { group in
            group.addTask {
                let number = try await BlockingCall.perform("open", on: self.path.string, deadline: deadline, open)
                return SentDescriptor(try Descriptor(fresh: Int32(number), "open", on: self.path.string))
                    as SentDescriptor?
            }
            group.addTask {
                // The limit is the opening's, which says so.
                _ = try await Deadline.$ambient.withValue(nil) { try await self.waitUntilGone(nil) }
                return nil
            }
            defer { group.cancelAll() }
            if let first = try await group.next(), let end = first { return end as SentDescriptor? }
            group.cancelAll()
            // What the kernel had granted when the name went is granted.
            guard case .success(let late) = await group.nextResult() else { return nil as SentDescriptor? }
            return late
        }
        guard let end = try met?.take() else { return nil }
        let number = end.number
        let flags = try SystemCall.perform("open", on: path.string) { ipc_get_status_flags(number) }
        try SystemCall.perform("open", on: path.string) { ipc_set_status_flags(number, flags | IPC_O_NONBLOCK) }
        return end
    }
}
