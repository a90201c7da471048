// What a command gives its program beside arguments, environment and standard streams.
import CIPC
public import SystemPackage

extension Command {
    // MARK: Descriptors

    /// The command whose program has a descriptor more, by a number of its own.
    ///
    /// The descriptor belongs to the command from now on, and to its copies. Whatever numbers are taken in this process, and
    /// in whatever order the program's are stated, each lands where it is wanted. Nothing but 0, 1, 2 and what is passed so is
    /// open in the program. The numbers 0 to 2 are those of ``input(_:)-(Command.Input)``, ``output(_:)`` and ``error(_:)``, and
    /// refused here, when the program is started.
    public func passing(_ descriptor: consuming Descriptor, as number: Int32) -> Command {
        passing(.owned(DescriptorBox(descriptor)), number)
    }

    /// The command whose program has the file that a reader reads, by a number of its own.
    ///
    /// What the reader has read ahead is not in it any more. The reader stays the caller's to close.
    public func passing(_ reader: ByteReader, as number: Int32) -> Command {
        passing(.shared(reader.descriptor), number)
    }

    /// The command whose program has the file that a writer writes, by a number of its own.
    ///
    /// The writer stays the caller's to close: whoever reads the other end finds its end when both are closed.
    public func passing(_ writer: ByteWriter, as number: Int32) -> Command {
        passing(.shared(writer.descriptor), number)
    }

    /// The command whose program has a descriptor that this process was started with, or that foreign code has opened.
    ///
    /// - Parameters:
    ///   - inherited: the number here; the descriptor must be open when the program is started.
    ///   - number: the number there; the same unless told otherwise.
    public func passing(inherited: Int32, as number: Int32? = nil) -> Command {
        passing(.inherited(inherited), number ?? inherited)
    }

    private func passing(_ source: PassedDescriptor.Source, _ number: Int32) -> Command {
        changed {
            $0.setup.descriptors.removeAll { $0.number == number }
            $0.setup.descriptors.append(PassedDescriptor(source: source, number: number))
        }
    }

    // MARK: Rights and limits

    /// The command whose program has other rights than this process. The C functions are `setgroups`, `setresgid` and
    /// `setresuid`, in this order, each verified.
    ///
    /// The directory is entered with the new rights; the streams are opened with ours.
    public func running(as credentials: Credentials) -> Command { changed { $0.setup.credentials = credentials } }

    /// The command whose program can get no rights by executing setuid files. The C function is `prctl` with
    /// `PR_SET_NO_NEW_PRIVS`.
    public func withoutNewPrivileges() -> Command { changed { $0.setup.forbidsNewPrivileges = true } }

    /// The command whose program has another limit of a resource. The C function is `setrlimit`.
    ///
    /// - Parameters:
    ///   - limit: the resource.
    ///   - soft: the limit in force; `UInt64.max` is none.
    ///   - hard: the highest that the program may set; as low as `soft` unless told otherwise, so that the program cannot
    ///     take the limit back.
    public func limit(_ limit: ResourceLimit, to soft: UInt64, hard: UInt64? = nil) -> Command {
        changed {
            $0.setup.limits.removeAll { $0.limit == limit }
            $0.setup.limits.append((limit, soft, hard ?? soft))
        }
    }

    /// The command whose program gives way to others, or goes before them. The C function is `setpriority`.
    ///
    /// - Parameter niceness: from -20, first, to 19, last. Less than one's own needs privilege.
    public func priority(_ niceness: Int) -> Command { changed { $0.setup.priority = Int32(clamping: niceness) } }

    /// The command whose program has another mask for the permissions of files that it makes. The C function is `umask`.
    public func modeMask(_ mask: FilePermissions) -> Command {
        changed { $0.setup.modeMask = mask.intersection(FilePermissions(rawValue: 0o777)) }
    }

    // MARK: Life and death

    /// The command whose program leads a session of its own, away from our terminal. The C function is `setsid`.
    public func inOwnSession() -> Command { changed { $0.setup.session = .leading } }

    /// The command whose program gets a signal when this process ends, however that happens, `kill -9` included.
    ///
    /// The kernel forgets this if the program executes a setuid file; and it is about the program alone, not what that has
    /// started. The C function is `prctl` with `PR_SET_PDEATHSIG`. The kernel's parent is a thread: the library starts such
    /// programs from one that never ends.
    public func diesWithParent(by signal: Signal = .kill) -> Command {
        changed { $0.setup.signalOfParentsDeath = signal }
    }

    /// The command that is ended in other steps than by SIGTERM and a grace; SIGKILL follows the last one.
    ///
    /// ```swift
    /// Command("server").ended(by: .send(.interrupt, allowing: .seconds(5)), .send(.terminate, allowing: .seconds(1)))
    /// ```
    ///
    /// Counts wherever the library ends the program: at a limit, at a cancellation, when a scope is left. The `grace:` of those calls
    /// is not used then.
    public func ended(by steps: TeardownStep...) -> Command { changed { $0.teardown = steps } }

    /// Starts the program apart from this one, to outlive it: in a session without a terminal and without a leader, with
    /// `/dev/null` for every stream that the command does not state.
    ///
    /// As long as this process lives, the library reaps the program when it ends, whether the handle is kept or dropped.
    /// Nothing ends it but ``Child/end(grace:)``.
    ///
    /// - Throws: ``StartError`` if the program cannot be started; `CancellationError`.
    public func launch() async throws -> Child {
        let detached = changed { $0.setup.session = .detached }
        let streams = detached.output(output ?? .discard).error(error ?? .discard)
        return try await streams.start()
    }
}
