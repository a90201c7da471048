// The stages of a pipeline that runs: the programs, the functions, the pipes between them.
import Synchronization
import SystemPackage

/// Filled by ``start(_:_:terminal:)``, which one task calls before it shares the object.
final class RunningStages: @unchecked Sendable {
    // Safe to share by this rule: the members are set by `start`, before anybody else has the object, and only read later; the
    // tasks of the functions are behind a lock.
    private(set) var stages: [Stage] = []
    /// The program whose group all others are in, if they share one.
    private(set) var leader: Child?
    /// What the pipeline's caller writes to the first stage.
    private(set) var input: ByteWriter?
    /// What the last stage writes, if it is captured.
    private(set) var output: ByteReader?
    private var given: [UInt8]?
    private let functions = Mutex(Functions())

    struct Stage {
        let name: String
        let work: Work
    }

    enum Work {
        case program(Child, Command)
        case function(Pipeline.Function, ByteReader, ByteWriter)
    }

    private struct Functions {
        var tasks: [Int: Task<(any Error)?, Never>] = [:]
        var areCancelled = false
    }

    var children: [Child] {
        stages.compactMap { stage in
            if case .program(let child, _) = stage.work { child } else { nil }
        }
    }

    /// Who is told what is read of the last one's output.
    var observe: (@Sendable ([UInt8]) -> Void)? {
        if case .program(_, let command)? = stages.last?.work { command.told(.output) } else { nil }
    }

    // MARK: Start

    /// Starts the programs in the order of the data. When it throws, those before are running.
    func start(_ pipeline: Pipeline, _ streams: PipelineStreams, terminal: ForegroundTerminal?) throws {
        var former: Descriptor?
        let last = pipeline.stages.count - 1
        for (index, stage) in pipeline.stages.enumerated() {
            var next: Descriptor?
            var own: Descriptor?
            if index < last {
                var ends = try PipeEnds()
                next = try ends.takeReader()
                own = try ends.takeWriter()
            }
            switch stage {
            case .command(let command):
                var (source, target) = (command.input ?? streams.input, command.output ?? streams.output)
                if let end = former.take() { source = .descriptor(end) }
                if let end = own.take() { target = .descriptor(end) }
                let child = try command.start(
                    input: source, output: target, error: command.error ?? streams.error,
                    foregroundOf: index == 0 ? terminal?.number ?? -1 : -1,
                    joining: command.isGrouped && command.setup.session == .ours ? leader : nil)
                stages.append(Stage(name: stage.name, work: .program(child, command)))
                if index == 0 {
                    input = child.standardInput
                    given = command.givenBytes
                    if terminal != nil { leader = child }
                }
                if index == last { output = child.standardOutput }
            case .function(let name, let function):
                let (reader, writer): (ByteReader, ByteWriter)
                if let end = former.take() {
                    reader = try Self.reader(end, name)
                } else {
                    reader = try Self.reader(of: streams.input, self)
                }
                if let end = own.take() {
                    writer = try Self.writer(end, name)
                } else {
                    writer = try Self.writer(to: streams.output, self)
                }
                stages.append(Stage(name: name, work: .function(function, reader, writer)))
            }
            former = next.take()
        }
    }

    private static func reader(_ end: consuming Descriptor, _ name: String) throws -> ByteReader {
        ByteReader(try .pipeEnd(end, writing: false, subject: "input of \(name)"))
    }

    private static func writer(_ end: consuming Descriptor, _ name: String) throws -> ByteWriter {
        ByteWriter(try .pipeEnd(end, writing: true, subject: "output of \(name)"))
    }

    /// What a function reads that is the first stage.
    private static func reader(of input: Command.Input, _ stages: RunningStages) throws -> ByteReader {
        switch input.source {
        case .inherit: return ByteReader(.borrowing(0, writing: false, subject: "standard input"))
        case .pipe:
            var ends = try PipeEnds()
            stages.input = try writer(ends.takeWriter(), "pipeline")
            return try reader(ends.takeReader(), "pipeline")
        default: return try ByteReader(Descriptor.open("/dev/null", for: .read))
        }
    }

    /// What a function writes to that is the last stage.
    private static func writer(to output: Command.Output, _ stages: RunningStages) throws -> ByteWriter {
        switch output.target {
        case .inherit: return ByteWriter(.borrowing(1, writing: true, subject: "standard output"))
        case .pipe:
            var ends = try PipeEnds()
            stages.output = try reader(ends.takeReader(), "pipeline")
            return try writer(ends.takeWriter(), "pipeline")
        default: return try ByteWriter(Descriptor.open("/dev/null", for: .write))
        }
    }

    /// Starts the functions, once all programs run.
    func startFunctions(_ deadline: Deadline?) {
        functions.withLock { functions in
            for (index, stage) in stages.enumerated() {
                guard case .function(let body, let reader, let writer) = stage.work else { continue }
                let task = Task(executorPreference: EventLoop.current) { () -> (any Error)? in
                    defer { reader.close() }
                    do {
                        if let deadline {
                            try await deadline.run { try await body(reader, writer) }
                        } else {
                            try await body(reader, writer)
                        }
                        try writer.close()
                        return nil
                    } catch {
                        try? writer.close()
                        return error
                    }
                }
                if functions.areCancelled { task.cancel() }
                functions.tasks[index] = task
            }
        }
    }

    // MARK: While it runs

    /// Whether the first stage's input was given as bytes.
    var isFed: Bool { given != nil }

    /// Writes the bytes that the first stage was given.
    func feed() async {
        guard let given, let input else { return }
        try? await input.write(given)
        try? input.close()
    }

    /// Waits until all programs and functions have ended.
    ///
    /// - Throws: ``TimeoutError``, `CancellationError`.
    func waitForAll(_ deadline: Deadline?) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, stage) in stages.enumerated() {
                guard case .program(let child, let command) = stage.work, child !== leader else { continue }
                group.addTask { [self] in
                    _ = try await child.ended(deadline, endingTree: command.endsTree)
                    endInput(ofStageAfter: index)
                }
            }
            try await group.waitForAll()
        }
        // Last, since as long as it is not reaped its number is the group's.
        if let leader { _ = try await leader.ended(deadline, endingTree: true) }
        try await waitForFunctions(deadline)
    }

    /// What a program has left behind and away from its group may hold the pipe of a function open: that is read to what is in it.
    private func endInput(ofStageAfter index: Int) {
        guard index + 1 < stages.count, case .function(_, let reader, _) = stages[index + 1].work else { return }
        reader.descriptor.endWhenEmpty()
    }

    private func waitForFunctions(_ deadline: Deadline?) async throws {
        let tasks = functions.withLock { Array($0.tasks.values) }
        guard !tasks.isEmpty else { return }
        let limit = Deadline.earliest(deadline, Deadline.ambient)
        let clock = limit.map { limit in
            Task(executorPreference: EventLoop.current) {
                try await EventLoop.sleep(until: limit)
                self.cancelFunctions()
            }
        }
        defer { clock?.cancel() }
        for task in tasks { _ = await task.value }
        if let limit, limit.hasPassed { throw limit.passed("run", on: "pipeline") }
    }

    /// What each stage but the functions writes to its standard error.
    func collectErrors() async -> [Int: CapturedOutput] {
        await withTaskGroup(of: (Int, CapturedOutput).self) { group in
            for (index, stage) in stages.enumerated() {
                guard case .program(let child, let command) = stage.work, let reader = child.standardError else {
                    continue
                }
                group.addTask { (index, await Execution.collect(reader, .errorTail, command.told(.error)) {}.output) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    // MARK: End

    /// All have ended: what they wrote is still read.
    func finishStreams() {
        for child in children { child.finishStreams() }
    }

    func cancelFunctions() {
        let tasks = functions.withLock { functions in
            functions.areCancelled = true
            return functions.tasks.values
        }
        for task in tasks { task.cancel() }
    }

    /// Begins to end all programs, without waiting.
    func endSoon(grace: Duration) {
        cancelFunctions()
        if let leader { return leader.endSoon(grace: grace) }
        for child in children { child.endSoon(grace: grace) }
    }

    /// Ends all programs, and cancels the functions.
    func end(grace: Duration) async {
        cancelFunctions()
        if let leader { await endGroup(of: leader, grace) }
        // In a task that cannot be cancelled, as each end is.
        await Task.detached(executorPreference: EventLoop.current) { [children, leader] in
            await withTaskGroup(of: Void.self) { group in
                for child in children where child !== leader { group.addTask { await child.end(grace: grace) } }
            }
            await leader?.end(grace: .zero)
        }.value
        finishStreams()
    }

    /// Asks the whole group, and gives the programs in it their time, whichever of them has ended already.
    private func endGroup(of leader: Child, _ grace: Duration) async {
        guard grace > .zero else { return }
        try? leader.sendToTree(.terminate)
        try? leader.sendToTree(.resume)
        await Task.detached(executorPreference: EventLoop.current) { [children] in
            let deadline = Deadline(in: grace)
            for child in children where child !== leader { _ = try? await child.ended(deadline, endingTree: false) }
            try? await leader.waitUntilOver(deadline)
        }.value
        try? leader.sendToTree(.kill)
    }

    /// What came of each stage; all have ended.
    func results(_ errors: [Int: CapturedOutput]) async -> [StageResult] {
        var results: [StageResult] = []
        for (index, stage) in stages.enumerated() {
            let isLast = index == stages.count - 1
            switch stage.work {
            case .program(let child, _):
                let status = child.status ?? .unknown
                let isCutOff = status == .signalled(.brokenPipe, coreDumped: false) || status == .exited(141)
                results.append(
                    StageResult(
                        position: index + 1, name: stage.name, processID: child.processID, status: status, failure: nil,
                        wasCutOff: !isLast && isCutOff, error: errors[index] ?? CapturedOutput(),
                        usage: child.usage ?? .none))
            case .function(_, _, let writer):
                let failure = await functions.withLock { $0.tasks[index] }?.value
                let error = failure as? SystemError
                let isCutOff = error?.errno == .brokenPipe && error?.subject == writer.name
                results.append(
                    StageResult(
                        position: index + 1, name: stage.name, processID: nil,
                        status: .exited(failure == nil ? 0 : 1), failure: isCutOff && !isLast ? nil : failure,
                        wasCutOff: !isLast && isCutOff, error: CapturedOutput(), usage: .none))
            }
        }
        return results
    }
}
