// From a command to a running process: bytes for the kernel, one call into C, a typed error if it fails.
import CIPC
import SystemPackage

/// A process that has just been started.
struct StartedProcess {
    let processID: ProcessID
    /// Readable when the process has ended.
    let descriptor: SharedDescriptor
}

/// Everything that the path to the new program needs, checked.
struct SpawnRequest {
    /// The program as it was named.
    let name: String
    /// The file to execute, as bytes and for messages.
    let path: [UInt8]
    let arguments: [[UInt8]]
    /// `nil`: this process's own.
    let environment: [[UInt8]]?
    let directory: [UInt8]?
    let mappings: [ipc_spawn_mapping]
    /// 0: one of its own, -1: ours, else the one to join.
    let group: Int32
    /// The terminal whose foreground the new group gets, or -1.
    let terminal: Int32
    /// The terminal that becomes the new session's, or -1.
    let controllingTerminal: Int32
    let setup: ChildSetup

    var file: String { String(decoding: path, as: UTF8.self) }

    /// Starts the process.
    ///
    /// - Throws: ``StartError``, with nothing left behind.
    func start() throws -> StartedProcess {
        var result = ipc_spawn_result()
        let status = withTerminated(path) { path in
            withVector(arguments) { arguments in
                withOptional(environment) { environment in
                    withOptional(directory) { directory in
                        mappings.withUnsafeBufferPointer { mappings in
                            setup.withParts { identity, limits in
                                var request = ipc_spawn_request(
                                    path: path, arguments: arguments, environment: environment, directory: directory,
                                    mappings: mappings.baseAddress, mapping_count: Int32(mappings.count),
                                    process_group: group, terminal: terminal, session: setup.sessionNumber,
                                    controlling_terminal: controllingTerminal,
                                    identity: identity, limits: limits.baseAddress, limit_count: Int32(limits.count),
                                    sets_priority: setup.priority == nil ? 0 : 1, priority: setup.priority ?? 0,
                                    sets_mode_mask: setup.modeMask == nil ? 0 : 1,
                                    mode_mask: UInt32(setup.modeMask?.rawValue ?? 0),
                                    no_new_privileges: setup.forbidsNewPrivileges ? 1 : 0,
                                    signal_of_parents_death: setup.signalOfParentsDeath?.number ?? 0)
                                return start(&request, &result)
                            }
                        }
                    }
                }
            }
        }
        guard status == 0 else {
            throw StartDiagnosis.explain(self, ipc_spawn_stage(UInt32(result.stage)), Errno(rawValue: -status))
        }
        let processID = ProcessID(known: result.pid)
        let descriptor: Descriptor
        do { descriptor = try Descriptor(fresh: result.pidfd, "start", on: name) } catch {
            // Without a descriptor to hold it by the child cannot be kept: end it, by the number that is still its own.
            _ = ipc_kill(result.pid, IPC_SIGKILL)
            ipc_reap_by_number(result.pid)
            throw StartError(.resourceLimit, "start", on: name, error.errno)
        }
        return StartedProcess(
            processID: processID, descriptor: SharedDescriptor(descriptor, .nonblocking, subject: name))
    }

    /// What is to die with this process is started by a thread that lives as long.
    private func start(_ request: inout ipc_spawn_request, _ result: inout ipc_spawn_result) -> Int32 {
        setup.signalOfParentsDeath == nil
            ? ipc_spawn(&request, &result) : ipc_spawn_from_lasting_thread(&request, &result)
    }

    /// The file, as the C functions take it, in the directory that the child starts in.
    func withFile<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        let isRelative = path.first != UInt8(ascii: "/")
        let full = isRelative ? (directory.map { $0 + [UInt8(ascii: "/")] } ?? []) + path : path
        return withTerminated(full, body)
    }

    var fileExists: Bool {
        var file = ipc_file_information()
        return withFile { ipc_file_status($0, &file) } == 0
    }

    /// How much there is and how much the kernel takes, for the error that says it is too much.
    var sizes: String {
        let longest = (arguments + (environment ?? [])).map(\.count).max() ?? 0
        let total = (arguments + (environment ?? [])).reduce(0) { $0 + $1.count + 1 }
        return "\(total) bytes in all, the longest \(longest); Linux takes 131071 for one"
    }
}

/// The bytes as C takes a string.
func withTerminated<Result>(_ bytes: some Collection<UInt8>, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    (Array(bytes) + [0]).withUnsafeBytes { raw in
        // An array with at least one element has an address.
        guard let base = raw.bindMemory(to: CChar.self).baseAddress else { return body("") }
        return body(base)
    }
}

private func withOptional<Result>(_ bytes: [UInt8]?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let bytes else { return body(nil) }
    return withTerminated(bytes) { body($0) }
}

private func withOptional<Result>(
    _ strings: [[UInt8]]?, _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result
) -> Result {
    guard let strings else { return body(nil) }
    return withVector(strings) { body($0) }
}

/// The strings as C passes them to a program: one block of bytes, and pointers into it that end with NULL.
func withVector<Result>(
    _ strings: [[UInt8]], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var block: [UInt8] = []
    block.reserveCapacity(strings.reduce(0) { $0 + $1.count + 1 } + 1)
    var offsets: [Int] = []
    for string in strings {
        offsets.append(block.count)
        block += string
        block.append(0)
    }
    block.append(0)
    return block.withUnsafeMutableBytes { raw in
        let base = raw.bindMemory(to: CChar.self).baseAddress
        var pointers: [UnsafeMutablePointer<CChar>?] = offsets.map { offset in base.map { $0 + offset } }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { list in
            var none: UnsafeMutablePointer<CChar>?
            return list.baseAddress.map(body) ?? body(&none)
        }
    }
}
