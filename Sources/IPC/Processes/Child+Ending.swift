// Ending a child and its tree within a stated time: asked first, forced after a grace.

extension Child {
    /// Ends the child and its tree, and gives its status: SIGTERM, `grace` to comply, SIGKILL.
    ///
    /// What is left of the tree when the child has ended is killed. A stopped tree is resumed, so that it can comply. The
    /// call is not cut short by the cancellation of its task; it takes as long as `grace` at most, and what the kernel needs
    /// to end a process.
    ///
    /// - Parameter grace: how long the tree may take to comply; none for zero. Not used if the command has steps of its own,
    ///   ``Command/ended(by:)``.
    @discardableResult
    public func end(grace: Duration = .seconds(2)) async -> ExitStatus { await end(steps(grace)) }

    /// Ends the child and its tree in the given steps, and by SIGKILL after the last.
    @discardableResult
    public func end(by steps: TeardownStep...) async -> ExitStatus { await end(steps) }

    /// Ends the child in the given steps; what it has started too, or it alone.
    @discardableResult
    func end(_ steps: [TeardownStep], keepingTree: Bool = false) async -> ExitStatus {
        // In a task of its own, since every wait of a cancelled one would end at once. A detached one, since neither
        // the caller's deadline counts here.
        await Task.detached(executorPreference: EventLoop.current) {
            await self.ended(by: steps[...], endingTree: !keepingTree).status
        }.value
    }

    /// Begins to end the child and its tree, without waiting: asked now, forced and reaped in the background.
    func endSoon(grace: Duration) {
        let steps = steps(grace)
        endTreeAtEnd()
        if let first = steps.first { request(first, ofTree: true) }
        if reap(endingTree: true) != nil { return }
        let loop = (try? EventLoop.shared)
        Task.detached(executorPreference: loop) { await self.ended(by: steps[...], endingTree: true, isAsked: true) }
    }

    private func steps(_ grace: Duration) -> [TeardownStep] { teardown ?? TeardownStep.standard(grace) }

    private func ended(
        by steps: ArraySlice<TeardownStep>, endingTree: Bool, isAsked: Bool = false
    ) async -> ChildEnd {
        if endingTree { endTreeAtEnd() }
        var isAsked = isAsked
        for step in steps {
            if !isAsked { request(step, ofTree: endingTree) }
            isAsked = false
            if let end = try? await ended(Deadline(in: step.allowance), endingTree: endingTree) { return end }
        }
        try? send(.kill, toTree: endingTree)
        while true {
            if let end = try? await ended(nil, endingTree: endingTree) { return end }
        }
    }

    private func request(_ step: TeardownStep, ofTree: Bool) {
        try? send(step.signal, toTree: ofTree)
        try? send(.resume, toTree: ofTree)
    }

    private func send(_ signal: Signal, toTree: Bool) throws {
        if toTree { try sendToTree(signal) } else { try send(signal) }
    }
}
