// The entry: where a copy of this program that was started as a worker leaves the way of the program.
import CIPC
import Synchronization

/// The workers of this program; ``runIfRequested()`` is how its copies become them.
///
/// A name of its own, since Swift calls no static function on a protocol.
public enum Workers {
    /// Does nothing in the program itself. In a copy that was started as a worker it does the worker's job, sends the reply,
    /// and ends the process: what follows in `main` does not run there.
    ///
    /// To be the first statement of `main`: what stands before it runs in each worker too. A program in which it was not called
    /// cannot start workers, so that none runs on into the program's own code.
    ///
    /// A process is a worker if it has the variable `IPC_WORKER` (not in a setuid program), and its descriptor 3 is a
    /// connected Unix stream socket made by its own user or by root. Otherwise the variable means nothing. With both, the
    /// process does not go on as the program whatever comes: if the variable does not name a ``Worker`` of this program, the
    /// parent is told, and the exit status is 71. Variable and socket are not passed on to what the worker starts.
    ///
    /// The worker ends as a program that returns from `main`, by C's `exit`: it is a fresh process image with nothing of its
    /// parent's in its buffers, and what it has printed itself is written. The status is 0 after a reply, 1 after an error. If
    /// the parent goes away, or drops the worker, the worker's process group is killed. The C functions are `secure_getenv`
    /// and `getsockopt` with `SO_PEERCRED`.
    public static func runIfRequested() {
        guard !hasEntered.exchange(true, ordering: .acquiringAndReleasing), let (name, socket) = takeRequest() else {
            return
        }
        ipc_exit(WorkerEntry(socket).run(name))
    }

    private static let hasEntered = Atomic(false)

    /// Whether this program asks its copies what they are: then they do not run on as the program.
    static var wereAsked: Bool { hasEntered.load(ordering: .acquiring) }

    /// The worker's name and socket, if this process was started as one. Neither is left for others to find.
    private static func takeRequest() -> (name: String, socket: MessageSocket)? {
        guard let value = ipc_secure_environment(WorkerName.variable) else { return nil }
        let name = String(cString: value)
        var (process, user, group): (Int32, UInt32, UInt32) = (0, 0, 0)
        guard ipc_is_connected_unix_stream(WorkerName.socket) == 1,
            ipc_peer_credentials(WorkerName.socket, &process, &user, &group) == 0,
            // Root may have given us other rights than its own.
            user == ipc_user_id() || user == 0
        else { return nil }
        ipc_remove_environment(WorkerName.variable)
        guard let descriptor = try? Descriptor(adopting: WorkerName.socket) else { return nil }
        return (name, MessageSocket(descriptor, subject: "parent"))
    }
}
