// What a server of the tool says of its clients: a line each on standard error.
import IPC
import Logging

/// A log that says everything, without dates: whoever keeps the lines adds his own.
let talkative: Logger = {
    var log = Logger(label: "ipc") { _ in LineLog() }
    log.logLevel = .debug
    return log
}()

private struct LineLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let line = LogLine(description: "\(event.message)")
        Task { await complain(line) }
    }
}

private struct LogLine: Error, CustomStringConvertible { let description: String }
