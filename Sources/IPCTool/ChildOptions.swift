// What a program is to have: options that every subcommand with a program shares.
import ArgumentParser
import IPC

struct ChildOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Start the program in this directory.", valueName: "dir"), completion: .directory)
    var directory: String?

    @Option(name: .customLong("env"), help: ArgumentHelp("Set a variable of its environment.", valueName: "name=value"))
    var environment: [String] = []

    @Flag(help: "Start with no more than PATH, HOME, LANG and the like.")
    var cleanEnv = false

    @Option(help: ArgumentHelp("Run it as this user, by name or number.", valueName: "user"))
    var user: String?

    @Option(help: ArgumentHelp("Run it in this group and no other, by name or number.", valueName: "group"))
    var group: String?

    @Option(
        name: .customLong("limit"),
        help: ArgumentHelp("Limit nofile, nproc, cpu, fsize, as, core, ...", valueName: "name=n[:hard]"))
    var limits: [LimitArgument] = []

    @Option(help: ArgumentHelp("Take these permissions from files that it makes.", valueName: "octal"))
    var umask: Mode?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Give way to others: -20 (first) to 19 (last).", valueName: "n"))
    var nice: Int?

    @Flag(help: "Keep it from gaining rights by setuid files.")
    var noNewPrivs = false

    func validate() throws {
        if let bad = environment.first(where: { !$0.contains("=") || $0.hasPrefix("=") }) {
            throw ValidationError("--env takes NAME=VALUE, not '\(bad)'")
        }
        if group != nil, user == nil { throw ValidationError("--group goes with --user") }
        if let nice, !(-20...19).contains(nice) { throw ValidationError("--nice takes -20 to 19, not \(nice)") }
    }

    /// The command with all that the options say.
    func apply(to command: Command) throws -> Command {
        var variables = cleanEnv ? Environment.minimal : Environment.inherited
        for entry in environment {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables = variables.setting(parts[0], to: parts[1])
        }
        var command = command.environment(variables)
        if let directory { command = command.directory(FilePath(directory)) }
        if let user { command = command.running(as: try Credentials(user: user, group: group)) }
        for limit in limits { command = command.limit(limit.limit, to: limit.soft, hard: limit.hard) }
        if let umask { command = command.modeMask(umask.permissions) }
        if let nice { command = command.priority(nice) }
        if noNewPrivs { command = command.withoutNewPrivileges() }
        return command
    }
}

/// A limit on the command line: `nofile=64`, `core=unlimited`, `cpu=1:2`.
struct LimitArgument: ExpressibleByArgument {
    let limit: ResourceLimit
    let soft: UInt64
    let hard: UInt64

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let limit = ResourceLimit(name: String(parts[0])) else { return nil }
        let numbers = parts[1].split(separator: ":", omittingEmptySubsequences: false).map { text in
            text == "unlimited" ? UInt64.max : UInt64(text)
        }
        guard let soft = numbers.first ?? nil, let hard = numbers.last ?? nil, numbers.count <= 2, soft <= hard else {
            return nil
        }
        (self.limit, self.soft, self.hard) = (limit, soft, hard)
    }
}

/// Permissions on the command line, in octal, as chmod has them.
struct Mode: ExpressibleByArgument {
    let permissions: FilePermissions

    init(permissions: FilePermissions) { self.permissions = permissions }

    init?(argument: String) {
        guard let bits = UInt32(argument, radix: 8), bits <= 0o777 else { return nil }
        permissions = FilePermissions(rawValue: bits)
    }

    var defaultValueDescription: String { String(permissions.rawValue, radix: 8) }
}

extension Set<Signal> {
    /// What people and their shells send to end something: meant for the program that runs, not for this command.
    static let passedOn: Set = [.interrupt, .terminate, .hangup]
}
