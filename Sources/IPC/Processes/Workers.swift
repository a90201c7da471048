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
    /// A process was started as a worker if it has the variable `IPC_WORKER` (not in a setuid program) and its descriptor 3
    /// is a connected Unix stream socket. Otherwise the variable means nothing. With both, the process does not go on as the
    /// program whatever comes: if the socket is not its own user's, root's or its parent's, or the variable does not name a
    /// ``Worker`` of this program, the other end is told, and the exit status is 71. Variable and socket are not passed on
    /// to what the worker starts.
    ///
    /// The worker ends as a program that returns from `main`, by C's `exit`: it is a fresh process image with nothing of its
    /// parent's in its buffers, and what it has printed itself is written. The status is 0 after a reply, 1 after an error. If
    /// the parent goes away, or drops the worker, the worker's process group is killed. The C functions are `secure_getenv`
    /// and `getsockopt` with `SO_PEERCRED`.
    public static func runIfRequested() {
        if hasEntered.exchange(true, ordering: .acquiringAndReleasing) { return }
        guard let value = ipc_secure_environment(WorkerName.variable),
            ipc_is_connected_unix_stream(WorkerName.socket) == 1
        else { return }
        let name = String(cString: value)
        ipc_remove_environment(WorkerName.variable)
        guard let socket = try? Descriptor(adopting: WorkerName.socket) else { ipc_exit(WorkerEntry.refused) }
        let isTrusted = mayGiveOrders(WorkerName.socket)
        ipc_exit(WorkerEntry(MessageSocket(socket, subject: "parent")).run(name, isTrusted: isTrusted))
    }

    private static let hasEntered = Atomic(false)

    /// Whether this program asks its copies what they are: then they do not run on as the program.
    static var wereAsked: Bool { hasEntered.load(ordering: .acquiring) }

    /// Whether the process at the other end could have us do anything as it is.
    private static func mayGiveOrders(_ socket: Int32) -> Bool {
        var (process, user, group): (Int32, UInt32, UInt32) = (0, 0, 0)
        guard ipc_peer_credentials(socket, &process, &user, &group) == 0 else { return false }
        // Who starts us with the rights of a third user is neither of the first two.
        return user == ipc_user_id() || user == 0 || process == ipc_parent_process_id()
    }
}
