// What ipc run --json and ipc lock --json print: what came of the program, or why nothing did.
import IPC

struct RunReport: Encodable {
    private(set) var pid: Int32?
    private(set) var status: Int32?
    private(set) var signal: String?
    private(set) var coreDumped: Bool?
    private(set) var output: String?
    private(set) var outputBase64: String?
    private(set) var outputDropped: Int?
    private(set) var error: String?
    private(set) var errorBase64: String?
    private(set) var errorDropped: Int?
    private(set) var wallSeconds: Double?
    private(set) var userSeconds: Double?
    private(set) var systemSeconds: Double?
    private(set) var peakMemoryBytes: Int?

    // In failure.
    private(set) var kind: String?
    private(set) var operation: String?
    private(set) var subject: String?
    private(set) var errno: String?
    private(set) var message: String?
    private(set) var holder: Int32?

    init(_ result: CommandResult) { fill(result) }

    init(_ failure: any Error) {
        message = "\(failure)"
        switch failure {
        case let failure as StartError:
            (kind, operation, subject) = (failure.kind.description, failure.operation, failure.subject)
            errno = failure.errno.name
        case let failure as CommandError:
            (kind, operation, subject) = (failure.kind.description, "run", failure.command)
            fill(failure.result)
        case let failure as PipelineError:
            (kind, operation, subject) = ("failed", "run", failure.stage.name)
        case let failure as DaemonError:
            (kind, operation, subject) = (failure.kind.description, "daemon", failure.subject)
            pid = failure.processID?.rawValue
        case let failure as TimeoutError:
            (kind, operation, subject, errno) = ("timeout", failure.operation, failure.subject, "ETIMEDOUT")
            setOutput(failure.output)
            setError(failure.error)
        case let failure as LockHeldError:
            (kind, operation, subject, errno) = ("timeout", "lock", failure.file, "ETIMEDOUT")
            holder = failure.holder?.rawValue
        case let failure as SystemVError:
            (kind, operation, subject) = (failure.kind.description, failure.operation, failure.subject)
            errno = failure.errno.name
        case let failure as SystemError:
            (kind, operation, subject) = ("systemError", failure.operation, failure.subject)
            errno = failure.errno.name
        default: kind = "other"
        }
    }

    private mutating func fill(_ result: CommandResult) {
        pid = result.processID.rawValue
        switch result.status {
        case .exited(let code): status = code
        case .signalled(let by, let dumped): (signal, coreDumped) = (by.name, dumped)
        case .unknown: break
        }
        setOutput(result.output.bytes)
        setError(result.error.bytes)
        if result.output.dropped > 0 { outputDropped = result.output.dropped }
        if result.error.dropped > 0 { errorDropped = result.error.dropped }
        wallSeconds = result.duration.seconds
        userSeconds = result.usage.userTime.seconds
        systemSeconds = result.usage.systemTime.seconds
        peakMemoryBytes = result.usage.peakMemory
    }

    private mutating func setOutput(_ bytes: [UInt8]) {
        let value = JSONBytes(bytes)
        (output, outputBase64) = (value.text, value.base64)
    }

    private mutating func setError(_ bytes: [UInt8]) {
        let value = JSONBytes(bytes)
        (error, errorBase64) = (value.text, value.base64)
    }
}
