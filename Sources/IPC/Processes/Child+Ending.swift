// Ending a child and its tree within a stated time: asked first, forced after a grace.

extension Child {
    /// Ends the child and its tree, and gives its status: SIGTERM, `grace` to comply, SIGKILL.
    ///
    /// What is left of the tree when the child has ended is killed. A stopped tree is resumed, so that it can comply. The
    /// call is not cut short by the cancellation of its task; it takes as long as `grace` at most, and what the kernel needs
    /// to end a process.
    ///
    /// - Parameter grace: how long the tree may take to comply; none for zero.
    @discardableResult
    public func end(grace: Duration = .seconds(2)) async -> ExitStatus {
        // In a task of its own, since every wait of a cancelled one would end at once. A detached one, since neither
        // the caller's deadline counts here.
        await Task.detached(executorPreference: EventLoop.current) { await self.endTree(grace).status }.value
    }

    /// Begins to end the child and its tree, without waiting: asked now, forced and reaped in the background.
    func endSoon(grace: Duration) {
        endTreeAtEnd()
        requestEnd(grace)
        if reap(endingTree: true) != nil { return }
        let loop = (try? EventLoop.shared)
        Task.detached(executorPreference: loop) { await self.endTree(grace, isAsked: true) }
    }

    private func endTree(_ grace: Duration, isAsked: Bool = false) async -> ChildEnd {
        endTreeAtEnd()
        if !isAsked { requestEnd(grace) }
        if let end = try? await ended(Deadline(in: grace), endingTree: true) { return end }
        try? sendToTree(.kill)
        while true {
            if let end = try? await ended(nil, endingTree: true) { return end }
        }
    }

    private func requestEnd(_ grace: Duration) {
        guard grace > .zero else { return }
        try? sendToTree(.terminate)
        try? sendToTree(.resume)
    }
}
