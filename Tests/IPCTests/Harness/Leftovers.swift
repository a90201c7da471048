// What a test could leave behind in its process and on its machine, as the kernel shows it.
import Glibc

/// A look at everything that a test has to give back.
struct Leftovers: Sendable {
    /// Something that is there: by its key one knows it again, its words say what it is at the moment.
    struct Entry: Hashable, Comparable, Sendable, CustomStringConvertible {
        let key: String
        let description: String

        init(_ key: String, now: String = "") {
            self.key = key
            description = now.isEmpty ? key : "\(key), \(now)"
        }

        static func == (one: Entry, other: Entry) -> Bool { one.key == other.key }
        static func < (one: Entry, other: Entry) -> Bool { one.key < other.key }
        func hash(into hasher: inout Hasher) { hasher.combine(key) }
    }

    let entries: Set<Entry>

    static func now() -> Leftovers {
        let sharedMemory = Folder.names(in: "/dev/shm").map { Entry("shared memory /dev/shm/\($0)") }
        let folders = TemporaryFolder.existing().map { Entry("temporary folder \($0)") }
        return Leftovers(
            entries: Set(descriptors() + children() + threads() + systemVIdentifiers() + sharedMemory + folders))
    }

    /// What is here and was not there before, in order.
    func beyond(_ former: Leftovers) -> [Entry] { entries.subtracting(former.entries).sorted() }

    // MARK: Kinds

    /// Open descriptors, each with what it is open on.
    static func descriptors() -> [Entry] {
        Folder.names(in: "/proc/self/fd").compactMap { name in
            // The one that the listing itself used is closed by now.
            Folder.target(of: "/proc/self/fd/\(name)").map { Entry("descriptor \(name) -> \($0)") }
        }
    }

    /// Processes whose parent is this one, zombies among them.
    static func children() -> [Entry] {
        let own = getpid()
        return processes().filter { $0.parent == own }.map { process in
            Entry("child \(process.pid) (\(process.program))", now: process.isZombie ? "a zombie" : "running")
        }
    }

    /// All processes, read without anything of the library.
    static func processes() -> [(pid: Int32, parent: Int32, program: Substring, isZombie: Bool)] {
        Folder.names(in: "/proc").compactMap { name in
            guard let pid = Int32(name), let text = Folder.text(of: "/proc/\(name)/stat"),
                let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")")
            else { return nil }
            let fields = text[text.index(after: close)...].split(separator: " ")
            guard fields.count > 1, let parent = Int32(fields[1]) else { return nil }
            return (pid, parent, text[text.index(after: open)..<close], fields[0] == "Z")
        }
    }

    /// Threads that the library has started, which all have a name that begins with `ipc-`.
    static func threads() -> [Entry] {
        Folder.names(in: "/proc/self/task").compactMap { name in
            guard let text = Folder.text(of: "/proc/self/task/\(name)/comm"), text.hasPrefix("ipc-") else { return nil }
            return Entry("thread \(name) (\(text.dropLast()))")
        }
    }

    static func systemVIdentifiers() -> [Entry] {
        ["shm", "sem", "msg"].flatMap { kind -> [Entry] in
            guard let text = Folder.text(of: "/proc/sysvipc/\(kind)") else { return [] }
            return text.split(separator: "\n").dropFirst().map { line in
                let fields = line.split(separator: " ")
                return Entry("System V \(kind) key \(fields.first ?? "?") id \(fields.dropFirst().first ?? "?")")
            }
        }
    }
}

/// Files and folders, read without anything of the library.
enum Folder {
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    static func target(of link: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { room -> Int in
            room.bindMemory(to: CChar.self).baseAddress.map { readlink(link, $0, room.count) } ?? -1
        }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    static func write(_ text: String, to path: String) {
        let number = open(path, O_WRONLY | O_CLOEXEC)
        guard number >= 0 else { return }
        _ = text.withCString { Glibc.write(number, $0, strlen($0)) }
        close(number)
    }

    static func text(of path: String) -> String? {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        defer { close(number) }
        return rest(of: number)
    }

    /// All that a descriptor still gives; blocks the thread.
    static func rest(of number: Int32) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(number, &buffer, buffer.count)
            guard count > 0 else { return count == 0 ? String(decoding: bytes, as: UTF8.self) : nil }
            bytes += buffer[..<count]
        }
    }
}
