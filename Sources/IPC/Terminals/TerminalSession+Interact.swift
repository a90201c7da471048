// Handing a program's terminal to the person at ours.
import SystemPackage

extension TerminalSession {
    /// Joins the person's terminal and the program's until the escape key, the end of the program, or of the person's terminal.
    ///
    /// Every key goes to the program as it is, Ctrl-C and Ctrl-Z too; what it shows is shown as it is, beginning with what was
    /// not matched yet. The program's window follows the person's. A session that does not show what is typed does so from now on,
    /// unless the program has changed that.
    ///
    /// The person's terminal has its modes back when this returns or throws, and whatever ends or stops this process: see
    /// ``Terminal/withModes(_:_:)``.
    ///
    /// - Parameters:
    ///   - user: the person's terminal; the one that standard input is, for `nil`.
    ///   - escape: the key that ends it, Ctrl-] unless told otherwise; none for `nil`. What was typed behind it stays with `user`.
    /// - Throws: ``TerminalError`` with `notATerminal`; ``SystemError``, `CancellationError`, ``TimeoutError`` where a deadline is
    ///   set for the task.
    public func interact(on user: Terminal? = nil, escape: UInt8? = 0x1D) async throws -> InteractionEnd {
        let user = try user ?? Terminal.ofStandardInput()
        try followSize(of: user)
        var modes = try terminal.modes
        if modes == firstModes, !modes.echoes {
            modes.echoes = true
            try terminal.setModes(modes)
        }
        let windows = try Signal.stream(.windowSizeChanged)
        defer { windows.end() }
        return try await user.withModes(user.modes.raw) {
            try await withThrowingTaskGroup(of: InteractionEnd?.self) { group in
                group.addTask { try await self.showAll(on: user) }
                group.addTask { try await self.passKeys(of: user, escape) }
                group.addTask {
                    for await _ in windows { try? self.followSize(of: user) }
                    return nil
                }
                defer { group.cancelAll() }
                while let end = try await group.next() { if let end { return end } }
                return .ended
            }
        }
    }

    private func followSize(of user: Terminal) throws {
        let size = try user.size
        // A terminal that does not know its size has none to follow.
        if size.rows > 0, size.columns > 0 { try setSize(size) }
    }

    private func showAll(on user: Terminal) async throws -> InteractionEnd? {
        // A writer of our own: one that was cut short takes no more.
        let screen = ByteWriter(user.output.descriptor)
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        while case let count = try await output.read(into: &bytes), count > 0 {
            let piece = Array(bytes[..<count])
            let before = screen.bytesWritten
            do { try await screen.write(piece) } catch {
                try? output.unread(Array(piece[(screen.bytesWritten - before)...]))
                if (error as? SystemError)?.errno == .ioError { return .disconnected }
                throw error
            }
        }
        return .ended
    }

    private func passKeys(of user: Terminal, _ escape: UInt8?) async throws -> InteractionEnd? {
        while true {
            let keys: [UInt8]
            do { keys = try await user.input.read(upTo: 4096) } catch let error as SystemError
                where error.errno == .ioError
            {
                return .disconnected
            }
            guard !keys.isEmpty else { return .disconnected }
            let end = escape.flatMap { keys.firstIndex(of: $0) }
            let meant = Array(keys[..<(end ?? keys.count)])
            do { if !meant.isEmpty { try await passOn(meant) } } catch let error as SystemError
                where error.errno == .ioError
            {
                return .ended
            }
            if let end {
                try? user.input.unread(Array(keys[(end + 1)...]))
                return .escaped
            }
        }
    }

    /// As typed by a person: no line is refused, and what is not shown is not recorded.
    private func passOn(_ keys: [UInt8]) async throws {
        let isShown = (try? terminal.modes.echoes) ?? true
        try await terminal.input.write(keys)
        if isShown || (try? terminal.modes.readsLines) == false {
            recorder?.type(keys)
        } else if keys.contains(13) || keys.contains(10) {
            recorder?.typeSecret()
        }
    }
}
