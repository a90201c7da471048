// The namespace of POSIX semaphores and message queues.

/// POSIX IPC beside shared memory: semaphores and message queues that are found by a name.
///
/// ```swift
/// let semaphore = try POSIX.Semaphore(named: "/ready")
/// try await semaphore.acquire(timeout: .seconds(3))
/// ```
///
/// Programs in other languages find the same objects by `sem_open(3)` and `mq_open(3)`. Shared memory is ``SharedMemory``; for a lock that
/// survives its holder there is ``RobustLock``. The kernel's pages are `sem_overview(7)` and `mq_overview(7)`.
public enum POSIX {}
