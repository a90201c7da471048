// The same program as a child: a type names what it does, and one call has it done in a process of its own.

/// A job that this program does in a process of its own: another copy of the program, started for the one request.
///
/// ```swift
/// struct Resize: Worker {
///     static func run(_ picture: Picture) async throws -> Picture { ... }
/// }
///
/// @main struct App {
///     static func main() {
///         Workers.runIfRequested()  // the first statement
///         ...
///     }
/// }
///
/// let small = try await Resize.perform(picture, timeout: .seconds(10))
/// ```
///
/// What perlipc did with `open(HANDLE, "-|")`, a fork that goes on in the same program, cannot be done in a program with
/// threads. A worker is a fresh process image: it shares no memory with its parent, no lock that somebody held, no buffer
/// that would be written twice, and it cannot run on into the parent's code. If it crashes, hangs or fills its memory, the
/// parent has an error.
///
/// Request and reply go over a socket of the two, and may be of any size and hold descriptors (``SentDescriptor``). The
/// worker runs in ``EventLoop/run(_:)`` on its main thread, so it may not need the main actor. The system calls are `execve`
/// of `/proc/self/exe` and `socketpair`.
///
/// The type is found by its name, so it is neither `private` nor inside a function.
public protocol Worker {
    /// What the worker is given.
    associatedtype Request: Codable & Sendable

    /// What it gives back.
    associatedtype Reply: Codable & Sendable

    /// The error that comes back as it was thrown. All others arrive as ``WorkerError`` with their text.
    associatedtype Failure: Error & Codable & Sendable = Never

    /// Does the job, in the process that was started for it. The process ends when this returns or throws.
    static func run(_ request: Request) async throws -> Reply

    /// The most bytes that a reply may have; 1 GiB unless the type says otherwise.
    static var replyLimit: Int { get }
}

extension Worker {
    /// 1 GiB.
    public static var replyLimit: Int { 1 << 30 }

    /// Starts a worker, has it do the job, and gives its reply; its process has ended and is reaped then.
    ///
    /// The worker reads from `/dev/null` and writes to this process's standard output and error. It gets ``Environment/minimal``,
    /// no descriptor but 0 to 2 and the socket, and leads a process group of its own.
    ///
    /// - Parameters:
    ///   - request: what the worker is given.
    ///   - timeout: how long it may take; then it is ended, and ``TimeoutError`` thrown.
    ///   - grace: how long its tree may take to comply with SIGTERM, after a limit or a cancellation, before SIGKILL.
    ///   - configured: changes the command by which the worker is started: its environment, directory, credentials, limits,
    ///     streams. A stream that is a pipe needs somebody at its other end: ``start(_:configured:)``.
    /// - Throws: ``Failure`` as the worker threw it; ``WorkerError`` if it threw another error or ended without a reply;
    ///   ``StartError``; ``TimeoutError``; `CancellationError`. After each of them nothing of the worker's tree is left.
    public static func perform(
        _ request: Request, timeout: Duration? = nil, grace: Duration = .seconds(2),
        configured: (Command) -> Command = { $0 }
    ) async throws -> Reply {
        try await perform(request, Deadline.after(timeout), grace, configured)
    }

    /// Starts a worker and gives its reply, as ``perform(_:timeout:grace:configured:)`` does, until a deadline.
    public static func perform(
        _ request: Request, deadline: Deadline, grace: Duration = .seconds(2),
        configured: (Command) -> Command = { $0 }
    ) async throws -> Reply {
        try await perform(request, deadline, grace, configured)
    }

    private static func perform(
        _ request: Request, _ deadline: Deadline?, _ grace: Duration, _ configured: (Command) -> Command
    ) async throws -> Reply {
        let worker = try await RunningWorker<Self>(starting: request, servingPipes: false, configured)
        return try await worker.reply(deadline, grace)
    }

    /// Starts a worker and gives a handle to it, from which its reply comes; its streams are those that `configured` asks for.
    ///
    /// ```swift
    /// let worker = try await Resize.start(picture) { $0.output(.pipe) }
    /// ```
    ///
    /// A handle that is dropped without a reply ends the worker.
    ///
    /// - Parameters:
    ///   - request: what the worker is given. It is sent while the worker already runs.
    ///   - configured: changes the command by which the worker is started. Its descriptor 3 is the library's.
    /// - Throws: ``StartError``; ``WorkerError`` with `notEntered` or `unknown` if this program cannot be its own worker;
    ///   what encoding the request throws; `CancellationError`. When it throws, nothing has run.
    public static func start(
        _ request: Request, configured: (Command) -> Command = { $0 }
    ) async throws -> RunningWorker<Self> {
        try await RunningWorker(starting: request, servingPipes: true, configured)
    }
}
