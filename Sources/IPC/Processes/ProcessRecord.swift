// What the kernel says of one process at one moment.
public import SystemPackage

/// What the kernel says of a process: its relations, its state, what it was started with and what it has used.
///
/// It is a picture of a moment. A number can be another process's later; number and ``startTime`` together are one process's
/// only. Names and arguments are what the process itself says, and it may say anything: they are no evidence.
///
/// The files are those in `/proc/PID`, see `proc(5)`.
public struct ProcessRecord: Hashable, Sendable, Identifiable {
    /// The process's number.
    public let id: ProcessID

    /// The process that started it, or that has taken that one's place; `nil` for those that have none in our namespace.
    public let parent: ProcessID?

    /// Its process group; `nil` for the first process's, and for one that does not show in our namespace.
    public let group: ProcessGroupID?

    /// Its session, by the number of the process that leads or led it; `nil` for one that does not show in our namespace.
    public let session: ProcessID?

    /// Its controlling terminal; `nil` if it has none.
    public let terminal: DeviceNumber?

    /// What it was doing.
    public let state: State

    /// Its name as bytes: the program's file name, or what the process has made of it; 15 bytes at most, any but NUL.
    public let nameBytes: [UInt8]

    /// What it was started with, the program's name first, as bytes. Empty for zombies and for the kernel's own threads.
    public let argumentBytes: [[UInt8]]

    /// The user who started it, as a rule.
    public let userID: UInt32

    /// The user whose rights it has.
    public let effectiveUserID: UInt32

    /// The group of the user who started it, as a rule.
    public let groupID: UInt32

    /// The group whose rights it has.
    public let effectiveGroupID: UInt32

    /// The program's file, with ` (deleted)` at its end if it has been removed or replaced; `nil` if we may not know, and for
    /// zombies and the kernel's own threads.
    public let executable: FilePath?

    /// When it was started, from the start of the system; in hundredths of a second as a rule.
    public let startTime: Duration

    /// The number of its threads.
    public let threadCount: Int

    /// Memory that is resident, in bytes; pages that it shares with others count for each.
    public let residentBytes: Int

    /// Processor time in its own code, its children's not counted.
    public let userTime: Duration

    /// Processor time in the kernel, its children's not counted.
    public let systemTime: Duration

    /// Its name as text; bytes that are not UTF-8 are shown as U+FFFD.
    public var name: String { String(decoding: nameBytes, as: UTF8.self) }

    /// What it was started with as text; bytes that are not UTF-8 are shown as U+FFFD.
    public var arguments: [String] { argumentBytes.map { String(decoding: $0, as: UTF8.self) } }

    /// Whether it has ended, and waits for its parent to take its status.
    public var isZombie: Bool { state == .zombie }

    /// What a process is doing, as the kernel sees it. The letter is that of `ps`.
    public enum State: Hashable, Sendable {
        /// Runs, or could; `R`.
        case running
        /// Waits for something, and a signal would end the wait; `S`.
        case sleeping
        /// Waits for something, as a rule a disk, and no signal ends the wait; `D`.
        case uninterruptible
        /// Was stopped by a signal; `T`.
        case stopped
        /// Was stopped by its tracer; `t`.
        case traced
        /// Has ended and has not been waited for; `Z`.
        case zombie
        /// Is just going away; `X`.
        case dead
        /// A thread of the kernel that has nothing to do; `I`.
        case idle
        /// Another state, by its letter.
        case other(Character)

        init(letter: UInt8) {
            switch letter {
            case UInt8(ascii: "R"): self = .running
            case UInt8(ascii: "S"): self = .sleeping
            case UInt8(ascii: "D"): self = .uninterruptible
            case UInt8(ascii: "T"): self = .stopped
            case UInt8(ascii: "t"): self = .traced
            case UInt8(ascii: "Z"): self = .zombie
            case UInt8(ascii: "X"), UInt8(ascii: "x"): self = .dead
            case UInt8(ascii: "I"): self = .idle
            default: self = .other(Character(UnicodeScalar(letter)))
            }
        }
    }

    /// The number of a device, in the two parts that `ls -l` shows.
    public struct DeviceNumber: Hashable, Sendable, CustomStringConvertible {
        /// The kind of device; 136 to 143 are pseudo-terminals.
        public let major: Int

        /// Which one of its kind.
        public let minor: Int

        public var description: String { "\(major):\(minor)" }
    }
}
