// The value of a shared object as bytes: read at any time, changed under the lock.
import CIPC
import Synchronization
import SystemPackage

extension SharedObject {
    /// Copies the value without the lock; its number.
    @usableFromInline
    func read(into space: UnsafeMutableRawBufferPointer, _ operation: String) throws -> UInt64 {
        let size = halves.pointee.size
        if size <= 8 {
            var (word, version) = (UInt64(0), UInt64(0))
            try finish(operation) { ipc_shared_read(halves, &word, 8, &version) }
            withUnsafeBytes(of: word) { space.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<space.count])) }
            return version
        }
        var version: UInt64 = 0
        try SharedObject.withRoom(size) { room in
            try finish(operation) { ipc_shared_read(halves, room, size, &version) }
            space.copyMemory(from: UnsafeRawBufferPointer(start: room, count: space.count))
        }
        return version
    }

    /// Copies a value of its own length, in no more memory than that.
    func read(_ operation: String) throws -> (bytes: [UInt8], version: UInt64) {
        while true {
            let room = (ipc_shared_length(halves) + 7) / 8 * 8
            var (version, result) = (UInt64(0), 0)
            let bytes = try [UInt8](unsafeUninitializedCapacity: max(8, room)) { space, used in
                guard let start = space.baseAddress else { return }
                result = try finish(operation) { ipc_shared_read(halves, start, room, &version) }
                used = max(0, result)
            }
            if result != SharedObject.isLonger { return (bytes, version) }
        }
    }

    /// The value has become another meanwhile, for which there is no room.
    private static let isLonger = -Int(Errno.noBufferSpace.rawValue)

    /// The count of a read. One that has met a change each time is made once more under the lock.
    @discardableResult
    @inline(__always)
    private func finish(_ operation: String, _ read: () -> Int) throws -> Int {
        let result = read()
        if result >= 0, !region.isBroken { return result }
        return try finishSlowly(result, operation, read)
    }

    @inline(never)
    private func finishSlowly(_ first: Int, _ operation: String, _ again: () -> Int) throws -> Int {
        var result = first
        if result == -Int(Errno.resourceTemporarilyUnavailable.rawValue), ipc_lock_thread(line) != ipc_thread_id() {
            // No honest program keeps it from us so long.
            _ = try take(operation, Deadline(in: .seconds(1)))
            result = again()
            leave()
        }
        try region.check(operation, on: subject)
        if result == SharedObject.isLonger { return result }
        guard result >= 0 else {
            throw damaged(operation, Errno(rawValue: Int32(-result)))
        }
        return result
    }

    private func damaged(_ operation: String, _ errno: Errno) -> SharedObjectError {
        SharedObjectError(.damaged, operation, on: subject, errno, "its value was written over")
    }

    /// Makes bytes the value, with the lock held; those behind them, up to a whole word, are zeros.
    @usableFromInline
    func commit(_ bytes: UnsafeRawBufferPointer, _ operation: String) throws {
        let size = halves.pointee.size
        if bytes.count == size, let start = bytes.baseAddress {
            ipc_shared_commit(halves, start, size)
        } else if size <= 8 {
            var word: UInt64 = 0
            withUnsafeMutableBytes(of: &word) { $0.copyMemory(from: bytes) }
            ipc_shared_commit(halves, &word, size)
        } else {
            _ = SharedObject.withRoom(size) { room in
                room.initializeMemory(as: UInt8.self, repeating: 0, count: size)
                room.copyMemory(from: bytes.baseAddress ?? UnsafeRawPointer(room), byteCount: bytes.count)
                ipc_shared_commit(halves, room, size)
            }
        }
        try region.check(operation, on: subject)
    }

    /// Makes bytes of any length up to the limit the value, with the lock held.
    func commit(coded bytes: [UInt8], _ operation: String) throws {
        let half = Int(truncatingIfNeeded: ipc_shared_version(halves) &+ 1) & 1
        try reserve(bytes.count, forHalf: half, operation)
        ipc_shared_commit(halves, bytes, bytes.count)
        try region.check(operation, on: subject)
    }

    /// Has memory set aside for a half, so that none is missing while it is written. Each process asks once for what it needs.
    private func reserve(_ count: Int, forHalf half: Int, _ operation: String) throws {
        guard count > reserved.withLock({ $0[half] }) else { return }
        let size = header.inPages(count)
        try SharedFile.allocate(size, at: header.offset(ofHalf: half), of: descriptor, operation, subject)
        reserved.withLock { $0[half] = size }
    }

    /// Takes the lock to change the value. A holder that died has left the value before his change or after it.
    @usableFromInline
    func takeForChange(_ timeout: Duration?) throws { _ = try take("change", Deadline.after(timeout)) }

    /// Takes the lock, and the value as a word, waiting for it as long as need be: nothing more than C's call, unless something is to be
    /// done about it.
    @usableFromInline
    func takeWord() throws -> UInt64 {
        var word: UInt64 = 0
        let result = ipc_shared_take_word(halves, &word, -1)
        return result >= 0 ? word : try takeWord(nil)
    }

    /// The same if nothing has to be waited for or looked at; `nil` if something has.
    @usableFromInline
    func takeWordAtOnce() -> UInt64? {
        var word: UInt64 = 0
        return ipc_shared_take_word(halves, &word, 0) >= 0 ? word : nil
    }

    @usableFromInline
    func beginChange() async throws { try await SharedDescriptor.beginCall("change", on: subject) }

    @usableFromInline
    @inline(never)
    func takeWord(_ timeout: Duration?) throws -> UInt64 {
        _ = try take("change", Deadline.after(timeout))
        var word: UInt64 = 0
        do { _ = try withUnsafeMutableBytes(of: &word) { try read(into: $0, "change") } } catch {
            leave()
            throw error
        }
        return word
    }

    /// Makes a word the value, and leaves the lock.
    @usableFromInline
    func leaveWord(_ word: UInt64) throws {
        if ipc_shared_leave_word(halves, word) < 0 { try region.check("change", on: subject) }
    }

    /// Waits until the version is another, as C's function does.
    func wait(_ version: UInt64, _ until: Int64) -> Int32 { ipc_shared_wait(halves, version, until) }

    static func withRoom<Result>(
        _ size: Int, _ body: (UnsafeMutableRawPointer) throws -> Result
    ) rethrows -> Result? {
        try withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { room in
            try room.baseAddress.map { try body($0) }
        }
    }
}
