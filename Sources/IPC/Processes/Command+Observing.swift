// Watching what a program writes while it is kept.

extension Command {
    /// One of the two streams that a program writes.
    public enum OutputStream: Sendable {
        /// Standard output.
        case output
        /// Standard error.
        case error
    }

    /// The command of which a closure is given each piece that is read of its output and its standard error, as it comes: to show it
    /// and keep it too, or to say how far it is.
    ///
    /// ```swift
    /// let built = try await Command("make").observingOutput { _, bytes in
    ///     _ = try? FileDescriptor.standardOutput.writeAll(bytes)
    /// }.capture()
    /// ```
    ///
    /// It is what this library reads and keeps: all of ``capture(limit:timeout:grace:passingOn:)`` and ``read(limit:timeout:grace:)``, also
    /// beyond their limits; of the other forms standard error, unless that goes elsewhere. As the stages of a ``Pipeline`` each command
    /// observes its own standard error, and the last one the output.
    ///
    /// What goes the way of the output by ``mergingError()`` is told as output. There is one observer: another takes its place.
    ///
    /// The closure is called for one piece of a stream after the other, but for both streams at the same time. While it runs, nothing more
    /// of that stream is read, so one that takes long holds the program up.
    public func observingOutput(_ observe: @escaping @Sendable (OutputStream, [UInt8]) -> Void) -> Command {
        changed { $0.observer = observe }
    }

    /// What is told of one stream.
    func told(_ stream: OutputStream) -> (@Sendable ([UInt8]) -> Void)? {
        guard let observer else { return nil }
        return { observer(stream, $0) }
    }
}
