// A mapping of memory that others share, and may cut short at any time.
import CIPC
import SystemPackage

/// The bytes of a file in this process's memory.
///
/// Pages that the file has no more are replaced by zeros when they are touched, and ``check(_:on:)`` says so afterwards.
final class SharedRegion: @unchecked Sendable {
    // Safe because the pointer never changes, and C's functions on it may be called from any thread.
    let region: OpaquePointer

    private init(_ region: OpaquePointer) { self.region = region }

    deinit { ipc_region_unmap(region) }

    /// Maps the first bytes of a file.
    static func map(
        _ descriptor: borrowing Descriptor, size: Int, isReadOnly: Bool = false, _ operation: String, on subject: String
    ) throws(SharedObjectError) -> SharedRegion {
        var error: Int32 = 0
        guard let region = ipc_region_map(descriptor.number, size, isReadOnly ? 1 : 0, &error) else {
            throw SharedObjectError(operation, on: subject, Errno(rawValue: error))
        }
        return SharedRegion(region)
    }

    /// Maps an object with a lock.
    static func mapLocked(
        _ descriptor: borrowing Descriptor, size: Int, _ operation: String, on subject: String
    ) throws(SharedObjectError) -> SharedRegion {
        var error: Int32 = 0
        guard let region = ipc_lock_map(descriptor.number, size, &error) else {
            throw SharedObjectError(operation, on: subject, Errno(rawValue: error))
        }
        return SharedRegion(region)
    }

    var address: UnsafeMutableRawPointer { ipc_region_address(region) }

    var isBroken: Bool { ipc_region_is_broken(region) != 0 }

    /// Throws if what was just done has met a page that is not there any more.
    @inline(__always)
    func check(_ operation: String, on subject: @autoclosure () -> String) throws(SharedObjectError) {
        if isBroken { throw broken(operation, subject()) }
    }

    @inline(never)
    private func broken(_ operation: String, _ subject: String) -> SharedObjectError {
        SharedObjectError(
            .truncated, operation, on: subject, .ioError,
            "its memory is gone: another process has cut it short, or there is none left")
    }
}
