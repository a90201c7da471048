// The terminal's foreground, lent to a program for the time of its run, and given back while the program is stopped.
import CIPC
import SystemPackage

/// The terminal that this process's group holds the foreground of, through its standard input.
struct ForegroundTerminal: Sendable {
    let number: Int32 = 0
    private let ours: Int32

    /// `nil` if the program is not to read from the terminal, there is none, or its foreground is not ours to lend.
    init?(for input: Command.Input) {
        guard case .inherit = input.source, ipc_is_terminal(0) == 1 else { return nil }
        ours = ipc_process_group(0)
        guard ours > 0, ipc_get_foreground_group(0) == ours else { return nil }
    }

    /// Whether the program's group has the foreground, or one that is gone. A shell that has sent us to the background has
    /// it itself.
    func isHeld(by program: Int32?) -> Bool {
        let group = ipc_get_foreground_group(number)
        return group > 1 && (group == program || ipc_kill(-group, 0) == -Errno.noSuchProcess.rawValue)
    }

    /// Takes the foreground back from the program's group.
    func takeBack() { _ = ipc_set_foreground_group(number, ours) }

    /// Does what a shell does when Ctrl-Z stops the program: takes the foreground back and stops too, so that the shell
    /// has its turn; continued, gives the program the foreground again and continues it.
    ///
    /// A child's stop makes no descriptor ready, so a thread of its own waits for it; the thread ends with the child, or with
    /// the last one of its group, all of which are our children then.
    func followStops(of child: Child, withGroup: Bool = false) throws {
        guard child.descriptor.enter() else { return }
        let follower = Unmanaged.passRetained(StopFollower(terminal: self, child: child, withGroup: withGroup))
        let status = ipc_thread_start(
            "ipc-stops",
            { pointer in
                guard let pointer else { return }
                Unmanaged<StopFollower>.fromOpaque(pointer).takeRetainedValue().follow()
            }, follower.toOpaque())
        guard status != 0 else { return }
        follower.release()
        child.descriptor.leave()
        throw SystemError("start", on: "thread for stops", Errno(rawValue: -status))
    }

    fileprivate func lend(to group: Int32) {
        if ipc_get_foreground_group(number) == ours { _ = ipc_set_foreground_group(number, group) }
    }
}

/// What the thread needs; it has entered the child's descriptor, and leaves it at the end.
private final class StopFollower: Sendable {
    private let terminal: ForegroundTerminal
    private let descriptor: SharedDescriptor
    private let group: Int32
    private let withGroup: Bool

    init(terminal: ForegroundTerminal, child: Child, withGroup: Bool) {
        self.terminal = terminal
        self.withGroup = withGroup
        descriptor = child.descriptor
        group = child.processID.rawValue
    }

    func follow() {
        while (withGroup ? ipc_wait_for_stop_in_group(group) : ipc_wait_for_stop(descriptor.number)) == 1 {
            terminal.takeBack()
            _ = ipc_stop_own_group()
            terminal.lend(to: group)
            _ = ipc_kill(-group, IPC_SIGCONT)
        }
        descriptor.leave()
    }
}
