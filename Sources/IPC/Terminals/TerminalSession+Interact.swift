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
        let windows = try Signal.stream(.windowSizeChanged)
        defer { windows.end() }
        try followSize(of: user)
        var modes = try terminal.modes
        if modes == firstModes, !modes.echoes {
            modes.echoes = true
            try terminal.setModes(modes)
        }
        return try await user.withModes(user.modes.raw) {
            try await withThrowingTaskGroup(of: Event.self) { group in
                let (keys, typed) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingOldest(64))
                group.addTask { .over(try await self.showAll(on: user)) }
                group.addTask {
                    defer { typed.finish() }
                    return .over(try await self.readKeys(of: user, escape, into: typed))
                }
                group.addTask { try await self.pass(keys) ? .passed : .over(.ended) }
                group.addTask {
                    for await _ in windows { try? self.followSize(of: user) }
                    return .given
                }
                defer { group.cancelAll() }
                var end: InteractionEnd?
                while let event = try await group.next() {
                    switch event {
                    case .over(.escaped):
                        // What was typed before the key is the program's, as far as it takes it.
                        end = .escaped
                        group.addTask {
                            try? await EventLoop.sleep(until: Deadline(in: .milliseconds(300)))
                            return .passed
                        }
                    case .over(let other): return other
                    case .passed: if let end { return end }
                    case .given: break
                    }
                }
                return end ?? .ended
            }
        }
    }

    private enum Event: Sendable {
        case over(InteractionEnd)
        /// All keys are with the program, or it has had its time.
        case passed
        case given
    }

    private func followSize(of user: Terminal) throws {
        let size = try user.size
        // A terminal that does not know its size has none to follow.
        if size.rows > 0, size.columns > 0 { try setSize(size) }
    }

    private func showAll(on user: Terminal) async throws -> InteractionEnd {
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

    /// Reads keys, whether or not the program takes them: the escape key has to be seen.
    private func readKeys(
        of user: Terminal, _ escape: UInt8?, into typed: AsyncStream<[UInt8]>.Continuation
    ) async throws -> InteractionEnd {
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
            if !meant.isEmpty, case .dropped = typed.yield(meant) {
                // As a terminal does whose program does not read.
                try await ByteWriter(user.output.descriptor).write([7])
            }
            if let end {
                try? user.input.unread(Array(keys[(end + 1)...]))
                return .escaped
            }
        }
    }

    /// Types what a person has typed; `false` if nobody has the terminal any more.
    private func pass(_ keys: AsyncStream<[UInt8]>) async throws -> Bool {
        // A writer of our own: one that was cut short takes no more.
        let keyboard = ByteWriter(terminal.input.descriptor)
        for await piece in keys {
            let modes = try terminal.modes
            do { try await keyboard.write(piece) } catch let error as SystemError where error.errno == .ioError {
                return false
            }
            note(piece, modes)
            if modes.echoes || !modes.readsLines {
                recorder?.type(piece)
            } else if piece.contains(13) || piece.contains(10) {
                recorder?.typeSecret()
            }
        }
        return true
    }
}
