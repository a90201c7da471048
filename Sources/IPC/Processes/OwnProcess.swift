// What this process gives up for good.
import CIPC
public import SystemPackage

extension Credentials {
    /// Has this process, with all its threads, have these rights from now on, and no way back.
    ///
    /// For servers that have bound their ports as root. Groups, group and user are changed in this order, all three ids of each, and
    /// read back; then the way back is tried. What children are started afterwards begins with these rights. The C functions are
    /// `setgroups`, `setresgid` and `setresuid`.
    ///
    /// - Throws: ``SystemError`` with `EPERM` if they may not be taken, or would not stick. The process is to end then: it may have
    ///   some of the rights and not the others.
    public func takeForGood() throws {
        try SystemCall.perform("change to", on: "user \(userID), group \(groupID)") {
            groups.withUnsafeBufferPointer {
                ipc_become(userID, groupID, $0.baseAddress, Int32(clamping: groups.count))
            }
        }
    }
}

/// This process.
public enum OwnProcess {
    /// Has a folder be the root of all files for this process and what it starts from now on. What is open stays open.
    ///
    /// Needs root's rights; a process that keeps them can get out, so that ``Credentials/takeForGood()`` belongs after it. The C
    /// functions are `chroot` and `chdir`.
    ///
    /// - Throws: ``SystemError``.
    public static func changeRoot(to folder: FilePath) throws {
        try SystemCall.perform("change root to", on: folder.string) {
            folder.withPlatformString { ipc_change_root($0) }
        }
    }
}
