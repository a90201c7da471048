// What a thread is, by its number alone: for messages about who has a lock.
import SystemPackage

/// A thread as `/proc` has it.
struct ThreadStatus {
    /// The process that it belongs to.
    let process: Int32
    let name: String
    let isStopped: Bool

    /// `nil` if there is no such thread, or it may not be seen.
    init?(of thread: Int32) {
        guard let bytes = try? SmallFile.read("/proc/\(thread)/status") else { return nil }
        var fields: [Substring: Substring] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " }
        }
        guard let process = fields["Tgid"].flatMap({ Int32($0) }) else { return nil }
        self.process = process
        name = fields["Name"].map(String.init) ?? "?"
        isStopped = fields["State"].map { $0.hasPrefix("T") || $0.hasPrefix("t") } ?? false
    }
}
