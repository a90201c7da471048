// How much memory there is to be had: asking the kernel for more would not be refused, but end some process.
import SystemPackage

enum AvailableMemory {
    /// So many bytes can be had, by what the system and the control groups of this process say; `nil` if neither does.
    static var bytes: Int? { ([ofSystem].compactMap { $0 } + ofControlGroups).min() }

    /// Free memory, what can be freed, and free swap.
    private static var ofSystem: Int? {
        let table = table(of: FilePath("/proc/meminfo"))
        return table["MemAvailable:"].map { ($0 + (table["SwapFree:"] ?? 0)) * 1024 }
    }

    /// The names that the two versions of control groups have for the same.
    private struct Files {
        let root: FilePath
        let limit, usage: String
        /// What the kernel takes back when it needs to, in memory.stat.
        let reclaimable: [Substring]

        static let second = Files(
            root: "/sys/fs/cgroup", limit: "memory.max", usage: "memory.current",
            reclaimable: ["inactive_file", "active_file", "slab_reclaimable"])
        static let first = Files(
            root: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes",
            reclaimable: ["total_inactive_file", "total_active_file"])
    }

    /// What is left of the limits of our group and of those around it.
    private static var ofControlGroups: [Int] {
        guard let text = text(of: "/proc/self/cgroup") else { return [] }
        var all: [Int] = []
        for line in text.split(separator: "\n") {
            // 0::/a/b, or 4:memory:/a/b in the first version.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[1].isEmpty {
                all += left(of: .second, fields[2])
            } else if fields[1].split(separator: ",").contains("memory") {
                all += left(of: .first, fields[2])
            }
        }
        return all
    }

    private static func left(of files: Files, _ group: Substring) -> [Int] {
        var path = FilePath(files.root.string + group)
        var left: [Int] = []
        while path.starts(with: files.root) {
            if let most = number(of: path.appending(files.limit)), let used = number(of: path.appending(files.usage)) {
                let table = table(of: path.appending("memory.stat"))
                let reclaimable = files.reclaimable.reduce(0) { $0 + (table[$1] ?? 0) }
                left.append(max(0, most - max(0, used - reclaimable)))
            }
            guard path.removeLastComponent() else { break }
        }
        return left
    }

    /// `nil` also for "max".
    private static func number(of path: FilePath) -> Int? {
        text(of: path.string).flatMap { Int($0.prefix { $0 != "\n" }) }
    }

    /// The numbers behind the words that the lines of a file begin with.
    private static func table(of path: FilePath) -> [Substring: Int] {
        var table: [Substring: Int] = [:]
        for line in text(of: path.string)?.split(separator: "\n") ?? [] {
            let words = line.split(separator: " ")
            if words.count > 1 { table[words[0]] = Int(words[1]) }
        }
        return table
    }

    private static func text(of path: String) -> String? {
        (try? SmallFile.read(path)).map { String(decoding: $0, as: UTF8.self) }
    }
}
