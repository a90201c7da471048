// The two bare ends of a pipe, before each goes its way.
import CIPC
import SystemPackage

struct PipeEnds: ~Copyable {
    private var reader: Descriptor?
    private var writer: Descriptor?
    private let writerNumber: Int32

    init() throws(SystemError) {
        var (first, second): (Int32, Int32) = (-1, -1)
        try SystemCall.perform("pipe2", on: "pipe") { ipc_pipe(&first, &second) }
        do {
            reader = try Descriptor(fresh: first, "pipe2", on: "pipe")
        } catch {
            _ = ipc_close(second)
            throw error
        }
        let end = try Descriptor(fresh: second, "pipe2", on: "pipe")
        writerNumber = end.number
        writer = consume end
    }

    /// The reading end; each end can be taken once.
    mutating func takeReader() throws(SystemError) -> Descriptor {
        guard let end = reader.take() else { throw SystemError("take", on: "pipe", .badFileDescriptor) }
        return end
    }

    /// The writing end.
    mutating func takeWriter() throws(SystemError) -> Descriptor {
        guard let end = writer.take() else { throw SystemError("take", on: "pipe", .badFileDescriptor) }
        return end
    }

    func setCapacity(_ bytes: Int) throws(SystemError) {
        let wanted = Int32(clamping: bytes)
        let number = writerNumber
        try SystemCall.perform("capacity \(bytes)", on: "pipe") { ipc_set_pipe_capacity(number, wanted) }
    }
}
