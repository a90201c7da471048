// What a server of the tool says of its clients: a line each on standard error.
import IPC
import Logging

/// A log without dates, since whoever keeps the lines adds his own: of what goes wrong, or also of who comes and goes.
func talkative(_ isVerbose: Bool) -> Logger {
    var log = Logger(label: "ipc") { _ in LineLog() }
    log.logLevel = isVerbose ? .debug : .info
    return log
}

private struct LineLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        // At once, so that the lines come in the order of what happened.
        _ = try? FileDescriptor.standardError.writeAll(errorLine(event.message).utf8)
    }
}
