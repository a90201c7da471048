// The namespace of System V IPC, and the keys by which its objects are found.
import CIPC
public import SystemPackage

/// System V IPC: semaphores, message queues and shared memory that live in the kernel, under numbers, until somebody removes them.
///
/// ```swift
/// let semaphores = try SystemV.SemaphoreSet(key: .number(1234))
/// try await semaphores.withTaken { print("alone") }
/// ```
///
/// An object outlives the programs that use it. Those of one scope are made by ``SemaphoreSet/withNew(count:initialValue:_:)`` and its
/// like, which remove them however the scope ends; what was left behind is found by ``objects(of:)``. The kernel's pages are `sysvipc(7)`
/// and `svipc(7)`.
public enum SystemV {
    /// What an object is.
    public enum Kind: Hashable, Sendable, CaseIterable, CustomStringConvertible {
        /// A set of semaphores; `semget(2)`.
        case semaphores
        /// A message queue; `msgget(2)`.
        case queue
        /// A segment of shared memory; `shmget(2)`.
        case segment

        public var description: String {
            switch self {
            case .semaphores: "semaphore set"
            case .queue: "message queue"
            case .segment: "shared segment"
            }
        }

        var number: Int32 {
            switch self {
            case .semaphores: Int32(IPC_SYSTEMV_SEMAPHORES.rawValue)
            case .queue: Int32(IPC_SYSTEMV_QUEUE.rawValue)
            case .segment: Int32(IPC_SYSTEMV_SEGMENT.rawValue)
            }
        }
    }

    /// The number under which programs find the same object.
    public struct Key: Hashable, Sendable, CustomStringConvertible {
        let number: Int32

        /// No key: a new object each time, which others know by its id alone. The C constant is `IPC_PRIVATE`.
        public static let `private` = Key(number: 0)

        /// A number that programs have agreed on; 0 is ``private``.
        public static func number(_ number: Int32) -> Key { Key(number: number) }

        /// The number of a file and a project, as the C function `ftok` and Perl's `IPC::SysV::ftok` compute it.
        ///
        /// It is made of a part of the file's inode number, so that two files can have the same: whoever relies on it should look
        /// whom the object belongs to. A file that is replaced has another.
        ///
        /// - Throws: ``SystemError`` if there is no such file, or with `EINVAL` if project is 0.
        public static func file(_ path: FilePath, project: UInt8 = 1) throws -> Key {
            guard project > 0 else { throw SystemError("key of", on: "\(path), project 0", .invalidArgument) }
            var number: Int32 = 0
            try SystemCall.perform("key of", on: path.string) {
                path.withPlatformString { ipc_key_of_file($0, Int32(project), &number) }
            }
            return Key(number: number)
        }

        public var description: String { number == 0 ? "private" : "\(number)" }
    }
}
