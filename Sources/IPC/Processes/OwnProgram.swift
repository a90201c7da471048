// The file that this program was executed from.
import CIPC
import SystemPackage

enum OwnProgram {
    private static let link = "/proc/self/exe"

    /// The file under which this very program can be executed again: its name, which is what a list of processes shows, as
    /// long as the name means the file that we are; else the kernel's link to it.
    static var file: [UInt8] {
        let name = newestFile
        var (own, named) = (ipc_file_information(), ipc_file_information())
        guard ipc_file_status(link, &own) == 0, withTerminated(name, { ipc_file_status($0, &named) }) == 0,
            FileIdentity(own) == FileIdentity(named)
        else { return Array(link.utf8) }
        return name
    }

    /// The file that has the program's name by now, be it us or a newer version.
    static var newestFile: [UInt8] {
        guard var name = SmallFile.target(of: link), name.count < 4096 else { return Array(link.utf8) }
        let mark = Array(" (deleted)".utf8)
        if name.suffix(mark.count) == mark[...] { name.removeLast(mark.count) }
        return withTerminated(name) { ipc_may_execute($0) } == 0 ? name : Array(link.utf8)
    }
}
