// Takes the status of children whose handles were dropped, so that no zombie stays.
import SystemPackage

enum Reaper {
    /// Reaps a child when it ends, now if it has ended; on the process-wide loop.
    static func adopt(_ descriptor: SharedDescriptor) {
        if ChildEnd.take(descriptor.number) != nil { return }
        guard let loop = try? EventLoop.shared else { return wait(for: descriptor, on: nil) }
        wait(for: descriptor, on: loop)
    }

    private static func wait(for descriptor: SharedDescriptor, on loop: EventLoop?) {
        Task.detached(executorPreference: loop) {
            while ChildEnd.take(descriptor.number) == nil {
                guard descriptor.enter() else { return }
                try? await descriptor.wait(.reading, deadline: nil, "wait")
                descriptor.leave()
            }
        }
    }
}
