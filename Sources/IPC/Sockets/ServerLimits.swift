// What a server bears: so many clients, so fast, so long silent.

/// What a server bears of its clients.
public struct ServerLimits: Sendable {
    /// So many clients at once; those beyond wait in the kernel's queue. 1,024 unless told otherwise; 1 is one after the other.
    public var clients = 1024
    /// So many new clients a second; those beyond wait. No limit for `nil`.
    public var clientsPerSecond: Int?
    /// So long a client may keep a read or a write waiting; then that throws ``TimeoutError``. No limit for `nil`.
    public var idle: Duration?
    /// The most bytes that a line may have, where a call does not say. 1 MiB unless told otherwise.
    public var lineLength = 1 << 20
    /// The most bytes of a client's writes that wait for an earlier one to be done; one more fails with `ENOBUFS`. 4 MiB unless told
    /// otherwise.
    public var unsent = 4 << 20
    /// What a client beyond ``clients`` is told before it is hung up on; `nil` has it wait instead.
    public var refusal: String?
    /// So long clients may go on when the server is to end; then they are cancelled. 10 s unless told otherwise.
    public var stop = Duration.seconds(10)

    /// The standard limits.
    public init() {}

    /// The standard limits but for the number of clients, their idle time, and the time that they have when the server is to end.
    public init(clients: Int, idle: Duration? = nil, stop: Duration = .seconds(10)) {
        (self.clients, self.idle, self.stop) = (clients, idle, stop)
    }
}
