// Who holds a lock, as far as the kernel's table of locks says it.
import CIPC
public import SystemPackage

extension FileLock {
    /// A process that holds a lock on a file, for messages; `nil` if nobody does, or the kernel does not say who.
    ///
    /// For locks of the ``Kind/wholeFile`` kind it is the process that took the lock. Of the others the kernel knows the
    /// process only if that used the older locks of POSIX, `lockf` and `fcntl` with `F_SETLK`; in the range that the kind
    /// says. By the time one reads it, it may have let go.
    ///
    /// The file is `/proc/locks`, which file systems that are stacked or shared with other machines do not fill in reliably.
    ///
    /// - Throws: ``SystemError`` if the file or `/proc/locks` cannot be read. That there is no such file is not an error.
    public static func holder(of path: FilePath, kind: Kind = .wholeFile) throws -> ProcessID? {
        var file = ipc_file_information()
        let result = path.withPlatformString { ipc_file_status($0, &file) }
        if result == -Errno.noSuchFileOrDirectory.rawValue { return nil }
        if result < 0 { throw SystemError("look at", on: path.string, Errno(rawValue: -result)) }
        let table = String(decoding: try SmallFile.read("/proc/locks"), as: UTF8.self)
        return table.split(separator: "\n").lazy.compactMap(HeldLock.init).first { lock in
            lock.identity == FileIdentity(file) && lock.isOf(kind)
        }?.processID
    }
}

/// A line of `/proc/locks`: `1: FLOCK  ADVISORY  WRITE 1234 fe:00:12345 0 EOF`.
struct HeldLock: Equatable {
    let processID: ProcessID
    let identity: FileIdentity
    private let isRecord: Bool
    private let first: Int64
    private let last: Int64

    /// `nil` for a line about somebody who waits, about another sort of lock, and about a holder without a number.
    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.count == 8, words[1] == "FLOCK" || words[1] == "POSIX" else { return nil }
        guard let processID = Int32(words[4]).flatMap({ ProcessID($0) }), let first = Int64(words[6]) else {
            return nil
        }
        let file = words[5].split(separator: ":")
        guard file.count == 3, let major = UInt64(file[0], radix: 16), let minor = UInt64(file[1], radix: 16),
            let inode = UInt64(file[2])
        else { return nil }
        self.processID = processID
        identity = FileIdentity(major: major, minor: minor, inode: inode)
        isRecord = words[1] == "POSIX"
        self.first = first
        last = Int64(words[7]) ?? .max
    }

    /// Whether it keeps out somebody who wants a lock of the kind.
    func isOf(_ kind: FileLock.Kind) -> Bool {
        guard let range = kind.range else { return !isRecord }
        let end = range.count == 0 ? Int64.max : range.start + range.count - 1
        return isRecord && first <= end && range.start <= last
    }
}
