// A thread that tests run tasks on: neither one of the pool, which must not be blocked, nor one of a loop.
import Dispatch
import Glibc
import Synchronization

/// An executor with one thread of its own, which may block: in ``EventLoop/run(_:)``, in `waitpid`, in a C function.
///
/// A task that prefers it keeps its task-local values, so an expectation inside is the test's own.
final class OwnThread: TaskExecutor, Sendable {
    /// One that every test may use. It stays for good, so it is not something that a test leaves behind.
    static let shared = OwnThread(named: "test-thread")

    /// Another, for what has to go on while the first is busy with a loop: waiting for processes, closing and cancelling.
    static let other = OwnThread(named: "test-other")

    private struct Jobs {
        var queue: [(job: UnownedJob, actor: UnownedSerialExecutor?)] = []
        var isStopped = false
    }

    private let jobs = Mutex(Jobs())
    private let arrival = DispatchSemaphore(value: 0)

    init(named name: String) {
        let argument = Unmanaged.passRetained(self).toOpaque()
        startThread(named: name, argument) { pointer in
            guard let pointer else { return }
            Unmanaged<OwnThread>.fromOpaque(pointer).takeRetainedValue().serve()
        }
    }

    func enqueue(_ job: consuming ExecutorJob) { enqueue(UnownedJob(job), as: nil) }

    /// Takes a job of an actor that lives on this thread.
    func enqueue(_ job: UnownedJob, as actor: UnownedSerialExecutor?) {
        jobs.withLock { $0.queue.append((job, actor)) }
        arrival.signal()
    }

    /// Runs a body that may block, on this thread.
    func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withTaskExecutorPreference(self) { try await call(body) }
    }

    @concurrent
    private func call<Result: Sendable>(_ body: @Sendable () throws -> Result) async throws -> Result { try body() }

    /// Ends the thread once it has nothing more to do.
    func stop() {
        jobs.withLock { $0.isStopped = true }
        arrival.signal()
    }

    private func serve() {
        let executor = asUnownedTaskExecutor()
        while true {
            arrival.wait()
            let (next, isStopped) = jobs.withLock { jobs in
                (jobs.queue.isEmpty ? nil : jobs.queue.removeFirst(), jobs.isStopped)
            }
            if let next {
                if let actor = next.actor {
                    next.job.runSynchronously(on: actor)
                } else {
                    next.job.runSynchronously(on: executor)
                }
            } else if isStopped {
                return
            }
        }
    }
}

/// Runs a body on a thread made for it, and blocks the calling one until it has ended.
func blockingOnAnotherThread(_ body: @escaping @Sendable () -> Void) {
    let end = DispatchSemaphore(value: 0)
    let work = Unmanaged.passRetained(
        Work {
            body()
            end.signal()
        })
    startThread(named: "test-helper", work.toOpaque()) { pointer in
        guard let pointer else { return }
        Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
    }
    end.wait()
}

private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Starts a thread that nobody joins. The name has at most 15 bytes.
func startThread(
    named name: String, _ argument: UnsafeMutableRawPointer?,
    _ body: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void
) {
    struct Start {
        let name: String
        let argument: UnsafeMutableRawPointer?
        let body: @convention(c) (UnsafeMutableRawPointer?) -> Void
    }
    let start = UnsafeMutablePointer<Start>.allocate(capacity: 1)
    start.initialize(to: Start(name: name, argument: argument, body: body))
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { pointer in
            guard let pointer else { return nil }
            let start = pointer.assumingMemoryBound(to: Start.self).move()
            pointer.deallocate()
            Folder.write(start.name, to: "/proc/thread-self/comm")
            start.body(start.argument)
            return nil
        }, start)
    precondition(status == 0, "pthread_create: \(status)")
    pthread_detach(thread)
}
