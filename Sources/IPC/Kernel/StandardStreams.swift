// The program's own standard streams. They are shared with whoever started us, so they are used and never changed.

extension ByteReader {
    /// The program's standard input, descriptor 0.
    ///
    /// The descriptor is never made non-blocking and never closed: it is shared with the shell, the terminal and other
    /// programs. Reading when the program was started without it throws ``SystemError`` with `EBADF`.
    public static let standardInput = ByteReader(.borrowing(0, writing: false, subject: "standard input"))
}

extension ByteWriter {
    /// The program's standard output, descriptor 1: not buffered, never made non-blocking, never closed.
    ///
    /// That a disk is full shows in the write, and again in ``close()``, so that a program which looks at the end only
    /// does not miss it.
    public static let standardOutput = ByteWriter(.borrowing(1, writing: true, subject: "standard output"))

    /// The program's standard error, descriptor 2; as ``standardOutput``.
    public static let standardError = ByteWriter(.borrowing(2, writing: true, subject: "standard error"))
}
