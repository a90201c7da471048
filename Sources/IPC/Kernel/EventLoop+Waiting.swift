// Waiting on a loop: registration with epoll, suspension, and every way in which a wait ends.
import CIPC
import SystemPackage

/// What a loop knows of a descriptor number. Found by the number itself.
struct Registration: BitwiseCopyable {
    /// Which owner's registration it is: the number may since belong to another.
    var owner: UInt64 = 0
    /// What epoll watches for; 0 while the descriptor is not in the set.
    var events: UInt32 = 0
    var firstReader: Int32 = -1
    var firstWriter: Int32 = -1

    /// What somebody waits for.
    var wanted: UInt32 {
        (firstReader >= 0 ? IPC_EPOLLIN : 0) | (firstWriter >= 0 ? IPC_EPOLLOUT : 0)
    }
}

extension EventLoop {
    /// Suspends the task until the descriptor is ready, the deadline passes, the task is cancelled or the descriptor is
    /// closed. To be called on the loop's thread; leaves nothing behind.
    @inline(__always)
    func wait(_ direction: Direction, on owner: SharedDescriptor, deadline: Deadline?) async -> Wake {
        let status = watch(owner, for: direction)
        // Now that this loop is told of the descriptor's end, look once whether it came before.
        if owner.isClosed {
            forget(owner.number, owner: owner.identity)
            return .closed
        }
        guard status == 0 else { return status == -1 ? .ready : .refused(-status) }  // -EPERM: always ready
        if owner.endsWhenEmpty { return .ready }
        let token = takeWaiter()
        link(token.slot, to: owner.number, direction)
        return await suspend(token, deadline: deadline)
    }

    /// Suspends the task until a `wake` message with the token comes, the deadline passes or the task is cancelled.
    ///
    /// `handOver` gets the token for whoever is to wake the task, and says `false` if there is nothing to wait for.
    func wait(deadline: Deadline?, _ handOver: (WaitToken) -> Bool) async -> Wake {
        let token = takeWaiter()
        guard handOver(token) else {
            waiters.giveBack(token.slot)
            return .ready
        }
        return await suspend(token, deadline: deadline)
    }

    @inline(__always)
    private func suspend(_ token: WaitToken, deadline: Deadline?) async -> Wake {
        if let deadline { timers.insert(deadline.instant, for: token.slot, in: &waiters) }
        let record = becomeCancellable(token)
        goRound { waiters[token.slot].early != nil }
        if let early = waiters[token.slot].early {
            if let record { ipc_task_detach(record) }
            waiters.giveBack(token.slot)
            return early
        }
        // The loop resumes the task where it was suspended, so nothing has to look for its executor again.
        let reason = await _unsafeInheritExecutor_withUnsafeContinuation { continuation in
            if let early = waiters[token.slot].early {
                continuation.resume(returning: early)
            } else {
                waiters[token.slot].continuation = continuation
            }
        }
        if let record { ipc_task_detach(record) }
        // On behalf of an actor that was busy elsewhere the task goes on there, and the table is not that thread's.
        if isCurrent { waiters.giveBack(token.slot) } else { send(.giveBack(slot: token.slot)) }
        return reason
    }

    /// Has a cancellation of the task end the wait; the record to detach, unless the task has one for all its waits.
    @inline(__always)
    private func becomeCancellable(_ token: WaitToken) -> UnsafeMutableRawPointer? {
        if isInRoot {
            rootWait = token
            if ipc_task_is_cancelled() != 0 { wake(token.slot, .cancelled) }
            return nil
        }
        waiters[token.slot].hook.pointee.generation = token.generation
        return ipc_task_attach(waiters[token.slot].hook)
    }

    @inline(__always)
    private func takeWaiter() -> WaitToken {
        waiters.take { slot in
            ipc_cancellation_hook(
                cancel: { EventLoop.cancel($0, $1, $2) }, loop: Unmanaged.passUnretained(self).toOpaque(), slot: slot,
                generation: 0)
        }
    }

    /// Ends a wait whose task was cancelled, from whatever thread cancels.
    private static func cancel(_ loop: UnsafeMutableRawPointer, _ slot: Int32, _ generation: UInt32) {
        let token = WaitToken(slot: slot, generation: generation)
        Unmanaged<EventLoop>.fromOpaque(loop).takeUnretainedValue().send(.wake(token, .cancelled))
    }

    /// Ends a wait: takes the waiter out of its list and the timers and makes its task ready to run.
    func wake(_ slot: Int32, _ reason: Wake) {
        unlink(slot)
        timers.remove(slot, from: &waiters)
        waiters[slot].generation &+= 1
        if let continuation = waiters[slot].continuation {
            waiters[slot].continuation = nil
            continuation.resume(returning: reason)
        } else {
            waiters[slot].early = reason
        }
    }

    // MARK: Events

    /// Wakes those who waited for an event; what nobody waits for is no longer watched.
    func dispatch(_ event: ipc_event) {
        let number = event.fd
        guard number < registrations.count, registrations[number].events != 0,
            UInt32(truncatingIfNeeded: registrations[number].owner) == event.generation
        else { return poller.acknowledge(event) ? expireTimers() : () }
        let troubled = event.events & (IPC_EPOLLERR | IPC_EPOLLHUP) != 0
        let (reader, writer) = (registrations[number].firstReader, registrations[number].firstWriter)
        let isUnwanted =
            troubled
            ? reader < 0 && writer < 0
            : (event.events & IPC_EPOLLIN != 0 && reader < 0) || (event.events & IPC_EPOLLOUT != 0 && writer < 0)
        if isUnwanted { watchOnlyWhatIsWanted(number) }
        if reader >= 0, troubled || event.events & IPC_EPOLLIN != 0 { wakeAll(reader, .ready) }
        if writer >= 0, troubled || event.events & IPC_EPOLLOUT != 0 { wakeAll(writer, .ready) }
    }

    /// Has everybody who waits on a descriptor try again.
    func wakeAll(on descriptor: Int32, owner: UInt64) {
        let number = descriptor
        guard number < registrations.count, registrations[number].owner == owner else { return }
        wakeAll(registrations[number].firstReader, .ready)
        wakeAll(registrations[number].firstWriter, .ready)
    }

    private func watchOnlyWhatIsWanted(_ number: Int32) {
        let wanted = registrations[number].wanted
        let generation = UInt32(truncatingIfNeeded: registrations[number].owner)
        let operation = wanted == 0 ? IPC_EPOLL_DEL : IPC_EPOLL_MOD
        _ = poller.control(operation, number, events: wanted, generation: generation)
        registrations[number].events = wanted
    }

    // MARK: Registrations

    /// Has epoll watch the descriptor; 0, or the error number negated.
    private func watch(_ owner: SharedDescriptor, for direction: Direction) -> Int32 {
        let number = owner.number
        while registrations.count <= number { registrations.append(Registration()) }
        if registrations[number].owner != owner.identity {
            // The number's former owner is gone; its registration went with the descriptor.
            forget(owner.number, owner: registrations[number].owner)
            registrations[number].owner = owner.identity
            owner.isWatched(by: self)
        }
        let event = direction == .reading ? IPC_EPOLLIN : IPC_EPOLLOUT
        let former = registrations[number].events
        guard former & event == 0 else { return 0 }
        let operation = former == 0 ? IPC_EPOLL_ADD : IPC_EPOLL_MOD
        let result = poller.control(
            operation, owner.number, events: former | event, generation: UInt32(truncatingIfNeeded: owner.identity))
        if result == 0 { registrations[number].events = former | event }
        return result
    }

    /// Empties epoll's set of the loop's descriptors. When the loop ends.
    func stopWatching() {
        for number in 0..<Int32(registrations.count) where registrations[number].events != 0 {
            _ = poller.control(IPC_EPOLL_DEL, number, events: 0, generation: 0)
            registrations[number].events = 0
        }
    }

    /// Ends a registration and every wait on it. On the loop's thread, before the descriptor is closed.
    func forget(_ descriptor: Int32, owner: UInt64) {
        let number = descriptor
        guard number < registrations.count, owner != 0, registrations[number].owner == owner else { return }
        let registration = registrations[number]
        if registration.events != 0 {
            _ = poller.control(IPC_EPOLL_DEL, descriptor, events: 0, generation: 0)
        }
        registrations[number].events = 0
        registrations[number].owner = 0
        wakeAll(registration.firstReader, .closed)
        wakeAll(registration.firstWriter, .closed)
    }

    private func wakeAll(_ first: Int32, _ reason: Wake) {
        var slot = first
        while slot >= 0 {
            let next = waiters[slot].next
            wake(slot, reason)
            slot = next
        }
    }

    private func link(_ slot: Int32, to descriptor: Int32, _ direction: Direction) {
        let number = descriptor
        let first = direction == .reading ? registrations[number].firstReader : registrations[number].firstWriter
        waiters[slot].descriptor = descriptor
        waiters[slot].direction = direction
        waiters[slot].previous = -1
        waiters[slot].next = first
        if first >= 0 { waiters[first].previous = slot }
        setFirst(slot, of: number, direction)
    }

    private func unlink(_ slot: Int32) {
        let number = waiters[slot].descriptor
        guard number >= 0 else { return }
        let (previous, next) = (waiters[slot].previous, waiters[slot].next)
        if next >= 0 { waiters[next].previous = previous }
        if previous >= 0 { waiters[previous].next = next } else { setFirst(next, of: number, waiters[slot].direction) }
        waiters[slot].descriptor = -1
        waiters[slot].next = -1
        waiters[slot].previous = -1
    }

    private func setFirst(_ slot: Int32, of number: Int32, _ direction: Direction) {
        if direction == .reading {
            registrations[number].firstReader = slot
        } else {
            registrations[number].firstWriter = slot
        }
    }
}
