// Starting a command: everything checked and opened, then one call into the kernel.
import CIPC
import SystemPackage

extension Command {
    /// Starts the program and gives a handle to it, without waiting for anything.
    ///
    /// Unless the command says otherwise, the program reads from `/dev/null` and writes to this process's standard output
    /// and error. With `.input(.pipe)`, `.output(.pipe)` and `.error(.pipe)` the handle has the other ends. The program and
    /// what it starts are the caller's to end, with ``Child/end(grace:)``; a handle that is dropped leaves them running.
    ///
    /// - Throws: ``StartError`` if the program cannot be started; ``SystemError`` if there is no descriptor to be had;
    ///   `CancellationError`. When it throws, nothing has run.
    public func start() async throws -> Child {
        let terminal = try setup.terminal?()
        let shown = terminal.map { Output(target: .descriptor($0)) }
        let child = try start(
            input: input ?? terminal.map { Input(source: .descriptor($0)) } ?? .discard,
            output: output ?? shown ?? .inherit, error: error ?? shown ?? .inherit, on: terminal)
        if let bytes = givenBytes, let writer = child.standardInput {
            Task.detached(executorPreference: EventLoop.current) {
                try? await writer.write(bytes)
                try? writer.close()
            }
        }
        return child
    }

    /// Starts the program, and has it live as long as the body at most: what is left of its tree then is ended.
    ///
    /// The streams are those of ``start()``.
    ///
    /// - Parameters:
    ///   - grace: how long the tree may take to comply with SIGTERM before SIGKILL.
    ///   - passingOn: signals to this process that are the program's meanwhile. They are sent to its tree, and do nothing
    ///     else here.
    ///   - body: uses the handle.
    /// - Throws: what the body throws; ``StartError``. How the program ended is the body's to look at, and no error.
    public func withChild<Result>(
        grace: Duration = .seconds(2), passingOn: Set<Signal> = [], _ body: (Child) async throws -> Result
    ) async throws -> Result {
        let relay = try SignalRelay(passingOn)
        defer { relay.end() }
        let child = try await start()
        relay.direct(to: [child])
        if endsTree { child.endTreeAtEnd() }
        do {
            let result = try await body(child)
            await child.end(grace: grace)
            return result
        } catch {
            await child.end(grace: grace)
            throw error
        }
    }

    /// Starts the program with the given streams, in the group of another child if one is given.
    func start(
        input: Input, output: Output, error: Output, foregroundOf terminal: Int32 = -1, joining leader: Child? = nil,
        on opened: DescriptorBox? = nil
    ) throws -> Child {
        if Task.isCancelled { throw CancellationError() }
        try check()
        let path = try executable()
        let name = shortName
        let leadsGroup = leader == nil && (isGrouped || setup.session != .ours)
        let group = leadsGroup ? 0 : leader?.processID.rawValue ?? -1
        let own = try opened ?? setup.terminal?()
        let plan: StreamPlan
        do {
            plan = try StreamPlan(
                of: name, input: input, output: output, error: mergesError ? nil : error, others: setup.descriptors)
        } catch let error as SystemError {
            throw StartError(.resourceLimit, error.operation, on: error.subject, error.errno)
        }
        let request = SpawnRequest(
            name: program, path: path, arguments: [programBytes] + arguments,
            environment: environment.isUnchanged ? nil : environment.resolved().map { $0 + [UInt8(ascii: "=")] + $1 },
            directory: directory?.argumentBytes, mappings: plan.mappings, group: group,
            terminal: leadsGroup || group > 0 ? terminal : -1, controllingTerminal: own?.number ?? -1, setup: setup)
        let started = try withExtendedLifetime((plan, own)) { try request.start() }
        return Child(
            started, name: name, leadsGroup: leadsGroup, hasTerminal: own != nil, teardown: teardown,
            streams: plan.streams)
    }

    /// The bytes that the program is to read.
    var givenBytes: [UInt8]? {
        if case .bytes(let bytes) = input?.source { bytes } else { nil }
    }

    /// The program's name without its folders.
    var shortName: String { title ?? program.split(separator: "/").last.map(String.init) ?? program }

    private func check() throws(StartError) {
        func refuse(_ subject: String) -> StartError {
            StartError(.invalidArgument, "start", on: subject, .invalidArgument)
        }
        if programBytes.isEmpty { throw StartError(.notFound, "execute", on: "''", .noSuchFileOrDirectory) }
        if programBytes.contains(0) { throw refuse("program name with a NUL inside") }
        if let scriptDefect { throw scriptDefect }
        if let index = arguments.firstIndex(where: { $0.contains(0) }) {
            throw refuse("argument \(index + 1) of \(shortName), with a NUL inside")
        }
        if directory?.argumentBytes.contains(0) == true { throw refuse("directory with a NUL inside") }
        if let defect = environment.defect { throw refuse(defect) }
        if let passed = setup.descriptors.first(where: { $0.number <= 2 || $0.number >= 1 << 20 }) {
            throw refuse("\(shortName) with \(passed.number) as the number of an additional descriptor")
        }
    }

    /// The file to execute.
    private func executable() throws(StartError) -> [UInt8] {
        if let file { return file }
        if programBytes.contains(UInt8(ascii: "/")) { return programBytes }
        return try ExecutableLookup.find(programBytes, in: environment.value(of: "PATH"))
    }
}
