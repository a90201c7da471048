// What came of a pipeline, stage by stage, and the error if one of them failed.

/// What came of a pipeline that has ended.
public struct PipelineResult: Sendable {
    /// What came of each stage, in the order of the data.
    public let stages: [StageResult]

    /// What the last stage wrote to its standard output, where that was captured.
    public let output: CapturedOutput

    /// How long it took, from before the first start to the last end.
    public let duration: Duration

    /// How the pipeline ended, as a shell with `pipefail` has it: as the last stage that failed, or with 0.
    public var status: ExitStatus { failedStage?.status ?? .exited(0) }

    /// The last stage that failed.
    public var failedStage: StageResult? { stages.last { !$0.isSuccess } }
}

/// What came of one stage of a pipeline.
public struct StageResult: Sendable {
    /// The stage's place, from 1 on.
    public let position: Int

    /// The command as one would type it, or the function's name.
    public let name: String

    /// The process's number, which may by now be another's; `nil` for a function.
    public let processID: ProcessID?

    /// How the program ended. A function that threw counts as status 1, one that returned as 0.
    public let status: ExitStatus

    /// What the function threw.
    public let failure: (any Error)?

    /// Whether it ended because the next stage wanted no more, which is no failure.
    public let wasCutOff: Bool

    /// The last 8 KiB of what it wrote to its standard error, where that was captured.
    public let error: CapturedOutput

    /// What the program used.
    public let usage: ResourceUsage

    /// Whether the stage has done what it was to do: ended with status 0, or because the next one wanted no more.
    public var isSuccess: Bool { wasCutOff || status.isSuccess }
}

/// A pipeline of which a stage failed, or which wrote more than it was allowed to.
public struct PipelineError: Error, Sendable, CustomStringConvertible {
    /// The stage that failed: the last one, of several.
    public let stage: StageResult

    /// What is known of all stages.
    public let result: PipelineResult

    /// Whether the pipeline was ended because the last stage wrote more than the limit.
    public let isOutputLimitExceeded: Bool

    /// How the stage ended.
    public var status: ExitStatus { stage.status }

    public var description: String {
        if isOutputLimitExceeded {
            return "\(stage.name): wrote more than its limit after \(result.output.head.count) bytes"
        }
        let what = stage.failure.map { "\($0)" } ?? "\(stage.status)"
        let said = stage.error.text.split(separator: "\n").last.map { ": \($0)" } ?? ""
        return "stage \(stage.position) of \(result.stages.count), \(stage.name): \(what)\(said)"
    }
}
