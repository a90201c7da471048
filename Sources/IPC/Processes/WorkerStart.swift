// How this program becomes its own child: by which file, under which name, with which request.
import CIPC
import SystemPackage

/// The name by which a worker's type is found in another copy of the program.
enum WorkerName {
    /// The variable of the environment that holds it.
    static let variable = "IPC_WORKER"
    /// The descriptor of the worker's socket.
    static let socket: Int32 = 3

    /// The name of a type that another copy of this program will find.
    static func checked(_ type: any Worker.Type) throws(WorkerError) -> String {
        guard Workers.wereAsked else { throw WorkerError(.notEntered, worker: "\(type)") }
        guard let name = _mangledTypeName(type), let found = self.type(named: name), found == type else {
            throw WorkerError(.unknown, worker: "\(type)")
        }
        return name
    }

    /// The worker of a name; `nil` if this program has no such type, or it is none.
    static func type(named name: String) -> (any Worker.Type)? {
        // Control characters and $ in a mangled name stand for addresses, which nobody else may choose.
        let isPlain = name.utf8.allSatisfy { byte in
            switch UInt8(byte) {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isPlain ? _typeByName(name) as? any Worker.Type : nil
    }
}

extension Command {
    /// Another copy of this program, whatever has become of its file since. It sees our own name as its first argument, and
    /// no other.
    static func thisProgram(as title: String) throws(SystemError) -> Command {
        let list = "/proc/self/cmdline"
        let number = try SystemCall.perform("open", on: list) { ipc_open(list, IPC_O_RDONLY, 0) }
        let file = try Descriptor(fresh: number, "open", on: list)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = SystemCall.retrying { ipc_read(file.number, &bytes, bytes.count) }
        let own = Array(bytes.prefix(max(0, count)).prefix { $0 != 0 })
        return Command(own.isEmpty ? Array(title.utf8) : own).changed {
            $0.file = OwnProgram.file
            $0.title = title
        }
    }

    /// The command as a worker's: with the name of what it is to do, and its socket.
    func asWorker(_ name: String, _ socket: DescriptorBox) -> Command {
        changed {
            $0.environment = environment.setting(WorkerName.variable, to: name)
            $0.setup.descriptors.removeAll { $0.number == WorkerName.socket }
            $0.setup.descriptors.append(PassedDescriptor(source: .owned(socket), number: WorkerName.socket))
        }
    }

    /// Whether somebody has to be at the other end of a stream.
    var hasPipes: Bool {
        if case .pipe = input?.source { return true }
        return [output, error].contains { if case .pipe = $0?.target { true } else { false } }
    }
}
