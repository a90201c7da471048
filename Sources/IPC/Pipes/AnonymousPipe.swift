// A pipe: what is written at one end is read at the other.
import CIPC
import SystemPackage

/// A pipe without a name: what is written at one end is read at the other, in this process or, handed on, in another.
///
/// The system call is `pipe2` with `O_CLOEXEC`.
public struct AnonymousPipe: Sendable {
    /// The end that bytes come out of.
    public let reader: ByteReader

    /// The end that bytes go into. Closing it is how the reader learns of the end.
    public let writer: ByteWriter

    /// Makes a pipe.
    ///
    /// - Parameter capacity: how many bytes fit in before a writer has to wait; the kernel's own, 64 KiB, for `nil`. The
    ///   kernel rounds up to a power of two, and refuses those without privilege more than `/proc/sys/fs/pipe-max-size`.
    /// - Throws: ``SystemError``, for example `EMFILE`, and `EPERM` for a capacity beyond the limit.
    public init(capacity: Int? = nil) throws {
        var ends = try PipeEnds()
        if let capacity { try ends.setCapacity(capacity) }
        reader = ByteReader(try .pipeEnd(ends.takeReader(), writing: false, subject: "pipe"))
        writer = ByteWriter(try .pipeEnd(ends.takeWriter(), writing: true, subject: "pipe"))
    }

    /// How many bytes fit into the pipe. The C function is `fcntl` with `F_GETPIPE_SZ`.
    ///
    /// - Throws: ``SystemError`` with `ECANCELED` if both ends are closed.
    public var capacity: Int {
        get throws {
            let descriptor = reader.descriptor.isClosed ? writer.descriptor : reader.descriptor
            guard descriptor.enter() else { throw descriptor.closedError("capacity") }
            defer { descriptor.leave() }
            return Int(
                try SystemCall.perform("capacity", on: "pipe") { ipc_get_pipe_capacity(descriptor.number) })
        }
    }

    /// How many bytes are in the pipe now. The C function is `ioctl` with `FIONREAD`.
    ///
    /// - Throws: ``SystemError`` with `ECANCELED` if the reader is closed.
    public var bytesInside: Int {
        get throws {
            guard reader.descriptor.enter() else { throw reader.descriptor.closedError("bytes in") }
            defer { reader.descriptor.leave() }
            let number = reader.descriptor.number
            return Int(try SystemCall.perform("bytes in", on: "pipe") { ipc_bytes_readable(number) })
        }
    }
}
