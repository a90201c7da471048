// Listening sockets from one process to the next: from a service manager, and to a successor.
import CIPC
import Synchronization
import SystemPackage

extension Listener {
    /// The sockets that this process was started with: by a service manager (`LISTEN_FDS`, see sd_listen_fds(3)), or by a
    /// predecessor with ``Command/handingOver(_:)``. `nil` if there are none.
    ///
    /// The variables are taken out of the environment, so that no child takes the sockets for its own.
    ///
    /// - Throws: ``SystemError`` if what was handed over does not listen.
    public static func activated() throws -> Listener? {
        guard let text = ipc_environment_value("LISTEN_FDS").map({ String(cString: $0) }) else { return nil }
        let process = ipc_environment_value("LISTEN_PID").map { String(cString: $0) }
        let predecessor = ipc_environment_value("IPC_LISTEN_PARENT").map { String(cString: $0) }
        // Meant for this process, and not for one that had the variables before it.
        guard process == "\(ipc_process_id())" || predecessor == "\(ipc_parent_process_id())" else { return nil }
        for name in ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "IPC_LISTEN_PARENT"] { ipc_remove_environment(name) }
        guard let count = Int32(text), 1...1024 ~= count else {
            throw SystemError("take over", on: "LISTEN_FDS=\(text)", .invalidArgument)
        }
        return try Listener(adopting: (0..<count).map { 3 + $0 })
    }
}

extension Command {
    /// The command whose program gets a listener's sockets, as ``Listener/activated()`` finds them there.
    ///
    /// Both processes listen until this one closes its listener: no client is refused in between. The files of Unix sockets stay
    /// where they are when this one does so.
    public func handingOver(_ listener: Listener) -> Command {
        let variables = environment.setting("LISTEN_FDS", to: "\(listener.sockets.count)")
            .setting("IPC_LISTEN_PARENT", to: "\(ipc_process_id())").removing("LISTEN_PID")
        var command = environment(variables)
        for (index, socket) in listener.sockets.enumerated() {
            socket.leaveFile()
            command = command.changed {
                $0.setup.descriptors.removeAll { $0.number == 3 + Int32(index) }
                $0.setup.descriptors.append(
                    PassedDescriptor(source: .shared(socket.descriptor), number: 3 + Int32(index)))
            }
        }
        return command
    }
}
