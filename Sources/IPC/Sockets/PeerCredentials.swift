// Who is at the other end of a Unix socket, as the kernel knows it.
import CIPC

/// The process that made the other end of a Unix socket, at the time it connected. The C option is `SO_PEERCRED`.
///
/// Rights are decided by user and group. The number of the process may be another's by the time that it is looked at;
/// ``Connection/peerIsAlive`` asks the kernel about the process itself.
public struct PeerCredentials: Hashable, Sendable {
    /// The process; `nil` for one outside our namespace.
    public let processID: ProcessID?
    /// Its effective user. 65534 may stand for one of another namespace.
    public let userID: UInt32
    /// Its effective group.
    public let groupID: UInt32

    static func of(_ number: Int32, _ subject: String) throws(SystemError) -> PeerCredentials {
        var (process, user, group): (Int32, UInt32, UInt32) = (0, 0, 0)
        try SystemCall.perform("credentials of", on: subject) { ipc_peer_credentials(number, &process, &user, &group) }
        return PeerCredentials(processID: ProcessID(process), userID: user, groupID: group)
    }
}

extension Connection {
    /// Who is at the other end of a Unix socket.
    ///
    /// - Throws: ``SystemError`` for a connection of another kind.
    public var credentials: PeerCredentials {
        get throws { try descriptor.use("credentials of") { try PeerCredentials.of($0, name) } }
    }

    /// Whether the process that connected still runs, `nil` where the kernel does not say (before 6.5). No number is looked up,
    /// so that it cannot be another's. The C option is `SO_PEERPIDFD`.
    ///
    /// - Throws: ``SystemError`` with `ECANCELED` once the connection is closed.
    public var peerIsAlive: Bool? {
        get throws {
            try descriptor.use("process of") { number in
                let held = ipc_peer_process(number)
                guard held >= 0 else { return held == -3 ? false : nil }  // ESRCH: it is gone and reaped
                defer { _ = ipc_close(held) }
                return ipc_poll_once(held, IPC_EPOLLIN) == 0
            }
        }
    }
}
