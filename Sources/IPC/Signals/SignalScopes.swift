// Signals ignored, held or at their default for the time of a body.

extension Signal {
    /// Ignores signals while `body` runs: what comes meanwhile is lost.
    ///
    /// Like all dispositions this is the whole process's: nobody gets the signals, whoever subscribed and when, and other
    /// tasks' children are not concerned, since programs that this library starts begin with default dispositions.
    ///
    /// Scopes can be nested and overlap in different tasks; for each signal the latest one counts, and whichever is left,
    /// what is then the latest counts again. However the body ends, by returning, throwing or cancellation, the scope is left.
    ///
    /// - Throws: what `body` throws; ``SystemError`` with `EINVAL` for `SIGKILL` and `SIGSTOP`. The C function is
    ///   `sigaction` with `SIG_IGN`.
    public static func ignoring<Result>(
        _ signals: Signal..., during body: () async throws -> Result
    ) async throws -> Result {
        try await within(.ignore, Set(signals), body)
    }

    /// Ignores a set of signals while `body` runs, as ``ignoring(_:during:)-(Signal...,_)`` does.
    public static func ignoring<Result>(
        _ signals: Set<Signal>, during body: () async throws -> Result
    ) async throws -> Result {
        try await within(.ignore, signals, body)
    }

    /// Holds signals back while `body` runs: what comes meanwhile arrives afterwards.
    ///
    /// Standard signals arrive once each, however often they came; real-time signals as often as they came, with their
    /// values. They arrive as if they had come then: at the subscribers of that time, in an outer scope, or as the default
    /// action. Unlike a mask, which each thread has of its own, this holds them from the whole process; see
    /// ``ignoring(_:during:)-(Signal...,_)`` for how scopes are nested.
    ///
    /// - Throws: what `body` throws; ``SystemError`` with `EINVAL` for `SIGKILL` and `SIGSTOP`, with `EMFILE` if no
    ///   descriptor is free. The C function of its kind is `sigprocmask`.
    public static func holding<Result>(
        _ signals: Signal..., during body: () async throws -> Result
    ) async throws -> Result {
        try await hold(Set(signals), body)
    }

    /// Holds a set of signals back while `body` runs, as ``holding(_:during:)-(Signal...,_)`` does.
    public static func holding<Result>(
        _ signals: Set<Signal>, during body: () async throws -> Result
    ) async throws -> Result {
        try await hold(signals, body)
    }

    /// Has signals do what they do by default while `body` runs, whoever subscribed: `SIGINT` ends the process.
    ///
    /// See ``ignoring(_:during:)-(Signal...,_)`` for how scopes are nested.
    ///
    /// - Throws: what `body` throws; ``SystemError`` with `EINVAL` for `SIGKILL` and `SIGSTOP`. The C function is
    ///   `sigaction` with `SIG_DFL`.
    public static func defaulting<Result>(
        _ signals: Signal..., during body: () async throws -> Result
    ) async throws -> Result {
        try await within(.standard, Set(signals), body)
    }

    /// Has a set of signals do what they do by default while `body` runs, as ``defaulting(_:during:)-(Signal...,_)`` does.
    public static func defaulting<Result>(
        _ signals: Set<Signal>, during body: () async throws -> Result
    ) async throws -> Result {
        try await within(.standard, signals, body)
    }

    private static func within<Result>(
        _ wish: SignalRegistry.Wish, _ signals: Set<Signal>, _ body: () async throws -> Result
    ) async throws -> Result {
        let claim = try SignalRegistry.shared.add(wish, for: signals)
        defer { SignalRegistry.shared.remove(claim) }
        return try await body()
    }

    private static func hold<Result>(
        _ signals: Set<Signal>, _ body: () async throws -> Result
    ) async throws -> Result {
        let channel = try SignalChannel(for: signals)
        defer { channel.close() }
        return try await within(.hold(channel), signals, body)
    }
}
