// Files and folders that the kernel makes up while they are read: /proc and its like, which never make anybody wait.
import CIPC
import SystemPackage

/// Reading of what is small, or has no size before it is read.
enum SmallFile {
    /// All that a file holds.
    ///
    /// - Parameter folder: an open folder that the path begins at, unless it begins with a slash; -1 for none.
    static func read(_ path: String, in folder: Int32 = -1) throws(SystemError) -> [UInt8] {
        let file = try open(path, in: folder, IPC_O_RDONLY)
        let number = file.number
        var bytes: [UInt8] = []
        while true {
            let result = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
                let count = SystemCall.retrying { ipc_read(number, room.baseAddress, room.count) }
                if count > 0 { bytes.append(contentsOf: room[..<count]) }
                return count
            }
            if result == 0 { return bytes }
            if result < 0 { throw SystemError("read", on: path, Errno(rawValue: Int32(-result))) }
        }
    }

    static func open(_ path: String, in folder: Int32 = -1, _ flags: Int32) throws(SystemError) -> Descriptor {
        let number = try SystemCall.perform("open", on: path) { ipc_open_at(folder, path, flags | IPC_O_NOCTTY) }
        return try Descriptor(fresh: number, "open", on: path)
    }

    /// What a symbolic link says; `nil` if it is none, or may not be read.
    static func target(of link: String, in folder: Int32 = -1) -> [UInt8]? {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
            let count = room.baseAddress.map { ipc_read_link_at(folder, link, $0, room.count) } ?? -1
            return count < 0 ? nil : Array(room[..<count])
        }
    }

    /// The names in a folder that are numbers: what the kernel lists processes, threads and descriptors by.
    static func numbers(in path: String) throws(SystemError) -> [Int32] {
        try names(in: path).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }.filter { $0 > 0 }
    }

    /// The names in a folder.
    static func names(in path: String) throws(SystemError) -> [[UInt8]] {
        let folder = try open(path, IPC_O_RDONLY | IPC_O_DIRECTORY)
        let number = folder.number
        var names: [[UInt8]] = []
        var bytes = [UInt8](repeating: 0, count: 32 * 1024)
        while true {
            let count = try SystemCall.perform("list", on: path) {
                bytes.withUnsafeMutableBytes { room in
                    room.baseAddress.map { ipc_read_folder(number, $0, room.count) } ?? 0
                }
            }
            if count == 0 { return names }
            // struct linux_dirent64: the length of an entry at byte 16, its name from byte 19 to a NUL.
            var entry = 0
            while entry + 19 < count {
                let length = Int(bytes[entry + 16]) | Int(bytes[entry + 17]) << 8
                names.append(Array(bytes[(entry + 19)..<min(entry + length, count)].prefix { $0 != 0 }))
                entry += max(length, 1)
            }
        }
    }
}
