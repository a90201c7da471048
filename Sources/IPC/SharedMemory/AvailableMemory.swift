// How much memory there is to be had: asking the kernel for more would not be refused, but end some process.
import SystemPackage

enum AvailableMemory {
    /// So many bytes can be had, by what the system and the control groups of this process say; `nil` if neither does.
    static var bytes: Int? {
        let limits = [ofSystem].compactMap { $0 } + ofControlGroups
        return limits.min()
    }

    /// Free memory, what can be freed, and free swap.
    private static var ofSystem: Int? {
        guard let text = text(of: "/proc/meminfo") else { return nil }
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        func value(_ name: Substring) -> Int? {
            lines.first { $0.first == name }.flatMap { $0.count > 1 ? Int($0[1]) : nil }
        }
        return value("MemAvailable:").map { ($0 + (value("SwapFree:") ?? 0)) * 1024 }
    }

    /// What is left of the limits of our group and of those around it, as version 2 of control groups has them.
    private static var ofControlGroups: [Int] {
        guard let line = text(of: "/proc/self/cgroup")?.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else {
            return []
        }
        var (path, left) = (FilePath("/sys/fs/cgroup" + line.dropFirst(3)), [Int]())
        while path.starts(with: "/sys/fs/cgroup") {
            if let most = number(of: path.appending("memory.max")),
                let used = number(of: path.appending("memory.current"))
            {
                left.append(max(0, most - used))
            }
            path.removeLastComponent()
        }
        return left
    }

    /// `nil` also for "max".
    private static func number(of path: FilePath) -> Int? {
        text(of: path.string).flatMap { Int($0.prefix { $0 != "\n" }) }
    }

    private static func text(of path: String) -> String? {
        (try? SmallFile.read(path)).map { String(decoding: $0, as: UTF8.self) }
    }
}
