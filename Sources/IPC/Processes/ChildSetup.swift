// What a program finds when it begins, apart from its arguments, its environment and its standard streams.
import CIPC
import SystemPackage

struct ChildSetup: Sendable {
    enum Session: Sendable, Equatable {
        case ours
        /// A new one, which the program leads.
        case leading
        /// A new one without a leader, so that no terminal can ever be its.
        case detached
    }

    var session = Session.ours
    var credentials: Credentials?
    var limits: [(limit: ResourceLimit, soft: UInt64?, hard: UInt64?)] = []
    var priority: Int32?
    var modeMask: FilePermissions?
    var forbidsNewPrivileges = false
    var signalOfParentsDeath: Signal?
    var descriptors: [PassedDescriptor] = []
    /// Opens the terminal of the new session that the program leads; its standard streams too, as far as nothing is said.
    var terminal: (@Sendable () throws -> DescriptorBox)?

    /// Calls a body with what C needs by address.
    func withParts(_ body: (UnsafePointer<ipc_spawn_identity>?, UnsafeBufferPointer<ipc_spawn_limit>) -> Int32) -> Int32
    {
        limits.map(ChildSetup.pair).withUnsafeBufferPointer { limits in
            guard let credentials else { return body(nil, limits) }
            return credentials.groups.withUnsafeBufferPointer { groups in
                let identity = ipc_spawn_identity(
                    user: credentials.userID, group: credentials.groupID, groups: groups.baseAddress,
                    group_count: Int32(clamping: groups.count))
                return withUnsafePointer(to: identity) { body($0, limits) }
            }
        }
    }

    /// The session as C knows it.
    var sessionNumber: Int32 {
        switch session {
        case .ours: Int32(IPC_SESSION_STAY.rawValue)
        case .leading: Int32(IPC_SESSION_LEAD.rawValue)
        case .detached: Int32(IPC_SESSION_JOIN.rawValue)
        }
    }

    /// What is not said stays as it is, as far as the other half allows.
    private static func pair(_ entry: (limit: ResourceLimit, soft: UInt64?, hard: UInt64?)) -> ipc_spawn_limit {
        let current = entry.limit.current
        let hard = entry.hard ?? current.hard
        return ipc_spawn_limit(
            resource: ipc_limit_number(Int32(entry.limit.kind.rawValue)), soft: min(entry.soft ?? current.soft, hard),
            hard: hard)
    }
}

/// A descriptor that a program gets beside its standard streams.
struct PassedDescriptor: Sendable {
    enum Source: Sendable {
        case owned(DescriptorBox)
        case shared(SharedDescriptor)
        case inherited(Int32)
    }

    let source: Source
    let number: Int32
}
