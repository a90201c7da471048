// A server whose clients are each served by a program: the manual's forking server, without its fork.
public import Logging

extension Listener {
    /// Serves each client by a program of its own, which reads from the client and writes to it.
    ///
    /// ```swift
    /// try await listener.serve(command: Command("fortune", "-s"))
    /// ```
    ///
    /// The connection is the program's standard input and output, and its standard error if the command says
    /// ``Command/mergingError()``; else errors go where ours go. It has nothing else: no other client, not the listener, and of the
    /// environment PATH, HOME, USER, LANG, LC_* and TZ, unless the command says otherwise. Client and program are done when the
    /// program ends; what it leaves of its group is ended then. A program that cannot be started is logged, its client is hung up
    /// on, and the server goes on.
    ///
    /// - Parameters: as ``serve(limits:admitting:log:_:)`` has them. The time that a client may be silent is the program's affair.
    /// - Throws: as ``serve(limits:admitting:log:_:)`` does.
    public func serve(
        command: Command, limits: ServerLimits = ServerLimits(), admitting filter: ClientFilter = .standard,
        log: Logger? = nil
    ) async throws {
        let prepared = command.environment.isUnchanged ? command.environment(.minimal) : command
        try await serve(limits: limits, admitting: filter, log: log) { client in
            let child = try await prepared.serving(client).start()
            // It is the program's alone now: its end is the client's end.
            client.close()
            do {
                // Not wait(): with its status taken, its group could not be told from another one any more.
                _ = try await child.ended(nil, endingTree: prepared.endsTree)
            } catch {
                await child.end()
                throw error
            }
        }
    }
}

extension Command {
    /// The command with a connection as its input and output.
    fileprivate func serving(_ client: Connection) throws -> Command {
        let command = input(.descriptor(try client.duplicateDescriptor()))
        return command.output(.descriptor(try client.duplicateDescriptor()))
    }
}
