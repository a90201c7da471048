// A conversation with a program on a terminal: the keys that are typed, and how it ends.
import CIPC
import Synchronization
import SystemPackage

/// A program on a terminal of its own, and what is typed and shown there; made by
/// ``Command/withTerminal(size:echo:bufferLimit:recording:timeout:grace:_:)``.
///
/// ```swift
/// try await Command("ssh", host).withTerminal { session in
///     try await session.expect("password:", timeout: .seconds(5))
///     try await session.send(line: secret)
///     let prompt = try await session.expect(.pattern(#"(\w+)@(\w+)[^$]*\$ "#))
/// }
/// ```
///
/// What was shown and not matched yet is kept, 1 MiB unless told otherwise; beyond that the oldest goes, counted by
/// ``droppedBytes``. One task expects or reads at a time, another one may type.
public final class TerminalSession: @unchecked Sendable {
    // Safe to share by this rule: `known` and `isDrained` are touched only by whoever has entered `output`, one at a time.
    /// The terminal.
    public let terminal: PseudoTerminal

    /// The program's name, as errors give it.
    public let name: String

    /// The program's number; `nil` for a session that is replayed.
    public var processID: ProcessID? { child?.processID }

    let child: Child?
    let recorder: SessionRecorder?
    /// The modes that the program found.
    let firstModes: TerminalModes?
    /// The last patterns: a prompt is expected again and again.
    @exclusivity(unchecked) var known: TerminalPatterns?
    /// The next read would most likely find nothing: wait first.
    @exclusivity(unchecked) var isDrained = false
    private let secrets = Mutex(SecretFilter())
    /// How many bytes of a line have been typed that no Enter has ended.
    private let typed = Mutex(0)

    init(
        _ terminal: PseudoTerminal, name: String, child: Child?, bufferLimit: Int, modes: TerminalModes? = nil,
        recorder: SessionRecorder?
    ) {
        (self.terminal, self.name, self.child, self.recorder) = (terminal, name, child, recorder)
        firstModes = modes
        terminal.output.absorptionLimit = max(1, bufferLimit)
        terminal.output.dropsExcess = true
        if let recorder { terminal.output.tap = { recorder.show($0) } }
    }

    /// What is shown, for those who read it themselves: lines, bytes, whatever ``ByteReader`` offers.
    public var output: ByteReader { terminal.output }

    /// How many bytes of what was shown were dropped, since nobody took them in time.
    public var droppedBytes: Int { terminal.output.dropped }

    // MARK: Typing

    /// Types a text as it is. Control characters do what they do when typed: `"\u{3}"` is Ctrl-C.
    ///
    /// - Throws: ``TerminalError`` with `lineTooLong` if the terminal reads lines and one would have more than 4,095 bytes,
    ///   of which the kernel would drop the rest; nothing was sent then. ``SystemError``, ``TimeoutError``,
    ///   `CancellationError`. That nobody reads is not an error until the terminal is full.
    public func send(_ text: String, timeout: Duration? = nil) async throws {
        try await type(Array(text.utf8), Deadline.after(timeout))
    }

    /// Types a text, as ``send(_:timeout:)-(String,_)`` does, until a deadline.
    public func send(_ text: String, deadline: Deadline) async throws { try await type(Array(text.utf8), deadline) }

    /// Types bytes as they are.
    ///
    /// - Throws: as ``send(_:timeout:)-(String,_)`` does.
    public func send(_ bytes: [UInt8], timeout: Duration? = nil) async throws {
        try await type(bytes, Deadline.after(timeout))
    }

    /// Types a text and the Enter key, which is CR; a terminal in its usual modes makes LF of it.
    ///
    /// - Throws: as ``send(_:timeout:)-(String,_)`` does.
    public func send(line text: String, timeout: Duration? = nil) async throws {
        try await type(Array(text.utf8) + [13], Deadline.after(timeout))
    }

    /// Types a text and the Enter key until a deadline.
    public func send(line text: String, deadline: Deadline) async throws {
        try await type(Array(text.utf8) + [13], deadline)
    }

    /// Types a secret and the Enter key, once the terminal does not show what is typed.
    ///
    /// Programs that ask for a password turn showing off. The kernel has no event for that, so the modes are looked at every few
    /// milliseconds. No recording and no error has the secret, even if the program shows it later.
    ///
    /// - Throws: ``TerminalError`` with `echoes` if the terminal still shows what is typed when the limit has passed; nothing
    ///   was sent then. Else as ``send(_:timeout:)-(String,_)`` does.
    public func send(line secret: Secret, timeout: Duration = .seconds(10)) async throws {
        try await send(line: secret, deadline: Deadline(in: timeout))
    }

    /// Types a secret and the Enter key, as ``send(line:timeout:)-(Secret,_)`` does, until a deadline.
    public func send(line secret: Secret, deadline: Deadline) async throws {
        secrets.withLock { $0.add(secret) }
        recorder?.hide(secret)
        var pause = Duration.milliseconds(1)
        while try terminal.modes.echoes {
            let limit = Deadline.earliest(deadline, Deadline.ambient) ?? deadline
            if let status { throw TerminalError(.ended, "send secret to", on: name, output: seen(), status: status) }
            guard !limit.hasPassed else { throw TerminalError(.echoes, "send secret to", on: name, output: seen()) }
            try await EventLoop.sleep(until: Deadline(in: min(pause, limit.remaining)))
            pause = min(pause * 2, .milliseconds(20))
        }
        try await type(secret.bytes + [13], deadline, isSecret: true)
    }

    /// Types a letter with the Ctrl key held: `control("c")` interrupts, `control("z")` stops, as long as the modes have it so.
    ///
    /// - Throws: as ``send(_:timeout:)-(String,_)`` does; ``SystemError`` with `EINVAL` for what has no such key.
    public func control(_ key: Character) async throws {
        let value = key.uppercased().utf8.first ?? 0
        guard key.utf8.count == 1, 63...95 ~= value || value == 32 else {
            throw SystemError("send", on: "Ctrl-\(key)", .invalidArgument)
        }
        try await type([value == 63 ? 127 : value & 31], nil)
    }

    /// Types the end of the input, Ctrl-D. At the beginning of a line the program reads the end then; elsewhere what has been
    /// typed of the line. A program that reads bytes reads the character.
    ///
    /// - Throws: as ``send(_:timeout:)-(String,_)`` does.
    public func sendEnd() async throws { try await type([terminal.modes.endOfFile], nil) }

    /// Sends a signal to the programs in the foreground, as a key does.
    ///
    /// - Throws: ``SystemError``.
    public func send(_ signal: Signal) throws { try terminal.send(signal) }

    /// Sets the size of the window; the program is sent `SIGWINCH`.
    ///
    /// - Throws: ``SystemError``.
    public func setSize(_ size: TerminalSize) throws {
        try terminal.setSize(size)
        recorder?.resize(size)
    }

    func type(_ bytes: [UInt8], _ deadline: Deadline?, isSecret: Bool = false) async throws {
        let modes = try terminal.modes
        let pending = try typed.withLock { typed throws(TerminalError) in
            let (count, longest) = TypedLine.count(bytes, after: typed, modes)
            guard longest <= 4095 else { throw TerminalError(.lineTooLong, "send to", on: name) }
            return count
        }
        try await terminal.input.write(bytes, until: deadline)
        typed.withLock { $0 = pending }
        if isSecret { recorder?.typeSecret() } else { recorder?.type(bytes) }
    }

    // MARK: The end

    /// Waits until the program has ended, and gives its status. What it shows meanwhile is kept as if expected.
    ///
    /// - Throws: ``TimeoutError`` with the end of what was shown, `CancellationError`; the program runs on then. A status other
    ///   than success is not an error.
    @discardableResult
    public func wait(timeout: Duration? = nil) async throws -> ExitStatus { try await ended(Deadline.after(timeout)) }

    /// Waits until the program has ended, as ``wait(timeout:)`` does, until a deadline.
    @discardableResult
    public func wait(deadline: Deadline) async throws -> ExitStatus { try await ended(deadline) }

    /// The program's status if it has ended, `nil` while it runs.
    public var status: ExitStatus? { child?.status }

    private func ended(_ deadline: Deadline?) async throws -> ExitStatus {
        try output.begin("wait")
        defer { output.end() }
        do { while try await advance(deadline, "wait") {} } catch let error as TimeoutError {
            throw TimeoutError("wait", on: name, limit: error.limit, output: tail())
        }
        guard let child else { return .exited(0) }
        return try await child.ended(deadline, endingTree: false).status
    }

    // MARK: Reading, inside ``output``

    /// Reads what is there, waiting for it; `false` at the end.
    func advance(_ deadline: Deadline?, _ operation: String) async throws -> Bool {
        try await SharedDescriptor.beginCall(operation, on: name, deadline: deadline)
        while true {
            guard let hasMore = try readMore() else { return false }
            if hasMore { return true }
            try await waitForMore(deadline, operation)
        }
    }

    /// Reads what is there, without waiting: whether there was something; `nil` at the end.
    func readMore() throws(SystemError) -> Bool? {
        let former = output.buffer.count
        let hasMore = try output.refillAtOnce()
        // A terminal gives 4,095 bytes at a time while it has as many.
        isDrained = output.buffer.count - former < 4095
        if hasMore == true { output.dropExcess() }
        return hasMore
    }

    /// Waits until there is something to read. What the last read left shows at once.
    func waitForMore(_ deadline: Deadline?, _ operation: String) async throws {
        isDrained = false
        if output.descriptor.endsWhenEmpty { return }
        try await output.descriptor.wait(.reading, deadline: deadline, operation)
    }

    var filterOfSecrets: SecretFilter { secrets.withLock { $0 } }

    func addSecrets(to filter: inout SecretFilter) {
        for secret in filterOfSecrets.secrets { filter.add(Secret(bytes: secret)) }
    }

    /// The end of what was shown and not matched, without secrets. To be called inside ``output``.
    func tail() -> [UInt8] {
        Array(secrets.withLock { $0.hiding(Array(output.buffer.bytes)) }.suffix(8 * 1024))
    }

    /// The same from outside; nothing while somebody else is inside.
    private func seen() -> [UInt8] {
        guard (try? output.begin("read")) != nil else { return [] }
        defer { output.end() }
        return tail()
    }

    /// A person has typed: the line that he is in is as long as it is.
    func note(_ bytes: [UInt8], _ modes: TerminalModes) {
        typed.withLock { $0 = TypedLine.count(bytes, after: $0, modes).count }
    }

    /// Text for an error, without secrets.
    func hiding(_ text: String) -> String {
        String(decoding: secrets.withLock { $0.hiding(Array(text.utf8)) }, as: UTF8.self)
    }
}
