// The server: clients accepted within limits, each served in a task of its own, none able to end it.
import CIPC
public import Logging
import SystemPackage

extension Listener {
    /// Serves clients until the listener is closed or the task is cancelled: each in a task of its own, which closes the connection
    /// when the body returns or throws.
    ///
    /// ```swift
    /// try await listener.serve { client in
    ///     for try await line in client.lines() { try await client.write(line.uppercased() + "\n") }
    /// }
    /// ```
    ///
    /// Whatever a client does ends its own task alone: what the body throws is logged. On an ``EventLoop`` all clients are served by
    /// its thread, on which a body must not compute for long; from elsewhere by the runtime's pool.
    ///
    /// Where the process has no descriptors left the server goes on serving those who are there, and looks ten times a second,
    /// and whenever one leaves, whether there is room again. Names are never looked up. When it is to end it accepts nobody any
    /// more, and gives those who are there `limits.stop` to be done.
    ///
    /// - Parameters:
    ///   - limits: what it bears.
    ///   - filter: whom it lets in; over Unix sockets our own user and root alone, unless told otherwise.
    ///   - log: where it says who came and went (`debug`), who was not let in and what went wrong (`info`), and that it
    ///     cannot accept anybody (`warning`).
    ///   - body: serves one client.
    /// - Throws: ``SystemError`` if a socket cannot accept any more for another reason. A cancellation or a close is not an error.
    public func serve(
        limits: ServerLimits = ServerLimits(), admitting filter: ClientFilter = .standard, log: Logger? = nil,
        _ body: @escaping @Sendable (Connection) async throws -> Void
    ) async throws {
        let server = Server(limits: limits, filter: filter, log: log, body: body)
        let outcome: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                for socket in sockets { group.addTask { try await server.acceptAll(socket) } }
                try await group.next()
            }
            outcome = .success(())
        } catch { outcome = .failure(error) }
        await server.clients.finish(within: limits.stop)
        switch outcome {
        case .failure(let error as SystemError) where error.errno == .canceled: return
        case .failure(is CancellationError), .success: return
        case .failure(let error): throw error
        }
    }
}

/// One run of a server.
private struct Server: Sendable {
    let limits: ServerLimits
    let filter: ClientFilter
    let log: Logger?
    let body: @Sendable (Connection) async throws -> Void
    let clients = ClientTable()

    func acceptAll(_ socket: ListeningSocket) async throws {
        var pace = Pace(limits.clientsPerSecond)
        var isExhausted = false
        while true {
            if limits.refusal == nil {
                while clients.count >= limits.clients {
                    try await clients.waitForChange(below: limits.clients, nil)
                }
            }
            try await pace.wait()
            do {
                let client = try await socket.accept(nil)
                isExhausted = false
                admit(client)
            } catch let error as SystemError where Server.exhaustion.contains(error.errno) {
                if !isExhausted { log?.warning("\(error); clients wait") }
                isExhausted = true
                // The kernel says again and again that somebody waits.
                try await clients.waitForChange(below: clients.count, Deadline(in: .milliseconds(100)))
            }
        }
    }

    private static let exhaustion: Set<Errno> = [
        .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory,
    ]

    private func admit(_ client: Connection) {
        guard filter.admits(client.peer, try? client.credentials) else {
            log?.info("\(client.name): not let in")
            return client.close()
        }
        if let refusal = limits.refusal, clients.count >= limits.clients {
            log?.info("\(client.name): one too many")
            // As much as goes without waiting: whoever is not let in is waited for by nobody.
            let bytes = Array(refusal.utf8)
            _ = bytes.withUnsafeBytes { all in
                all.baseAddress.map { client.descriptor.transfer.write(client.descriptor.number, $0, all.count) }
            }
            return client.close()
        }
        client.descriptor.idleLimit = limits.idle
        client.lineLimit = limits.lineLength
        client.output.queueLimit = limits.unsent
        log?.debug("\(client.name): connected")
        clients.add {
            do {
                try await body(client)
                bid(client, farewell: nil)
            } catch { bid(client, farewell: error) }
        }
    }

    /// Apart from the task that serves the client, which then needs no room for it as long as it waits.
    @inline(never)
    private func bid(_ client: Connection, farewell error: (any Error)?) {
        if let error, !(error is CancellationError) { log?.info("\(client.name): \(error)") }
        client.close()
        log?.debug("\(client.name): gone")
    }
}

/// So many a second, and so many at once at the beginning.
private struct Pace {
    private let perSecond: Int?
    private var credit: Double
    private var last = ContinuousClock.now

    init(_ perSecond: Int?) {
        self.perSecond = perSecond
        credit = Double(perSecond ?? 0)
    }

    mutating func wait() async throws {
        guard let perSecond, perSecond > 0 else { return }
        let now = ContinuousClock.now
        let (seconds, attoseconds) = (now - last).components
        last = now
        credit = min(Double(perSecond), credit + (Double(seconds) + Double(attoseconds) * 1e-18) * Double(perSecond))
        if credit < 1 {
            try await EventLoop.sleep(
                until: Deadline(in: .milliseconds(Int64(((1 - credit) / Double(perSecond)) * 1000) + 1)))
            credit = 1
            last = .now
        }
        credit -= 1
    }
}
