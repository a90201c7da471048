// Programs joined by pipes: what each writes the next one reads.

/// Programs joined by the kernel's pipes: what each writes, the next one reads. A function of this program can be a stage too.
///
/// ```swift
/// let count = try await Command("ps", "ax").piped(to: Command("grep", "swift")).piped(to: Command("wc", "-l")).read()
/// ```
///
/// A pipeline is a value, and runs only when it is told to. The streams between the stages are the pipeline's; the first
/// stage's input, the last one's output and the standard error of each are those of the commands.
///
/// A stage that fails makes the pipeline fail with ``PipelineError``, which names it. That a stage ends because the next one
/// wants no more, as before `head`, is no failure: it ends by SIGPIPE, or by `EPIPE` if it is a function.
///
/// Each stage's program leads a process group, and what is left of it when the program has ended is ended too, so that no
/// process that it left behind keeps the next stage waiting. If the first stage reads from the terminal, all are in one group, as a
/// shell has it, which is ended as a whole.
public struct Pipeline: Sendable {
    /// Reads what the stage before it writes, and writes what the next one reads.
    public typealias Function = @Sendable (_ input: ByteReader, _ output: ByteWriter) async throws -> Void

    enum Stage: Sendable {
        case command(Command)
        case function(String, Function)

        var name: String {
            switch self {
            case .command(let command): command.description
            case .function(let name, _): name
            }
        }
    }

    private(set) var stages: [Stage]
    private(set) var isChecked = true

    init(_ stages: [Stage]) { self.stages = stages }

    /// A pipeline of one program; more are added by ``piped(to:)`` and ``piped(through:_:)``.
    public init(_ first: Command) { stages = [.command(first)] }

    /// A pipeline of programs, in the order of the data; `nil` for none.
    public init?(_ commands: some Sequence<Command>) {
        stages = commands.map { .command($0) }
        if stages.isEmpty { return nil }
    }

    /// The pipeline with one more program at its end.
    public func piped(to next: Command) -> Pipeline { adding(.command(next)) }

    /// The pipeline with a function of this program at its end.
    ///
    /// Its streams are closed when it returns. It runs at the same time as the other stages; it is cancelled with the
    /// pipeline.
    public func piped(through name: String = "function", _ function: @escaping Function) -> Pipeline {
        adding(.function(name, function))
    }

    /// The pipeline for which every status of every stage is right. What a function throws is an error still.
    public func unchecked() -> Pipeline {
        var copy = self
        copy.isChecked = false
        return copy
    }

    private func adding(_ stage: Stage) -> Pipeline {
        var copy = self
        copy.stages.append(stage)
        return copy
    }
}

extension Command {
    /// What this program writes, the next one reads.
    public func piped(to next: Command) -> Pipeline { Pipeline(self).piped(to: next) }

    /// What this program writes, a function of this program reads.
    public func piped(
        through name: String = "function", _ function: @escaping Pipeline.Function
    ) -> Pipeline {
        Pipeline(self).piped(through: name, function)
    }
}

extension Pipeline: CustomStringConvertible {
    /// The stages with `|` between them, as one would type them to a shell.
    public var description: String { stages.map(\.name).joined(separator: " | ") }
}
