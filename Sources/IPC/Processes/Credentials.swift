// Whose rights a program has: its user, its group and the groups beside it.
import CIPC
import SystemPackage

/// Whose rights a program has.
///
/// They are taken in the child before the program begins, in the order groups, group, user, all three ids of each; then
/// they are read back, and the way back is tried. A program that would keep anything is not started.
///
/// ```swift
/// try await Command("make").running(as: Credentials(user: "builder")).run()
/// ```
public struct Credentials: Hashable, Sendable {
    /// The user's number. The C type is `uid_t`.
    public let userID: UInt32

    /// The group's number. The C type is `gid_t`.
    public let groupID: UInt32

    /// The numbers of the groups beside it.
    public let groups: [UInt32]

    /// Credentials by numbers; no groups beside the one unless they are named.
    public init(userID: UInt32, groupID: UInt32, groups: [UInt32] = []) {
        self.userID = userID
        self.groupID = groupID
        self.groups = groups
    }

    /// A user by name or number, with the group and the groups that the user database has for it.
    ///
    /// With a `group`, by name or number, the program is in that group and no other. A number that the database does not know
    /// needs one. Looking up a name may wait for a directory server, and blocks the thread meanwhile. The C functions are
    /// `getpwnam_r`, `getgrnam_r` and `getgrouplist`.
    ///
    /// - Throws: ``StartError`` with `userNotFound` if there is no such user or group, or the database cannot be read.
    public init(user: String, group: String? = nil) throws {
        var (userID, primary): (UInt32, UInt32) = (0, 0)
        let number = Credentials.number(user)
        let status = number.map { ipc_user(nil, $0, &userID, &primary) } ?? Credentials.look(user, &userID, &primary)
        guard status == 0 || (number != nil && group != nil) else {
            throw Credentials.unknown("user \(user)", status)
        }
        self.userID = number ?? userID
        guard let group else {
            groupID = primary
            groups = try Credentials.groups(of: userID, primary)
            return
        }
        groups = []
        if let number = Credentials.number(group) {
            groupID = number
            return
        }
        var found: UInt32 = 0
        let result = group.utf8.contains(0) ? -Errno.noSuchFileOrDirectory.rawValue : ipc_group(group, &found)
        guard result == 0 else { throw Credentials.unknown("group \(group)", result) }
        groupID = found
    }

    private static func unknown(_ subject: String, _ status: Int32) -> StartError {
        let errno = Errno(rawValue: -status)
        return StartError(errno == .noSuchFileOrDirectory ? .userNotFound : .other, "look up", on: subject, errno)
    }

    /// The highest number means "as it was" to the kernel, and is nobody's.
    private static func number(_ text: String) -> UInt32? { UInt32(text).flatMap { $0 == .max ? nil : $0 } }

    private static func look(_ user: String, _ userID: inout UInt32, _ group: inout UInt32) -> Int32 {
        user.utf8.contains(0) ? -Errno.noSuchFileOrDirectory.rawValue : ipc_user(user, 0, &userID, &group)
    }

    private static func groups(of user: UInt32, _ primary: UInt32) throws -> [UInt32] {
        var capacity: Int32 = 64
        while true {
            var groups = [UInt32](repeating: 0, count: Int(capacity))
            let count = ipc_groups_of_user(user, primary, &groups, capacity)
            guard count >= 0 else { throw unknown("user \(user)", count) }
            if count <= capacity { return groups.prefix(Int(count)).filter { $0 != primary } }
            capacity = count
        }
    }
}
